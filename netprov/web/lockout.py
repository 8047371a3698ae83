"""Slows down who guesses passwords. Sans-IO: `now` is monotonic seconds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

FIRST_WAIT = 2.0
LONGEST_WAIT = 60.0  # seconds: who mistypes is never locked out for long, a guesser gets one try a minute
FORGOTTEN = 900.0  # seconds without a failure
REMEMBERED = 4096  # names and addresses at once


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0


class Lockout:
    """Counts the failures of a key (an address, a user's name); after `free_tries` in a row it has to wait.

    Threads may share it.
    """

    def __init__(self, free_tries: int) -> None:
        self._free_tries = free_tries
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: str, now: float) -> float:
        """Seconds until the key may try again; 0: now."""
        with self._lock:
            seen = self._failures.get(key)
            if seen is None or seen.count < self._free_tries:
                return 0.0
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(seen.count - self._free_tries, 10))
            return max(0.0, seen.last + wait - now)

    def failed(self, key: str, now: float) -> None:
        with self._lock:
            seen = self._failures.get(key)
            if seen is None or now - seen.last > FORGOTTEN:
                seen = self._failures[key] = _Failures()
            seen.count += 1
            seen.last = now
            self._failures.move_to_end(key)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)
