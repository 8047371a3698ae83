"""A few threads for work that may block (SQL, templates), with its results fetched by the loop."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

Tag = TypeVar("Tag")
Result = TypeVar("Result")

THREADS = 4
QUEUED_MAX = 512  # jobs waiting: more would be answered only after their clients have given up


class Pool(Generic[Tag, Result]):
    """Runs callables; `fd` becomes readable when results wait. Threads start with the first job."""

    def __init__(self, threads: int = THREADS, queued: int = QUEUED_MAX) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._size = threads
        self._room = queued
        self._threads: list[Thread] = []
        self._jobs: SimpleQueue[tuple[Tag, Callable[[], Result]] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[Tag, Result | Exception]] = SimpleQueue()

    def submit(self, tag: Tag, job: Callable[[], Result]) -> bool:
        """Have `job` run; its result comes with `tag`. False: too many wait already."""
        if self._room <= 0:
            return False
        self._room -= 1
        if len(self._threads) < self._size:
            thread = Thread(target=self._work, name=f"tftp-render-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put((tag, job))
        return True

    def results(self) -> list[tuple[Tag, Result | Exception]]:
        """What has been done since the last call, an exception in the place of its job's result."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        done: list[tuple[Tag, Result | Exception]] = []
        with contextlib.suppress(Empty):
            while True:
                done.append(self._results.get_nowait())
        self._room += len(done)
        return done

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            tag, job = item
            try:
                self._results.put((tag, job()))
            except Exception as problem:  # whatever it is, the loop tells the client and the log
                self._results.put((tag, problem))
            os.eventfd_write(self.fd, 1)

    def close(self) -> list[tuple[Tag, Result | Exception]]:
        """End the threads once their jobs are done; what nobody fetched yet is returned.

        A thread that hangs longer than a second is left behind: it ends with the process.
        """
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(1.0)
        left = self.results()
        if not any(thread.is_alive() for thread in self._threads):
            os.close(self.fd)
        return left
