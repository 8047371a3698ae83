"""What the transport is given: an application, called with a request, whose answer is a value."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from netprov.files.opened import OpenedFile
from netprov.http.outcome import UNTOLD, Outcome


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the application is to see it. Header names as they came; `path` decoded, `query` not."""

    method: str
    path: str
    query: str
    headers: Iterable[tuple[str, str]]
    body: bytes
    version: tuple[int, int]
    remote: tuple[str, int]
    local: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is at hand."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    outcome: Outcome = UNTOLD


@dataclass(frozen=True, slots=True)
class File:
    """A file is the answer, or the part of it that is asked for. `open` raises PathError where there is none.

    It is called in the loop's thread.
    """

    name: str
    open: Callable[[str], OpenedFile]
    outcome: Outcome = UNTOLD


class Listener(Protocol):
    """Who an answer that goes on is sent to. For the loop's thread."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """What is to be sent, as it comes."""

    def end(self) -> None:
        """Nothing more is to come: the client has gone, or the answer is over. May be called again."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that goes on until the client goes or the server stops; neither is a failure.

    `listen` is called in the loop's thread; None: too many listen already.
    """

    content_type: str
    listen: Callable[[], Listener | None]
    outcome: Outcome = UNTOLD


Answer = Reply | File | Stream


class Application(Protocol):
    """Answers the requests of one worker."""

    def at_once(self, path: str) -> File | None:
        """The file that `path` stands for, where that needs no thought. Called in the loop's thread."""

    def answer(self, call: Call) -> Answer:
        """Called in several threads at once, and may take its time. Raises only what is a mistake of ours."""

    def close(self) -> None:
        """The server stops: answers that go on end. Called in the loop's thread."""
