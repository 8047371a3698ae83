"""Signatures of transfers that began and went badly."""

from __future__ import annotations

from netprov.boot.chance import Asker, asked_by
from netprov.boot.loaders import keeps_asking
from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ACKNOWLEDGED, BLKSIZE, END, LENGTH, WINDOWSIZE
from netprov.journal.verdicts.facts import Facts
from netprov.journal.verdicts.loading import meant_by
from netprov.journal.verdicts.verdict import Sign

SLOW_OCTETS = 1_000_000
SLOW_SECONDS = 20.0  # shim fetches GRUB so, 2.7 MB: half that on a slow machine
SLOW_RATE = 1_000_000  # octets a second: below it a 60 MB initrd takes a minute
SMALL_BLOCK = 512  # RFC 1350: what a client gets that asks for nothing

STALLED_OCTETS = 65_536
"""What may have been acknowledged where no large packet arrives: the response's header, small answers before it."""

ROLLOVERS = (32_767, 65_535)
"""The last block number that a counter of 15 or 16 bits holds."""
_WINDOW = 64  # blocks; what the client acknowledged last may be a window behind


def slow_blocks(facts: Facts) -> Sign | None:
    """G12."""
    slow = [e for e in facts.of(Kind.TFTP_DONE) if _is_slow(e)]
    if not slow:
        return None
    worst = max(slow, key=lambda event: event.seconds)
    blocks = worst.size // SMALL_BLOCK + 1
    return Sign(
        worst.at,
        {
            "name": worst.name,
            "seconds": f"{worst.seconds:.0f}",
            "rate": f"{worst.size / worst.seconds / 1e6:.2f}",
            "blocks": f"{blocks}",
            "each": f"{worst.seconds / blocks * 1000:.1f}",
            "blksize": worst.fact(BLKSIZE),
        },
    )


def _is_slow(event: Event) -> bool:
    if event.number(BLKSIZE, SMALL_BLOCK) > SMALL_BLOCK or event.number(WINDOWSIZE, 1) > 1:
        return False
    return event.size >= SLOW_OCTETS and event.seconds >= max(SLOW_SECONDS, event.size / SLOW_RATE)


def stops_at_rollover(facts: Facts) -> Sign | None:
    """G13."""
    for event in reversed(facts.of(Kind.TFTP_FAIL)):
        blksize = event.number(BLKSIZE, SMALL_BLOCK)
        blocks = event.number(ACKNOWLEDGED) // max(1, blksize)
        count = next((n for n in ROLLOVERS if -_WINDOW <= blocks - n <= 1), 0)
        if count and not any(e.name == event.name and e.at > event.at for e in facts.of(Kind.TFTP_DONE)):
            most = f"{count * blksize / 1e6:.1f} MB"
            words = {"name": event.name, "count": f"{count}", "blksize": f"{blksize}", "most": most}
            return Sign(event.at, words | {"size": f"{event.size / 1e6:.1f} MB"})
    return None


def speaks_tls(facts: Facts) -> Sign | None:
    """G18."""
    found = [e for e in facts.of(Kind.HTTP_REFUSE) if e.reason is Reason.HTTP_TLS]
    return Sign(found[-1].at, {"port": str(facts.context.http_port), "server": facts.server}) if found else None


def stalls(facts: Facts) -> Sign | None:
    """G19: the kernel sent the same octets again and again, and gave the connection up. Where a good part of the file
    had arrived before, it is not the packets' size: the machine was switched off, or its cable pulled.
    """
    stalled = [e for e in facts.of(Kind.HTTP_FAIL) if e.fact(END) == "stalled"]
    if not stalled or stalled[-1].number(ACKNOWLEDGED) > STALLED_OCTETS:
        return None
    last = stalled[-1]
    if any(e.name == last.name and e.at > last.at for e in facts.of(Kind.HTTP_DONE)):
        return None
    words = {"acknowledged": last.fact(ACKNOWLEDGED) or "none", "length": last.fact(LENGTH) or "all"}
    return Sign(last.at, {"name": last.name, **words})


def missing_file(facts: Facts) -> Sign | None:
    """A loader, a kernel or an initrd without which the boot does not go on."""
    got = {e.name for e in facts.fetched()}
    gone = [e for e in facts.of(Kind.TFTP_REFUSE, Kind.HTTP_REFUSE) if _is_needed(e) and e.name not in got]
    if not gone or facts.reached("autoinstall", "callback"):
        return None
    first = gone[0]  # PXELINUX looks in four more folders for what is not in the first
    is_loader = first.stage.startswith("loader")
    advice = _LOADERS if is_loader else first.reason.advice or _READ
    stage = "loader" if is_loader else first.stage
    return Sign(gone[-1].at, {"stage": stage, "name": first.name, "why": first.text, "advice": advice})


def _is_needed(event: Event) -> bool:
    if event.reason not in _GONE or asked_by(Asker.SHIM, event.name):
        return False
    in_a_chain = event.stage == "loader-file" and keeps_asking(meant_by(event.name))
    return in_a_chain or event.stage in ("loader", "kernel", "initrd")


_GONE = (Reason.TFTP_NOT_FOUND, Reason.TFTP_UNREADABLE, Reason.TFTP_OUTSIDE, Reason.HTTP_NOT_FOUND)
_READ = "put it under tftp.root, readable by the user netprov runs as"
_LOADERS = "netprov loaders puts the boot loaders in place; netprov check shows which are missing"
