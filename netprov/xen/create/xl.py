"""Starting a domU with xl, and whether it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from netprov.errors import ConfigError, Problem
from netprov.xen.bootloader.console import NAME
from netprov.xen.create.host import CommandFailed, Host, Stopped
from netprov.xen.create.step import Say

LOGS = Path("/var/log/xen")
_LOGS = f"{LOGS}/"
_LOG = re.compile(rf"consult logfile ({re.escape(_LOGS)}[\w.-]+)")
_LAST = 1 << 14  # octets of a log that are read


class XlStart:
    """`xl create`. It comes back when the bootloader has handed over, and says little where that failed."""

    def __init__(self, name: str, path: Path, logs: Path = LOGS) -> None:
        self._name = name
        self._path = path
        self._logs = logs
        self._started = False

    def _words(self) -> tuple[str, ...]:
        return ("xl", "create", str(self._path))

    def shown(self) -> Iterator[str]:
        yield f"run {' '.join(self._words())}"

    def problems(self, host: Host) -> Iterator[Problem]:
        try:
            listed = host.run("xl", "list")
        except CommandFailed as error:
            said = error.said.strip().splitlines()
            text = f"does not work here; this is to be run in dom0, as root ({said[0] if said else 'no reason given'})"
            yield Problem(None, "xl", text)
            return
        except ConfigError as error:
            yield from error.problems
            return
        if any(line.split()[:1] == [self._name] for line in listed.splitlines()[1:]):
            yield Problem(None, f"xl list {self._name}", "a domain of that name is already running")

    def do(self, host: Host, say: Say) -> None:
        say(" ".join(self._words()))
        try:
            host.run(*self._words())
        except CommandFailed as error:  # xl has taken it away itself
            raise self._explained(error) from None
        except Stopped:
            self._started = True
            raise
        self._started = True

    def _explained(self, error: CommandFailed) -> ConfigError:
        """What the bootloader said, where xl only names the log that has it."""
        found = _LOG.search(error.said)
        if found is None:
            return error
        said = last_words(self._logs / found[1].removeprefix(_LOGS))
        return ConfigError(Problem(None, " ".join(self._words()), said), *error.problems) if said else error

    def undo(self, host: Host) -> None:
        if self._started and xl_runs(host, self._name):
            host.run("xl", "destroy", self._name, undoing=True)


def last_words(log: Path) -> str:
    """The last line of the bootloader's in its log; "" where there is none."""
    try:
        lines = log.read_bytes()[-_LAST:].decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip().startswith(f"{NAME}:")), "")


def xl_runs(host: Host, name: str) -> bool:
    try:
        host.run("xl", "domid", name, undoing=True)
    except CommandFailed:
        return False
    return True
