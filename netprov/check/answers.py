"""Whether our sockets answer, as far as can be told from here: on a bridge as a machine on that wire."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from netprov.boot.reason import Reason
from netprov.check.probe import Asked, Errand, Probed, ask
from netprov.check.subject import Finding, Severity, Subject
from netprov.errors import ConfigError
from netprov.inventory.model import DhcpMode
from netprov.journal.event import Event, Kind
from netprov.journal.fact import PORT
from netprov.journal.timeline import Timeline

_WRITTEN = 2.0  # seconds for the journal to write what the server heard

_FIREWALL = "a firewall of this host may drop it (`netprov check --only firewall`), or the server hangs: see its log"
_NAMES = {"tftp": "TFTP (UDP {port})", "http": "HTTP (TCP {port})"}


def answers(subject: Subject) -> Iterator[Finding]:
    """Says which socket is silent, and for whom."""
    if not subject.server or not subject.probing:
        return
    dhcp = subject.declared.settings.dhcp
    heard = _heard(subject, [one for one in subject.probed if one.plugged])
    asked = set()
    for probed in subject.probed:
        machines = subject.systems_at(subject.links[probed.interface])
        events = heard.get(probed.mac, [])
        if probed.plugged and dhcp.mode is not DhcpMode.OFF:
            yield from _dhcp(subject, probed, events, machines)
        for one in probed.asked:
            asked.add(probed.interface)
            yield from _silent(one, f"to a client at {probed.interface}", machines)
    for errand in _from_here(subject, asked):
        for one in ask(errand):
            where = f"at {errand.server}, asked from this host itself"
            yield from _silent(one, where, subject.systems_at(subject.links[errand.interface]))


def _silent(one: Asked, where: str, machines: tuple[str, ...]) -> Iterator[Finding]:
    if one.problem:
        name = _NAMES[one.service].format(port=one.port)
        text = f"{name} does not answer {where}: {one.problem}"
        command = f"ss -lnp sport = :{one.port}"
        yield Finding(f"{one.service}-silent", Severity.ERROR, text, _FIREWALL, machines, command)


def _dhcp(subject: Subject, probed: Probed, events: Sequence[Event], machines: tuple[str, ...]) -> Iterator[Finding]:
    dhcp = subject.declared.settings.dhcp
    ours = [offer for offer in probed.offers if is_ours(subject, offer.server)]
    at_67 = [event for event in events if not _at_boot_server(subject, event)]
    at_4011 = len(events) > len(at_67)
    if not ours and not at_67:
        text = f"DHCP (UDP {dhcp.port}) does not hear a client at {probed.interface}"
        yield Finding("dhcp-silent", Severity.ERROR, text, _FIREWALL, machines, f"ss -ulnp sport = :{dhcp.port}")
    elif not ours and dhcp.mode is DhcpMode.FULL:
        yield from _no_offer(probed.interface, at_67[-1], machines)
    if probed.offers and probed.asked and not at_4011:
        text = f"ProxyDHCP (UDP {dhcp.proxy_port}) does not hear a client at {probed.interface}"
        command = f"ss -ulnp sport = :{dhcp.proxy_port}"
        yield Finding("proxy-silent", Severity.ERROR, text, _FIREWALL, machines, command)


def is_ours(subject: Subject, server: str) -> bool:
    return server in {str(ip) for ip in subject.own} | {str(subject.declared.settings.server.address)}


def _no_offer(interface: str, last: Event, machines: tuple[str, ...]) -> Iterator[Finding]:
    if last.reason is Reason.DHCP_POOL_EMPTY:
        return  # ranges are another check's
    if last.kind is Kind.DHCP_OFFER:
        text = f"DHCP offered a client at {interface} an address, and the offer did not arrive"
        yield Finding("dhcp-no-offer", Severity.ERROR, text, _FIREWALL, machines)
    else:
        text = f"DHCP heard a client at {interface} and gave it nothing: {last.text}"
        yield Finding("dhcp-no-offer", Severity.ERROR, text, last.reason.advice, machines)


def _at_boot_server(subject: Subject, event: Event) -> bool:
    return event.number(PORT) == subject.declared.settings.dhcp.proxy_port


def _heard(subject: Subject, asked: Sequence[Probed]) -> dict[str, list[Event]]:
    """What the journal says of each of the clients that asked, once it says all that it is to."""
    found: dict[str, list[Event]] = {}
    until = time.monotonic() + _WRITTEN
    while asked:
        try:
            with Timeline(subject.place.journal) as journal:
                found = {one.mac: journal.said_of(one.mac) for one in asked}
        except ConfigError:
            break
        whole = all(
            any(_at_boot_server(subject, event) is port for event in found[one.mac])
            for one in asked
            for port in ((False, True) if one.asked else (False,))
        )
        if whole or time.monotonic() > until:
            break
        time.sleep(0.1)
    return found


def errand_at(subject: Subject, interface: str) -> Errand:
    """What to ask at an interface; only of a server that runs."""
    from netprov.check.client import loader_in

    link, settings = subject.links[interface], subject.declared.settings
    if not subject.server or not link.addresses:
        return Errand(interface, link.bridge)
    home = (a.ip for a in link.addresses if subject.declared.subnet_of(a.ip) is not None)
    told = settings.server.address or next(home, link.addresses[0].ip)
    return Errand(
        interface, link.bridge, str(told),
        settings.tftp.port if settings.tftp.enabled else 0,
        settings.http.port if settings.http.enabled else 0,
        settings.dhcp.proxy_port if settings.dhcp.mode is not DhcpMode.OFF else 0,
        loader_in(subject.declared),
    )  # fmt: skip


def _from_here(subject: Subject, asked: set[str]) -> Iterator[Errand]:
    """Of the interfaces at which no client asked, our addresses, each once."""
    done = set()
    for link in subject.served:
        errand = errand_at(subject, link.name)
        if link.name not in asked and errand.server and errand.server not in done:
            done.add(errand.server)
            yield errand


def passed(subject: Subject) -> str:
    """What was looked at."""
    if not subject.server:
        return ""
    if not subject.probing:
        return "not asked (--no-probe)"
    asked = [probed.interface for probed in subject.probed if probed.asked]
    heard = [probed.interface for probed in subject.probed if probed.plugged and not probed.asked]
    said = [f"DHCP, ProxyDHCP, TFTP and HTTP answer a client at {', '.join(asked)}"] if asked else []
    said += [f"DHCP hears a client at {', '.join(heard)}"] if heard else []
    return "; ".join(said if asked else [*said, "TFTP and HTTP answer this host itself"])
