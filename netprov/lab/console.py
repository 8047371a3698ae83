"""A guest's serial console, in a file that QEMU writes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# colours, cursor moves and screen clearing of firmware and GRUB
ESCAPES = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x00\x07\x08\x0e\x0f\r]")
POLL = 0.1  # seconds


class NotSeen(AssertionError):
    """The console did not say what was waited for; the text holds its end."""


@dataclass(frozen=True, slots=True)
class Console:
    path: Path

    def text(self) -> str:
        """All of it so far, without terminal escapes."""
        if not self.path.exists():
            return ""
        return ESCAPES.sub("", self.path.read_bytes().decode("utf-8", "replace"))

    def tail(self, lines: int = 40) -> str:
        return "\n".join([line for line in self.text().splitlines() if line.strip()][-lines:])

    def find(self, marker: str) -> re.Match[str] | None:
        """The first place where the console says `marker`, a regular expression."""
        return re.search(marker, self.text(), re.MULTILINE)

    def wait_for(self, marker: str, timeout: float, alive: Callable[[], bool] = lambda: True) -> re.Match[str]:
        """The first match of `marker`; NotSeen after `timeout` seconds, or when the guest has ended without it."""
        deadline = time.monotonic() + timeout
        while True:
            running = alive()  # before looking: what a guest said last is there when it has ended
            if found := self.find(marker):
                return found
            if not running:
                raise NotSeen(f"the guest ended without {marker!r}; its console:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise NotSeen(f"no {marker!r} within {timeout:.0f} s; the console:\n{self.tail()}")
            time.sleep(POLL)
