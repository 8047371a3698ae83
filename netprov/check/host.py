"""The host itself: its disk and its clock."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from netprov.check.reader import acting_as, reader
from netprov.check.state import seen
from netprov.check.subject import Finding, Severity, Subject
from netprov.text import size

# SQLite needs room for its log and a checkpoint of it; a full disk costs events, then leases
LITTLE, FEW = 100_000_000, 1_000_000_000  # octets free on the disk of server.state
_FEW_INODES = 1000
_EPOCH = 2024  # netprov was written later: a clock that says less was never set
_LATEST = 2100
_SLACK = 300.0  # seconds that a file may be ahead of the clock: its disk may be another host's


def disk(subject: Subject) -> Iterator[Finding]:
    folder = next(path for path in (subject.place.folder, *subject.place.folder.parents) if seen(path))
    free = shutil.disk_usage(folder).free
    if free < FEW:
        severity = Severity.ERROR if free < LITTLE else Severity.WARNING
        advice = "make room, or move server.state: a full disk costs events, then leases"
        text = f"{size(free)} are free for server.state ({folder})"
        yield Finding("disk-space", severity, text, advice, ("*",) if severity is Severity.ERROR else ())
    yield from _inodes(folder)
    user = subject.inventory.settings.server.user if subject.inventory is not None else ""
    who = reader(user, subject.server)
    with acting_as(who):
        writable = os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
    # of a server that is yet to be started, root gives the folder to its user
    if not writable and who.known and (subject.server or folder == subject.place.folder or os.geteuid() != 0):
        yield _not_writable(folder, who.name, who.uid, bool(subject.server))


def _not_writable(folder: Path, user: str, uid: int, served: bool) -> Finding:
    text = f"{folder} cannot be written by {user}"
    if uid != os.geteuid() or served:
        command = f"chown {user} {quote(str(folder))}"
        return Finding("state-not-writable", Severity.ERROR, text, "give it to the server's user", ("*",), command)
    advice = "run netprov as the server's user, or name another server.state"
    return Finding("state-not-writable", Severity.WARNING, text, advice)


def _inodes(folder: Path) -> Iterator[Finding]:
    told = os.statvfs(folder)
    if told.f_files and told.f_favail < _FEW_INODES:  # btrfs counts none
        severity = Severity.WARNING if told.f_favail else Severity.ERROR
        advice = "remove small files there (df -i), or move server.state"
        text = f"the disk of server.state ({folder}) has room for {told.f_favail} more files"
        yield Finding("disk-inodes", severity, text, advice, command=f"df -i {quote(str(folder))}")


def clock(subject: Subject) -> Iterator[Finding]:
    """A clock that is behind makes leases of the past, and certificates and signatures of the future."""
    now = subject.now
    says = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    year = time.gmtime(now).tm_year
    advice = "set it, and keep it set by NTP"
    command = "timedatectl set-ntp true"
    if not _EPOCH <= year < _LATEST:
        yield Finding("clock-unset", Severity.ERROR, f"the clock says {says}", advice, ("*",), command)
        return
    latest, what = max(_times(subject), default=(0.0, ""))
    if latest > now + _SLACK:
        text = f"the clock says {says}, and {what} is {_span(latest - now)} ahead of it"
        yield Finding("clock-behind", Severity.WARNING, text, advice, command=command)


def _times(subject: Subject) -> Iterator[tuple[float, str]]:
    """What was written when, by whatever clock there was then."""
    for path in (subject.config, subject.place.database, subject.place.journal):
        if path is not None and seen(path):
            yield path.stat().st_mtime, str(path)
    if subject.recorded is not None:
        yield subject.recorded.last, "the newest event in the journal"
    if subject.inventory is not None:
        longest = max((subnet.lease for subnet in subject.inventory.subnets), default=0)
        rest = max(longest, subject.inventory.settings.dhcp.decline_probation)
        yield max((lease.expires for lease in subject.leases), default=0.0) - rest, "the newest lease"


def _span(seconds: float) -> str:
    for name, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} seconds"
