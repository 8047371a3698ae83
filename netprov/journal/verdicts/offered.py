"""Signatures of DHCP: what was offered, asked for, and who else answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from netprov.boot.reason import Reason
from netprov.inventory.model import DhcpMode
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ARCH, CHOSEN, DECISION, VENDOR_CLASS
from netprov.journal.verdicts.facts import Facts
from netprov.journal.verdicts.other_server import boot_lines
from netprov.journal.verdicts.verdict import Sign

OFFERS = 3
"""DISCOVERs answered in vain. Firmware repeats one or two where the link was not up yet, or to collect offers."""
OFFERS_SECONDS = 3.0  # firmware asks after 0, 4, 12 and 28 s; a flood within a second is something else

PROXY_QUIET = 20.0  # seconds; firmware turns to port 4011, or to TFTP, within one
BOOT_SERVER = 3  # questions; edk2 asks port 4011 four times before it gives up

NO_ADDRESS = (Reason.DHCP_POOL_EMPTY, Reason.DHCP_NO_SUBNET, Reason.DHCP_STORE_FAILED, Reason.DHCP_NOT_SENT)
_ANSWERED = (Kind.DHCP_REQUEST, Kind.DHCP_ACK, Kind.DHCP_NAK, Kind.DHCP_INFORM)


def rejects_offer(facts: Facts) -> Sign | None:
    """G1, with an address in the offer."""
    return _rejected(facts, beside_another=False)


def rejects_proxy_offer(facts: Facts) -> Sign | None:
    """G1, beside another server's address."""
    return _rejected(facts, beside_another=True)


def _rejected(facts: Facts, *, beside_another: bool) -> Sign | None:
    answered = max((e.at for e in facts.events if _goes_on(e)), default=0.0)
    offers = [e for e in facts.of(Kind.DHCP_OFFER) if e.name and e.at > answered]
    if len(offers) < OFFERS or offers[-1].at - offers[0].at < OFFERS_SECONDS:
        return None
    last = offers[-1]
    if beside_another == bool(last.ip):
        return None
    return Sign(last.at, _boot_words(facts, last) | {"count": str(len(offers)), "relay": _relay(last)})


def _goes_on(event: Event) -> bool:
    return event.kind in _ANSWERED or event.kind.room in ("tftp", "http")


def _relay(event: Event) -> str:
    return f" and the relay {event.relay}" if event.relay else ""


def _boot_words(facts: Facts, event: Event) -> dict[str, str]:
    return {
        "loader": event.name,
        "server": facts.server,
        "system": facts.system,
        "lines": boot_lines(facts.server, event.name, facts.arch),
        "proxy_port": str(facts.context.proxy_port),
    }


def ignores_proxy(facts: Facts) -> Sign | None:
    """G2."""
    offers = [e for e in facts.of(Kind.DHCP_OFFER) if e.name and not e.ip]
    asked = [e for e in facts.of(Kind.DHCP_REQUEST) if e.reason is Reason.MODE_PROXY and facts.asks(e) != "os"]
    if not offers or not asked or facts.fetches(offers[0].at) or any(map(facts.at_boot_server, facts.events)):
        return None
    last = asked[-1]
    if facts.quiet(last.at) < PROXY_QUIET and not any(e.at > asked[0].at for e in offers):
        return None
    return Sign(last.at, _boot_words(facts, offers[-1]) | {"other": _other(asked)})


def _other(asked: Sequence[Event]) -> str:
    return next(filter(None, (event.fact(CHOSEN) for event in reversed(asked))), "the other DHCP server")


def asks_boot_server_in_vain(facts: Facts) -> Sign | None:
    """G3."""
    asked = [e for e in facts.events if facts.at_boot_server(e)]
    if not asked or facts.fetches(asked[0].at):
        return None
    last = asked[-1]
    if len(asked) < BOOT_SERVER and not (len(asked) > 1 and facts.quiet(last.at) >= PROXY_QUIET):
        return None
    named = next((e for e in reversed(facts.events) if e.kind.room == "dhcp" and e.name), None)
    if named is None:
        return None
    return Sign(last.at, _boot_words(facts, named) | {"count": str(len(asked))})


