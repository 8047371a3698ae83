"""What the bootloader says on the domU's console: what it does, how far it is, and what went wrong."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NAME = "netprov-pxeboot"
_PAINT_EVERY = 0.2  # seconds


class Console:
    """Lines on standard error, as standard output may be the answer. `quiet`: only what goes wrong."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._paints = not quiet and sys.stderr.isatty()

    def say(self, text: str) -> None:
        if not self._quiet:
            self.fail(text)

    def detail(self, text: str) -> None:
        if self._verbose:
            self.fail(text)

    def fail(self, text: str) -> None:
        """A server's words are in it: control characters would reach the terminal of whoever looks."""
        plain = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text)
        print(f"{NAME}: {plain}", file=sys.stderr, flush=True)

    @contextmanager
    def downloading(self, what: str) -> Iterator[Callable[[int], None]]:
        """Says how many octets there are while they come, on a terminal, and at the end how long it took."""
        began = painted = time.monotonic()
        total = 0
        unfinished = False

        def told(octets: int) -> None:
            nonlocal painted, total, unfinished
            total = octets
            now = time.monotonic()
            if self._paints and now - painted >= _PAINT_EVERY:
                painted, unfinished = now, True
                print(f"\r{NAME}: downloading {what} … {octets / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)

        try:
            yield told
        except BaseException:  # Stopped and ^C too: what is said next must not stand behind the half-painted line
            if unfinished:
                print(file=sys.stderr)
            raise
        if self._paints:
            print("\r", end="", file=sys.stderr)
        self.say(f"downloading {what} … {total / 1e6:.1f} MB in {time.monotonic() - began:.1f} s")
