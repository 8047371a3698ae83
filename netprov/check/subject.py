"""What is looked at: the configuration as it is on disk, and the state it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from netprov.inventory.declared import Declarations
from netprov.inventory.load import Loaded, attempt
from netprov.inventory.model import Inventory, ServerSettings
from netprov.inventory.report import Report
from netprov.inventory.settings import SettingsReader
from netprov.state.lock import holder
from netprov.state.place import Place


class Severity(StrEnum):
    ERROR = "error"  # machines do not boot, or not with what is written
    WARNING = "warning"  # some may not, or soon


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. `id` is stable, for programs; `advice` says what to do."""

    id: str
    severity: Severity
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """One configuration. `server` is the process that serves its state now, 0 for none."""

    config: Path
    loaded: Loaded
    place: Place
    server: int

    @property
    def inventory(self) -> Inventory | None:
        """None where it has errors."""
        return self.loaded.inventory


def look(config: Path) -> Subject:
    """Reads the configuration, and who serves it. Changes nothing."""
    loaded = attempt(config)
    inventory = loaded.inventory
    place = Place(inventory.settings.server.state if inventory is not None else _state(config))
    return Subject(config, loaded, place, holder(place.folder))


_STATE = re.compile(r"^[^#]*\bstate:\s*[\"']?([^\s,}\"'#]+)", re.MULTILINE)


def _state(config: Path) -> str:
    """server.state of a configuration with errors: its server goes on serving the generation before.

    Where it is no YAML at all, what looks like the setting.
    """
    report = Report()
    path = config.absolute()
    root = Declarations(report).document(path)
    if root is not None:
        return SettingsReader(root, path.parent, report).settings()[0].server.state
    try:
        match = _STATE.search(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        match = None
    written = match[1] if match is not None else ServerSettings().state
    return written if "://" in written else str(path.parent / written)
