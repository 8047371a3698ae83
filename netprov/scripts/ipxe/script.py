"""iPXE scripts: what they boot when nobody is at the keyboard.

Sans-IO: a text in, a Reading out. Source: ipxe.org/scripting, the command references, and iPXE's sources.
"""

from __future__ import annotations

from netprov.scripts.facts import MachineFacts
from netprov.scripts.ipxe.run import Ipxe
from netprov.scripts.plan import Files, Reading


def read(
    text: str, facts: MachineFacts, name: str = "script.ipxe", label: str | None = None, *, files: Files | None = None
) -> Reading:
    """What the script boots; with `label`, what that item of its menu boots. Names are relative to the script.

    Without `files`, a script that it leads to ends it in a Chain. Raises NotStraight, and PeerError for what is no
    script.
    """
    ipxe = Ipxe(facts, files, label)
    with ipxe.notes.told():
        plan = ipxe.plan(text, name)
    return Reading(plan, ipxe.notes.all())
