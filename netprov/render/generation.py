"""One generation of the server: what the operator declared, and what is made of it once."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.files.root import Root
from netprov.files.stages import Stages
from netprov.inventory.model import Inventory, Target
from netprov.render.environment import Templates


@dataclass(frozen=True, slots=True)
class Generation:
    """Everything that a request is answered from, but for the state.

    A worker makes it once of each inventory that it is handed, and swaps it by one assignment; who answers a request
    takes it once and keeps it to the answer's end, so that no answer is made of two inventories. It is asked for a
    machine, a profile, a subnet, and never walked through on the way to an answer for one machine: what is behind the
    questions may be read piece by piece. Safe to use from several threads.
    """

    inventory: Inventory
    stages: Stages
    root: Root
    templates: Templates

    @classmethod
    def of(cls, inventory: Inventory) -> Generation:
        """Reads no file: templates are compiled when they are first asked for."""
        return cls(inventory, Stages(inventory), Root(inventory.settings.tftp.root), Templates.of(inventory))

    def target(self, kind: str, name: str) -> Target | None:
        """The "system" or "profile" of that name."""
        return self.inventory.system(name) if kind == "system" else self.inventory.profile(name)
