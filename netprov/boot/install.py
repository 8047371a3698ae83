"""The install state machine: everything that decides whether a machine is installed again lives here.

Rule 1: no event but `Arm` leads a machine out of LOCAL, INSTALLED or FAILED. So a machine that was installed is never
installed again unless somebody asked for it.

Rule 2: an install that never reports its end stops by itself: each further boot counts as an attempt, and one attempt
too many is FAILED, which boots the local disk.

A machine without a record follows what its `install` field says; from the first event on, the record is what counts.
A machine whose field says `always` has no record: it boots its kernel every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from netprov.inventory.model import InstallMode

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


def initial(mode: InstallMode, token: str, now: float) -> InstallRecord:
    """The record of a machine that has none: armed if its field says install-once."""
    if mode is InstallMode.ONCE:
        return InstallRecord(InstallState.ARMED, token=token, since=now)
    return InstallRecord(InstallState.LOCAL, since=now)


def installs(record: InstallRecord | None, mode: InstallMode) -> bool:
    """Whether a machine with this record and `install` field starts its installer at its next boot."""
    if mode is InstallMode.ALWAYS:
        return False  # it boots its kernel, but nothing is installed and nothing ends it
    return mode is InstallMode.ONCE if record is None else record.state.installs


def advance(
    record: InstallRecord | None, event: InstallEvent, *, mode: InstallMode, attempts: int, now: float, token: str
) -> InstallRecord:
    """The record after `event`; the same one if the event changes nothing.

    `attempts` is how many boots an install may take; `token` a fresh one, used when an install is armed.
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


DESCRIBED: Mapping[InstallState, str] = {
    InstallState.LOCAL: "boots its own disk",
    InstallState.ARMED: "will be installed at its next network boot",
    InstallState.BOOTING: "was sent its installer",
    InstallState.INSTALLING: "is being installed",
    InstallState.INSTALLED: "is installed and boots its own disk",
    InstallState.FAILED: "failed to install and boots its own disk",
}
