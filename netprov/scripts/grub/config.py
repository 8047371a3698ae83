"""grub.cfg: what it boots when nobody is at the keyboard: run as GRUB runs it, and its menu's default entry chosen.

Sans-IO: a text in, a Reading out. Source: the GRUB manual, its sources (normal/menu.c, script/execute.c), and the files
that installers and provisioning servers write.
"""

from __future__ import annotations

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub.environment import Device
from netprov.scripts.grub.menu import Grub
from netprov.scripts.notes import Notes
from netprov.scripts.plan import BootPlan, Files, Local, Reading
from netprov.scripts.straight import NotStraight

_MOST_TRIES = 4  # of what may be on the disk


def read(
    text: str,
    facts: MachineFacts,
    name: str = "grub.cfg",
    label: str | None = None,
    *,
    files: Files | None = None,
    home: Device | None = None,
    folder: str = "/grub",
) -> Reading:
    """What the script boots: its menu's default entry, or the one named `label`, or its own commands.

    `home` and `folder`: where it came from; the names in a plan are those on `home`. Without `files`, a configfile ends
    in a Chain. Raises NotStraight, and PeerError for a script that boots nothing or has no such entry.

    What is on the machine's own disk only GRUB sees. Where the script asks for that, it must come to the same boot
    whatever the answer.
    """
    home = home or Device("tftp", str(facts.server or ""))
    found: frozenset[Origin] = frozenset()
    first: tuple[BootPlan | PeerError, Notes] | None = None
    for _ in range(_MOST_TRIES):
        grub = Grub(facts, files, home, folder, label, found)
        outcome = _outcome(grub, text, name)
        first = first or (outcome, grub.machine.notes)
        if not _agree(first[0], outcome):
            break
        if found.issuperset(grub.machine.asked):
            return _reading(*first)
        found |= set(grub.machine.asked)
    raise NotStraight(min(found, key=lambda origin: origin.line), "asks what is on the machine's own disk")


def _outcome(grub: Grub, text: str, name: str) -> BootPlan | PeerError:
    try:
        return grub.plan(text, name)
    except PeerError as error:
        return error


def _agree(one: BootPlan | PeerError, other: BootPlan | PeerError) -> bool:
    if isinstance(one, PeerError) or isinstance(other, PeerError):
        return one is other or str(one) == str(other)
    return one == other or (isinstance(one, Local) and isinstance(other, Local))


def _reading(outcome: BootPlan | PeerError, notes: Notes) -> Reading:
    with notes.told():
        if isinstance(outcome, PeerError):
            raise outcome
    return Reading(outcome, notes.all())