def address_changes(facts: Facts) -> Sign | None:
    """G14. Servers that know a machine by its client identifier alone give it an address each time it changes that."""
    given = [e for e in facts.of(Kind.DHCP_ACK, Kind.DHCP_REQUEST) if e.ip and e.reason in _GIVEN]
    changed = [(a, b) for a, b in pairwise(given) if a.ip != b.ip and a.client_id != b.client_id]
    if not changed or facts.fetched("autoinstall") or facts.fetched("callback"):
        return None
    before, after = changed[-1]
    server = after.fact(CHOSEN) or "the DHCP server"
    return Sign(after.at, {"before": before.ip, "after": after.ip, "other": server, "stage": facts.asks(after)})


_GIVEN = (Reason.DHCP_OK, Reason.MODE_PROXY)


def another_server_wins(facts: Facts) -> Sign | None:
    """G15."""
    chose = [e for e in facts.of(Kind.DHCP_REQUEST) if e.reason is Reason.DHCP_NOT_FOR_US and facts.asks(e) != "os"]
    if not chose:
        return None
    last = chose[-1]
    ours = any(e.at > last.at for e in facts.of(Kind.DHCP_ACK, Kind.DHCP_BOOTP))
    if ours or facts.fetches(last.at) or (facts.quiet(last.at) < PROXY_QUIET and len(chose) < 2):
        return None
    offered = next((e for e in reversed(facts.of(Kind.DHCP_OFFER)) if e.name), None)
    lines = boot_lines(facts.server, offered.name, facts.arch) if offered is not None else ""
    return Sign(last.at, {"other": _other(chose), "lines": lines, "server": facts.server})


def no_url_for_http(facts: Facts) -> Sign | None:
    """G17."""
    asked = [e for e in facts.events if e.fact(VENDOR_CLASS).startswith("HTTPClient")]
    without = [e for e in asked if _decided(e) is Reason.ARCH_UNKNOWN or (e.name and "://" not in e.name)]
    if not without or facts.fetches():
        return None
    last = without[-1]
    return Sign(last.at, {"arch": last.fact(ARCH) or "HTTPClient", "system": facts.system})


def no_loader_for_it(facts: Facts) -> Sign | None:
    """Firmware for which there is no loader, or a kernel for another processor."""
    found = [e for e in facts.events if _decided(e) in (Reason.ARCH_UNKNOWN, Reason.ARCH_MISMATCH)]
    if not found or facts.fetches(found[-1].at):
        return None
    last, reason = found[-1], _decided(found[-1])
    assert reason is not None
    return Sign(last.at, {"why": last.settled, "advice": reason.advice})


def not_declared(facts: Facts) -> Sign | None:
    """A machine that nothing matches, in a configuration that leaves such machines alone."""
    ignored = [e for e in facts.events if _decided(e) in _LEFT_ALONE and facts.asks(e) != "os"]
    if not ignored or facts.boot.system:
        return None
    return Sign(ignored[-1].at, {"mac": facts.boot.machine, "why": ignored[-1].settled})


_LEFT_ALONE = (Reason.UNKNOWN_IGNORE, Reason.MODE_RESERVED)


def no_address(facts: Facts) -> Sign | None:
    """No address could be given, and none was given later."""
    if facts.context.mode in (DhcpMode.PROXY, DhcpMode.OFF):
        return None
    drops = [e for e in facts.of(Kind.DHCP_DROP) if e.reason in NO_ADDRESS]
    if not drops or any(e.at > drops[-1].at for e in facts.of(Kind.DHCP_ACK, Kind.DHCP_BOOTP)):
        return None
    return Sign(drops[-1].at, {"why": drops[-1].text, "advice": drops[-1].reason.advice})


_BY_LABEL = {reason.label: reason for reason in (*_LEFT_ALONE, Reason.ARCH_UNKNOWN, Reason.ARCH_MISMATCH)}


def _decided(event: Event) -> Reason | None:
    """What settled the decision about a DHCP packet, where a rule here is about it."""
    label = event.fact(DECISION) or event.reason.label
    return _BY_LABEL.get(label) if event.kind.room == "dhcp" else None
