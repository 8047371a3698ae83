"""The install state machine: everything that decides whether a machine is installed again lives here.

Rule 1: no event but `Arm` leads a machine out of LOCAL, INSTALLED or FAILED. So a machine that was installed is never
installed again unless somebody asked for it.

Rule 2: an install that never reports its end stops by itself: each further boot counts as an attempt, and one attempt
too many is FAILED, which boots the local disk.

Rule 3: what an operator wants and cannot have is refused, and changes nothing (`refusal`). A loader's question or an
installer's report that counts for nothing is not refused: the record stays as it is.

A machine without a record follows what its `install` field says; from the first event on, the record is what counts.
A machine whose field says `always` has no record: it boots its kernel every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from netprov.errors import PeerError
from netprov.inventory.model import InstallMode, Target

SAME_BOOT = 30.0
"""Seconds within which a script asked for again belongs to the same boot.

A loader asks for its script under several names, and TFTP repeats requests; no machine restarts, loads a loader and
asks for its script in less (the quickest virtual machine here needs 9 s, and only without its kernel)."""


class InstallState(StrEnum):
    """Where the install of a machine stands."""

    LOCAL = "local"  # boots its own disk
    ARMED = "armed"  # will be installed at its next boot
    BOOTING = "booting"  # got the script that starts the installer
    INSTALLING = "installing"  # the installer fetched its answers
    INSTALLED = "installed"  # the installer reported its end: boots its own disk
    FAILED = "failed"  # it reported a failure, or started too often: boots its own disk

    @property
    def installs(self) -> bool:
        """Whether the machine's next boot starts the installer."""
        return self in (InstallState.ARMED, InstallState.BOOTING, InstallState.INSTALLING)


@dataclass(frozen=True, slots=True)
class InstallRecord:
    """Where one machine's install stands.

    `token` is drawn when the install is armed; the installer's URLs carry it, so a callback counts for that install
    alone. `since` is when `state` was entered, `boot_at` when the script was last served (seconds since the epoch).
    """

    state: InstallState
    token: str = ""
    attempts: int = 0
    since: float = 0.0
    boot_at: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Arm:
    """An operator wants the machine installed at its next boot."""


@dataclass(frozen=True, slots=True)
class GoLocal:
    """An operator wants the machine to boot its own disk."""


@dataclass(frozen=True, slots=True)
class Boot:
    """The script that starts the installer is about to be served."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The installer fetched its answers, with this token."""

    token: str


@dataclass(frozen=True, slots=True)
class Done:
    """The install has ended well: the installer says so with its token, or an operator (None)."""

    token: str | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """The install has failed: the installer says so with its token, or an operator (None)."""

    token: str | None = None
    note: str = ""


InstallEvent = Arm | GoLocal | Boot | Fetched | Done | Fail

Change = tuple[InstallRecord | None, InstallRecord]
"""The record before an event, and after it."""

UNDECLARED = Target("system", "", kernel="its profile's")
"""Stands for a machine that nothing declares: a subnet's profile or the menu has it installed, by its MAC."""


