"""dom0, as far as making a domU needs it: its commands, run without a shell, and the wish to stop."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO

from netprov.errors import ConfigError, Problem

_SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "stopped", signal.SIGHUP: "stopped: the terminal is gone"}
_POLL = 0.1  # seconds between two looks whether to stop, while a command runs
_MOST_SAID = 1 << 20  # octets of a command's words that are read
_SAID = 20  # lines of a command's own words that an error repeats


class Stopped(Exception):
    """Somebody wants it to end: what was made is to be undone."""


class CommandFailed(ConfigError):
    """A command ended with another code than 0. `said`: its own words."""

    def __init__(self, words: tuple[str, ...], said: str) -> None:
        lines = [line.strip() for line in said.splitlines() if line.strip()][-_SAID:]
        super().__init__(Problem(None, " ".join(words), "\n  ".join(lines) or "failed, and said nothing"))
        self.said = said


class Host:
    """Runs commands. Signals are only noted, so that nothing is made and forgotten: `pause` and `run` heed them."""

    def __init__(self, net: Path = Path("/sys/class/net")) -> None:
        self._net = net
        self._stop = threading.Event()
        self._why = ""

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._why = _SIGNALS[signal.Signals(number)]
        self._stop.set()

    def pause(self, seconds: float = 0) -> None:
        """Raises Stopped, at once when it is wanted."""
        if self._stop.wait(seconds):
            raise Stopped(self._why)

    def run(self, *words: str, undoing: bool = False) -> str:
        """What the command says on standard output. `undoing`: a wish to stop does not end it.

        Raises CommandFailed, ConfigError where there is no such program, and Stopped.
        """
        # files, not pipes: a daemon that the command leaves behind (xl does) may keep them open
        with TemporaryFile() as out, TemporaryFile() as err:
            try:
                # a session of its own: ^C at the terminal is for us to act on, not for it
                process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
                )
            except OSError as error:
                raise ConfigError(Problem(None, words[0], f"cannot be run: {error.strerror}")) from None
            self._wait(process, undoing)
            said = _read(out)
            if process.returncode:
                raise CommandFailed(words, _read(err) or said)
            return said

    def _wait(self, process: subprocess.Popen[bytes], undoing: bool) -> None:
        asked = False
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_POLL)
                break
            if self._stop.is_set() and not undoing and not asked:
                process.terminate()
                asked = True
        if asked:
            raise Stopped(self._why)

    def has(self, program: str) -> bool:
        return shutil.which(program) is not None

    def bridges(self) -> list[str]:
        return sorted(path.parent.name for path in self._net.glob("*/bridge"))

    def has_interface(self, name: str) -> bool:
        return (self._net / name).exists()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(_MOST_SAID).decode("utf-8", "replace")
