"""One generation after another: a bad edit keeps the one before."""

from __future__ import annotations

from pathlib import Path

from netprov.errors import Problem
from netprov.inventory.load import attempt
from netprov.inventory.model import Inventory


class Reloader:
    """Holds the newest good inventory of the configuration at `path`, and what is wrong with what is on disk now.

    `inventory` is None until a load succeeds; `problems` is empty where the last one did; `files` is what the last one
    read, good or bad: give it to the watcher, so that fixing any of them is noticed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inventory: Inventory | None = None
        self.problems: tuple[Problem, ...] = ()
        self.files: tuple[str, ...] = (str(path),)

    def reload(self) -> Inventory | None:
        """Reads everything anew: the next generation, or None where it has errors and the one before stays."""
        generation = self.inventory.generation + 1 if self.inventory is not None else 1
        loaded = attempt(self.path, generation)
        self.problems, self.files = loaded.problems, loaded.files
        if loaded.inventory is not None:
            self.inventory = loaded.inventory
        return loaded.inventory