class InstallRefused(PeerError):
    """The install cannot be changed so. The text is a sentence for whoever asked."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("; ".join(sentences), 409)


def initial(mode: InstallMode, token: str, now: float) -> InstallRecord:
    """The record of a machine that has none: armed if its field says install-once."""
    if mode is InstallMode.ONCE:
        return InstallRecord(InstallState.ARMED, token=token, since=now)
    return InstallRecord(InstallState.LOCAL, since=now)


def stands(record: InstallRecord | None, mode: InstallMode) -> InstallState | None:
    """The state that counts for a machine with this record and `install` field; None: its kernel boots every time, and
    neither is anything installed nor does anything end it."""
    if mode is InstallMode.ALWAYS:
        return None
    return initial(mode, "", 0.0).state if record is None else record.state


def installs(record: InstallRecord | None, mode: InstallMode) -> bool:
    """Whether a machine with this record and `install` field starts its installer at its next boot."""
    state = stands(record, mode)
    return state is not None and state.installs


def advance(
    record: InstallRecord | None, event: InstallEvent, *, mode: InstallMode, attempts: int, now: float, token: str
) -> InstallRecord:
    """The record after `event`; the same one if the event changes nothing.

    `attempts` is how many boots an install may take; `token` a fresh one, used when an install is armed. For an event
    that is not refused.
    """
    current = record or initial(mode, token, now)
    match event:
        case Arm():
            return InstallRecord(InstallState.ARMED, token=token, since=now)
        case GoLocal():
            return current if current.state is InstallState.LOCAL else InstallRecord(InstallState.LOCAL, since=now)
        case Boot():
            return _boot(current, attempts, now)
        case Fetched(with_token) if _counts(current, with_token) and current.state is not InstallState.INSTALLING:
            return replace(current, state=InstallState.INSTALLING, attempts=max(1, current.attempts), since=now)
        case Done(with_token) if _counts(current, with_token):
            return replace(current, state=InstallState.INSTALLED, since=now, note="")
        case Fail(with_token, note) if _counts(current, with_token):
            return replace(current, state=InstallState.FAILED, since=now, note=note)
        case _:
            return current


def _counts(record: InstallRecord, token: str | None) -> bool:
    """Whether a report with this token (None: an operator's word) is about the install under way."""
    return record.state.installs and (token is None or (token != "" and token == record.token))


def _boot(record: InstallRecord, attempts: int, now: float) -> InstallRecord:
    if not record.state.installs:
        return record
    if record.attempts and 0 <= now - record.boot_at < SAME_BOOT:
        return record
    if record.attempts >= attempts:
        note = f"the installer was started {record.attempts} times and never reported its end"
        return replace(record, state=InstallState.FAILED, since=now, note=note)
    since = record.since if record.state is InstallState.BOOTING else now
    return replace(record, state=InstallState.BOOTING, attempts=record.attempts + 1, boot_at=now, since=since)


_DESCRIBED: Mapping[InstallState | None, str] = {
    InstallState.LOCAL: "boots its own disk",
    InstallState.ARMED: "will be installed at its next network boot",
    InstallState.BOOTING: "was sent its installer",
    InstallState.INSTALLING: "is being installed",
    InstallState.INSTALLED: "is installed and boots its own disk",
    InstallState.FAILED: "failed to install and boots its own disk",
    None: "boots its kernel every time",
}


def next_boot(record: InstallRecord | None, target: Target) -> str:
    """What `target` does at its next network boot, as the rest of a sentence that begins with its name.

    Every page, command and answer says this one. It may hold what an installer reported.
    """
    state = stands(record, target.install)
    if not target.kernel and (state is None or state.installs):
        return "has no kernel to boot, so it boots its own disk"
    said = _DESCRIBED[state]
    if record is None or state is None:
        return said
    if state in (InstallState.BOOTING, InstallState.INSTALLING):
        last = record.attempts >= target.install_attempts
        then = "is from its own disk" if last else "starts it again"
        return f"{said} (attempt {record.attempts} of {target.install_attempts}); another boot {then}"
    return f"failed to install: {record.note}; it boots its own disk" if record.note else said


def refusal(record: InstallRecord | None, event: InstallEvent, target: Target) -> str:
    """Why `event` cannot be, as the rest of a sentence that begins with the machine's name; "" where it can."""
    always = f"has install: always: it {next_boot(None, target)}" if target.install is InstallMode.ALWAYS else ""
    match event:
        case Arm() if always:
            return f"{always}, and there is nothing to arm"
        case GoLocal() if always:
            return f"{always}; write install: local to let it boot its own disk"
        case Done(None) | Fail(None) if not (record or initial(target.install, "", 0.0)).state.installs:
            return f"has no install under way: it {next_boot(record, target)}"
        case _:
            return ""
