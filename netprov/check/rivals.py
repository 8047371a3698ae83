"""Other DHCP servers on our networks: asked for by a probe, and overheard by the server in the last day."""

from __future__ import annotations

import time
from collections.abc import Iterator

from netprov.check.answers import is_ours
from netprov.check.probe import Offer, Probed
from netprov.check.subject import EVERY, Finding, Severity, Subject
from netprov.dhcp.classify import SERVER_PORT
from netprov.inventory.model import DhcpMode
from netprov.journal.event import Event
from netprov.journal.fact import INTERFACE, SERVER, SERVER_MAC, TYPE

_FOUND = {
    DhcpMode.FULL: Severity.ERROR,
    DhcpMode.RESERVED: Severity.WARNING,  # strangers are left to the other on purpose, perhaps
}
_ADVICE = "switch that one off (a home router, or libvirt's dnsmasq, often), or leave the addresses to it"


def rivals(subject: Subject) -> Iterator[Finding]:
    mode = subject.declared.settings.dhcp.mode
    if mode is DhcpMode.OFF:
        return
    met: set[str] = set()
    if (why := _not_asked(subject)) is not None:
        yield Finding("rival-not-asked", Severity.NOTE, f"netprov did not look for other DHCP servers: {why}")
    for probed in subject.probed:
        if probed.problem:
            text = f"at {probed.interface} other DHCP servers could not be asked for: {probed.problem}"
            yield Finding("rival-not-asked", Severity.NOTE, text)
            continue
        foreign = [offer for offer in probed.offers if not is_ours(subject, offer.server)]
        met.update(offer.server for offer in foreign)
        if mode is DhcpMode.PROXY:
            yield from _beside(subject, probed, foreign)
        else:
            for offer in foreign:
                yield _rival(subject, probed, offer, _FOUND[mode])
    yield from _overheard(subject, mode, met)


def alone(subject: Subject) -> str:
    """What was looked at, where no other was found."""
    asked = [probed.interface for probed in subject.probed if not probed.problem]
    if asked:
        return f"no other DHCP server is in the way at {', '.join(asked)}"
    return "none was heard in the last day"


def _not_asked(subject: Subject) -> str | None:
    if not subject.probing:
        return "--no-probe"
    if not subject.declared.settings.server.interfaces:
        return "server.interfaces names no interface to look at"
    if not subject.may_probe:
        return "only root can (CAP_NET_RAW, CAP_NET_ADMIN)"
    if subject.declared.settings.dhcp.port != SERVER_PORT:
        return f"dhcp.port is not {SERVER_PORT}: other servers do not use it"
    return None


def _rival(subject: Subject, probed: Probed, offer: Offer, severity: Severity) -> Finding:
    boots = f", with the boot file {offer.file!r}" if offer.file else ", with nothing to boot"
    text = f"another DHCP server, {offer.server} ({offer.server_mac}), offers {offer.ip} at {probed.interface}{boots}"
    machines = subject.systems_at(subject.links[probed.interface])
    return Finding("rival-dhcp", severity, text, f"{_ADVICE}: dhcp.mode: proxy", machines, _who(offer.server))


def _beside(subject: Subject, probed: Probed, foreign: list[Offer]) -> Iterator[Finding]:
    """In proxy mode another server is to give the addresses: one, and no boot files of its own."""
    machines = subject.systems_at(subject.links[probed.interface])
    if not foreign:
        text = f"no DHCP server gives addresses at {probed.interface}, and in proxy mode netprov gives none"
        advice = "start the other server, or let netprov give them: dhcp.mode: full, with subnets:"
        yield Finding("dhcp-absent", Severity.ERROR, text, advice, machines)
    if len(foreign) > 1:
        every = ", ".join(f"{offer.server} ({offer.server_mac})" for offer in foreign)
        text = f"{len(foreign)} DHCP servers give addresses at {probed.interface}: {every}"
        yield Finding("rival-dhcp", Severity.WARNING, text, "switch all but one off", machines, _who(foreign[1].server))
    for offer in foreign:
        if offer.file:
            text = f"{offer.server} at {probed.interface} has machines boot {offer.file!r}, in place of what we say"
            advice = "remove options 66 and 67 (next-server and filename) from its configuration"
            yield Finding("rival-boot-file", Severity.WARNING, text, advice, machines)


def _overheard(subject: Subject, mode: DhcpMode, met: set[str]) -> Iterator[Finding]:
    """What machines were told by others while our server listened."""
    last: dict[tuple[str, str], Event] = {}
    for event in subject.recorded.rivals if subject.recorded is not None else ():
        last.setdefault((event.fact(SERVER), event.fact(TYPE)), event)  # the newest comes first
    giving = {server for server, kind in last if kind not in ("proxy", "nak")}
    for (server, kind), event in last.items():
        if is_ours(subject, server) or (server in met and kind not in ("proxy", "nak")):
            continue
        if mode is DhcpMode.PROXY and kind not in ("proxy", "nak") and len(giving | met) < 2:
            continue  # the one that gives the addresses
        yield _heard(subject, server, event)


def _heard(subject: Subject, server: str, event: Event) -> Finding:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(event.at))
    text = f"{event.text} at {when} (its MAC is {event.fact(SERVER_MAC) or 'unknown'})"
    link = subject.links.get(event.fact(INTERFACE))
    machines = subject.systems_at(link) if link is not None else EVERY
    if event.fact(TYPE) == "proxy":
        advice = "two boot servers on one network contradict each other: switch one off"
        return Finding("rival-proxy", Severity.WARNING, text, advice, machines, _who(server))
    return Finding("rival-heard", Severity.WARNING, text, _ADVICE, machines, _who(server))


def _who(server: str) -> str:
    return f"ip neigh show {server}"
