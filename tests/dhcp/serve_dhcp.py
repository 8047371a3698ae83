"""A DHCP worker of its own, for tests: serve_dhcp.py STATE-FOLDER SETTINGS-AS-JSON.

Prints "ready", then one line of JSON an event. SIGTERM ends it.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from netprov.dhcp.bind import bind
from netprov.dhcp.loop import DhcpWorker
from netprov.inventory.model import (
    DhcpMode,
    DhcpSettings,
    InstallMode,
    Interface,
    Inventory,
    Range,
    ServerSettings,
    Settings,
    Subnet,
    Target,
)
from netprov.journal.event import Event
from netprov.mac import Mac
from netprov.state.state import open_state


def inventory(options: dict[str, Any]) -> Inventory:
    net = IPv4Interface("10.77.0.1/16")
    first, last = options.get("range", ("10.77.0.100", "10.77.0.199"))
    subnet = Subnet(
        net.network,
        (Range(IPv4Address(first), IPv4Address(last)),),
        router=(net.ip,),
        dns=(net.ip,),
        domain="example.org",
        lease=options.get("lease", 3600),
    )
    systems = []
    for name, (mac, address) in options.get("systems", {}).items():
        interface = Interface("eth0", Mac(mac), IPv4Interface(address) if address else None)
        systems.append(
            Target("system", name, hostname=name, interfaces=(interface,), kernel="vmlinuz", install=InstallMode.ALWAYS)
        )
    return Inventory.of(
        *systems,
        settings=Settings(
            server=ServerSettings(interfaces=tuple(options.get("interfaces", ()))),
            dhcp=DhcpSettings(mode=DhcpMode(options.get("mode", "full"))),
        ),
        subnets=(subnet,),
    )


def tell(events: Sequence[Event]) -> None:
    for event in events:
        words = {"kind": event.kind, "reason": event.reason.label, "text": event.text, "mac": event.mac, "ip": event.ip}
        print(json.dumps({**words, "name": event.name, **dict(event.detail)}), flush=True)


def main() -> None:
    options = json.loads(sys.argv[2])
    declared = inventory(options)
    sockets = bind(declared.settings)
    if not options.get("raw", True) and sockets.raw is not None:
        sockets.raw.close()
    with open_state(sys.argv[1]) as state:
        worker = DhcpWorker(sockets, declared, state, (lambda _: None) if options.get("quiet") else tell)
        if options.get("arp") is False:
            worker._transmitter._may_arp = False
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        print("ready", flush=True)
        worker.run()
    sockets.close()


if __name__ == "__main__":
    main()
