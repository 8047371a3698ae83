"""The steps that make a domU, each of which can be shown, checked beforehand, done, and undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from netprov.errors import ConfigError, PeerError, Problem
from netprov.xen.create.host import Host, Stopped

Say = Callable[[str], None]


class Step(Protocol):
    """One thing to do. `shown`: lines for a person. `problems`: what stands in its way, as far as that can be known
    before. `undo` takes back what `do` did so far, also where that broke off, and nothing that was there before."""

    def shown(self) -> Iterator[str]: ...

    def problems(self, host: Host) -> Iterator[Problem]: ...

    def do(self, host: Host, say: Say) -> None: ...

    def undo(self, host: Host) -> None: ...


def check(steps: Sequence[Step], host: Host) -> None:
    """Raises ConfigError with everything that stands in the way."""
    found = [problem for step in steps for problem in step.problems(host)]
    if found:
        raise ConfigError(*found)


def carry_out(steps: Sequence[Step], host: Host, say: Say, keep: bool = False) -> None:
    """Does them in order. Where one fails, or somebody wants it to end, all are undone, the last first.

    `keep`: nothing is undone. Raises what the step raised: ConfigError, PeerError, OSError, Stopped.
    """
    begun: list[Step] = []
    try:
        for step in steps:
            host.pause()
            begun.append(step)
            step.do(host, say)
    except BaseException:  # whatever ends it, ^C too: nothing of a guest that was not made stays behind
        if keep:
            say("what was made is kept (--keep)")
        else:
            _undo(begun, host, say)
        raise


def _undo(begun: list[Step], host: Host, say: Say) -> None:
    if begun:
        say("undoing what was made")
    for step in reversed(begun):
        try:
            step.undo(host)
        except (ConfigError, PeerError, OSError, Stopped) as error:
            say(f"could not be undone: {error}")
