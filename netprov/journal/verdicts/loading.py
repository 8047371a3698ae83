"""Signatures between the address and the script: the loader's fetch, and its start."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, ip_address

from netprov.boot.chance import ABSENT, Asker, asked_by
from netprov.boot.loaders import keeps_asking, loader_of
from netprov.boot.programs import Runs
from netprov.boot.reason import Reason
from netprov.boot.state import LOOP_FETCHES
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ACKNOWLEDGED, DECISION, END, ERROR
from netprov.journal.verdicts.facts import LATER, Facts
from netprov.journal.verdicts.other_server import boot_lines, ipxe_lines
from netprov.journal.verdicts.verdict import Sign

FETCH_QUIET = 30.0  # seconds from an ACK to the loader's fetch: iPXE waits 15 s for an IPv6 router first
START_QUIET = 90.0  # seconds from a loader's last octet to its first question; 30 s of it may be a spanning tree's
REQUESTS = 3  # for one file: a client repeats itself from a new port when it hears nothing

BRIDGES = (
    *(IPv4Network(f"172.{n}.0.0/16") for n in range(17, 32)),
    IPv4Network("10.88.0.0/16"),  # Podman's
    IPv4Network("192.168.65.0/24"),  # Docker Desktop's
)
"""Networks that container engines make, Docker's first."""

_GARBAGE = re.compile(r"(?:\\x[0-9a-f]{2}|[^\x20-\x7e])+$")


def never_asks(facts: Facts) -> Sign | None:
    """G4."""
    told = [e for e in facts.of(Kind.DHCP_ACK, Kind.DHCP_BOOTP) if e.name and facts.asks(e) != "os"]
    if not told or facts.fetches(told[0].at) or facts.quiet(told[-1].at) < FETCH_QUIET:
        return None
    name = told[-1].name
    http = "://" in name
    port = f"TCP port {facts.context.http_port}" if http else f"UDP port {facts.context.tftp_port}"
    return Sign(told[-1].at, {"loader": name, "server": facts.server, "port": port})


def hears_no_data(facts: Facts) -> Sign | None:
    """G5."""
    found = _unheard(facts)
    if found is None or facts.context.single_port:
        return None
    return Sign(found.at, {"name": found.name, "server": facts.server})


def hears_no_single_port(facts: Facts) -> Sign | None:
    """G5 where the answers come from port 69 already."""
    found = _unheard(facts)
    if found is None or not facts.context.single_port:
        return None
    return Sign(found.at, {"name": found.name, "server": facts.server, "port": str(facts.context.tftp_port)})


def behind_container_bridge(facts: Facts) -> Sign | None:
    """G20."""
    asked = [e for e in facts.of(Kind.TFTP_REQUEST) if _is_bridge(e.ip, facts)]
    if not asked or facts.of(Kind.TFTP_DONE) or _unheard(facts) is None:
        return None
    return Sign(asked[-1].at, {"ip": asked[-1].ip, "name": asked[-1].name})


def _unheard(facts: Facts) -> Event | None:
    """The last sign that a client asks by TFTP and hears nothing of our answers; None once anything got through."""
    if facts.of(Kind.TFTP_DONE) or any(_is_probe(event) for event in facts.events):
        return None
    asked = facts.of(Kind.TFTP_REQUEST)
    refused = {event.name for event in facts.of(Kind.TFTP_REFUSE)}
    ended = [e for e in facts.of(Kind.TFTP_FAIL, Kind.TFTP_ABORT) if e.name not in refused]
    if any(e.number(ACKNOWLEDGED, 1) for e in ended):
        return None
    if facts.context.unheard and asked:
        return asked[-1]
    silent = [e for e in ended if e.reason is Reason.TFTP_TIMEOUT or e.fact(END) == "closed its port"]
    names = [e.name for e in asked]
    repeated = [e for e in asked if names.count(e.name) >= REQUESTS and e.name not in refused]
    if not (any(e.kind is Kind.TFTP_FAIL for e in silent) or len(silent) > 1 or repeated):
        return None
    return max([*silent, *repeated], key=lambda event: event.at)


def _is_probe(event: Event) -> bool:
    """The client answered our OACK with an ERROR: it wanted to know the size, and it hears us (G6)."""
    return event.kind is Kind.TFTP_ABORT and bool(event.fact(ERROR))


def _is_bridge(ip: str, facts: Facts) -> bool:
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return any(address in net for net in BRIDGES) and not any(address in net for net in facts.context.subnets)


