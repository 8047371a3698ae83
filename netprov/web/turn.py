"""One request's turn in the application: the generation it is answered from, and what the transport is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from netprov.boot.owner import PREVIEW_TOKEN
from netprov.http.application import Answer, File, Reply, Stream
from netprov.http.outcome import UNTOLD, Outcome
from netprov.render.generation import Generation


@dataclass(slots=True)
class Turn:
    """`instead`: what is to answer in place of the view's own response."""

    generation: Generation
    outcome: Outcome = UNTOLD
    instead: File | Stream | None = None

    def answer(self, method: str, reply: Reply) -> Answer:
        """What the transport gets, where the view's response is `reply`. Only a page that may be seen goes on."""
        if isinstance(self.instead, File) or (self.instead is not None and method == "GET" and reply.status == 200):
            return replace(self.instead, outcome=self.outcome)
        return replace(reply, outcome=self.outcome)


_TURN: ContextVar[Turn] = ContextVar("turn")


@contextmanager
def begun(generation: Generation) -> Iterator[Turn]:
    """The turn of what this thread does next; `turn()` gives it to whoever has a part in it."""
    made = Turn(generation)
    mark = _TURN.set(made)
    try:
        yield made
    finally:
        _TURN.reset(mark)


def turn() -> Turn:
    """That of the request at hand."""
    return _TURN.get()


def tell(outcome: Outcome, *, keep: bool = False) -> None:
    """What the request was about, for its event. `keep`: what was told before stands where this says nothing."""
    at_hand = turn()
    if keep:
        before = at_hand.outcome
        reason, text = outcome.reason or before.reason, outcome.text or before.text
        outcome = replace(before, reason=reason, text=text, quiet=False, script=False)
    if outcome.token == PREVIEW_TOKEN:  # one for all: it tells no machine
        outcome = replace(outcome, token="")
    at_hand.outcome = outcome


def leave_to(other: File | Stream) -> None:
    """The view has nothing to say: `other` answers."""
    turn().instead = other
