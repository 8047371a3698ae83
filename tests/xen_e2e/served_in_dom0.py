"""`netprov serve` inside dom0, on a bridge that reaches no other machine."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

import yaml

from .machines import Declared
from .rundisk import CHECKOUT_IN_DOM0
from .xenlab import Dom0

BRIDGE, ADDRESS, NETWORK = "xenbr1", "10.88.0.1", "10.88.0.0/24"
CONFIG, LOG = "/etc/netprov/netprov.yaml", "/var/log/netprov.log"
PATIENCE = 300.0  # TCG starts Python five times


@dataclass(slots=True)
class ServedInDom0:
    """A server that `start` starts, with what it declares."""

    dom0: Dom0
    declared: Declared
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _serves: bool = False

    def start(self) -> None:
        """Returns when it serves; it ends with dom0. Every scenario that needs it may say so."""
        with self._starting:
            if not self._serves:
                self._start()
                self._serves = True

    def _start(self) -> None:
        subnet = {"subnet": NETWORK, "range": "10.88.0.100-10.88.0.199", "router": ADDRESS}
        text = yaml.safe_dump({
            "server": {"interfaces": [BRIDGE], "address": ADDRESS, "state": "/var/lib/netprov"},
            "dhcp": {"mode": "full", "subnets": [subnet]},
            "tftp": {"root": f"{CHECKOUT_IN_DOM0}/boot-images"},
            **asdict(self.declared),
        })  # fmt: skip
        self.dom0.write(CONFIG, text)
        self.dom0.sh(f"ip address add {ADDRESS}/24 dev {BRIDGE}")
        server = self.dom0.start("sh", "-c", f"exec netprov serve -c {CONFIG} >{LOG} 2>&1", timeout=3600)
        ended = self.dom0.channel.watch(LOG, "netprov: serves ", 1, server, PATIENCE).wait(PATIENCE + 60)
        assert ended.code == 0, ended.out

    def netprov(self, *arguments: str) -> str:
        """What a netprov command prints in dom0."""
        ended = self.dom0.run("netprov", *arguments, "-c", CONFIG)
        assert ended.code == 0, ended.said
        return ended.out

    def done(self, machine: str) -> list[str]:
        """The stages that the machine's last boot has behind it, in the order in which it had them."""
        boots: list[dict[str, Any]] = json.loads(self.netprov("timeline", machine, "--last", "1", "--json"))
        return [stage["stage"] for stage in boots[-1]["stages"] if stage["state"] == "done"]

    def status(self, system: str) -> str:
        return str(json.loads(self.netprov("system", "status", system, "--json"))[0]["state"] or "")
