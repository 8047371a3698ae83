"""What a reader of scripts notes on its way: what the loader passed over, or decided for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from netprov.errors import PeerError

_MOST = 200  # notes of one script
_LONGEST = 300  # characters of one: a script's own words are in it


class Notes:
    """Each once, in order."""

    def __init__(self) -> None:
        self._kept: dict[str, None] = {}

    def add(self, text: str) -> None:
        if len(self._kept) < _MOST:
            self._kept[text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"] = None

    def update(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.add(text)

    def all(self) -> tuple[str, ...]:
        return tuple(self._kept)

    @contextmanager
    def told(self) -> Iterator[None]:
        """A PeerError takes them with it (__notes__): they may be its cause."""
        try:
            yield
        except PeerError as error:
            for note in self._kept:
                error.add_note(note)
            raise