def odd_name(facts: Facts) -> Sign | None:
    """G7: garbage behind a loader's name, or a loader sought elsewhere than where the one before it was."""
    refused = [e for e in facts.of(Kind.TFTP_REFUSE, Kind.HTTP_REFUSE) if e.reason in ABSENT]
    if facts.reached("kernel", "autoinstall", "callback"):
        return None
    for event in refused:  # PXELINUX looks in four more folders for what is not in the first
        name, meant = plain_name(event.name), meant_by(event.name)
        if not keeps_asking(meant) or asked_by(Asker.SHIM, meant) or _came_later(facts, meant, event.at):
            continue
        if name.endswith(meant) and _folder(name) == _given_folder(facts):
            return None  # the right name: it is the file that is missing
        return Sign(event.at, {"name": event.name, "meant": meant})
    return None


def plain_name(name: str) -> str:
    """A name beneath tftp.root, whatever asked for it."""
    return name.removeprefix("/files/").replace("\\", "/").lstrip("/")


def meant_by(name: str) -> str:
    """The file's own name, without folders and without octets that no name has."""
    return plain_name(_GARBAGE.sub("", name)).rpartition("/")[2]


def _folder(name: str) -> str:
    return name.rpartition("/")[0].lower()


def _given_folder(facts: Facts) -> str:
    """Where the loader is that DHCP named; the root of it all where that is not known."""
    named = (e.name for e in facts.events if e.kind.room == "dhcp" and e.name and "://" not in e.name)
    return _folder(plain_name(next(named, "")))


def _came_later(facts: Facts, name: str, at: float) -> bool:
    return any(e.at > at and e.name.rpartition("/")[2].lower() == name.lower() for e in facts.fetched())


def goes_round(facts: Facts) -> Sign | None:
    """G8: decide() stopped it, or it goes round more slowly than that looks for."""
    stopped = [e for e in facts.events if e.fact(DECISION) == Reason.LOADER_LOOP.label]
    fetched = facts.fetched("loader")
    names = [event.name for event in fetched]
    round_ = next((name for name in names if names.count(name) >= LOOP_FETCHES), "")
    if not stopped and not round_:
        return None
    last = (stopped or fetched)[-1]
    said = last.settled if stopped else f"it fetched {round_} {names.count(round_)} times"
    script = f"http://{facts.server}" + (f":{p}" if (p := facts.context.http_port) != 80 else "") + "/boot.ipxe"
    return Sign(last.at, {"said": said, "lines": ipxe_lines(script)})


def loader_never_starts(facts: Facts) -> Sign | None:
    """G9, on a BIOS or where nobody knows."""
    return None if (found := _silent_loader(facts)) is None or _is_uefi(facts, found) else _start_words(found)


def uefi_refuses_loader(facts: Facts) -> Sign | None:
    """G9, on UEFI: most often Secure Boot."""
    found = _silent_loader(facts)
    if found is None or not _is_uefi(facts, found) or _asks_elsewhere(facts, found):
        return None
    return _start_words(found)


def grub_asks_elsewhere(facts: Facts) -> Sign | None:
    """G9 beside another DHCP server: GRUB takes its server's address from the packet that gave it its own."""
    found = _silent_loader(facts)
    if found is None or not _asks_elsewhere(facts, found):
        return None
    lines = boot_lines(facts.server, found.name, facts.arch)
    return Sign(found.at, {"loader": found.name, "system": facts.system, "lines": lines})


def _asks_elsewhere(facts: Facts, loader: Event) -> bool:
    proxied = any(e.name and not e.ip for e in facts.of(Kind.DHCP_OFFER))
    row = loader_of(loader.name)
    return proxied and row is not None and row.runs is Runs.GRUB


def _silent_loader(facts: Facts) -> Event | None:
    loaders = [e for e in facts.fetched() if keeps_asking(e.name)]
    if not loaders or facts.reached(*LATER):
        return None
    # shim asks for its revocations, whether there are any or not, and then starts what it fetched
    asked = [e for e in facts.events if e.kind.room in ("tftp", "http") and e.at > loaders[-1].at]
    if any(not asked_by(Asker.SHIM, event.name) for event in asked):
        return None
    return loaders[-1] if facts.quiet(([loaders[-1], *asked])[-1].at) >= START_QUIET else None


def _start_words(loader: Event) -> Sign:
    row = loader_of(loader.name)
    signed = "is signed" if row is not None and row.runs in (Runs.SHIM, Runs.GRUB) else "is not signed"
    return Sign(loader.at, {"loader": loader.name, "signed": signed})


def _is_uefi(facts: Facts, loader: Event) -> bool:
    return facts.arch.uefi if facts.arch is not None else loader.name.lower().endswith(".efi")
