"""The supervisor: starts the workers, starts those anew that die, hands out new generations, stops them all.

It serves nothing itself, so nothing that a client sends can reach it.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping

from netprov.boot.reason import Reason
from netprov.inventory.generation import Reloader
from netprov.inventory.model import Inventory
from netprov.inventory.watch import Watcher
from netprov.journal.event import Event, Kind
from netprov.serve import handout
from netprov.serve.sockets import bound_settings
from netprov.serve.worker import Role, Worker, spawn

log = logging.getLogger("netprov")

DRAIN = 10.0  # seconds that transfers under way get when the server is stopped
_QUICK_DEATH = 5.0  # seconds; a worker that dies sooner than this waits before it is started again
_LONGEST_WAIT = 10.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Supervisor:
    """Runs `roles` (by worker name) until SIGTERM or SIGINT.

    `last` are the roles that outlive the others (the journal hears of the others' end). `ready` is called once, when
    every worker has said that it serves.
    """

    def __init__(
        self,
        roles: Mapping[str, Role],
        reloader: Reloader,
        record: Callable[[Event], None],
        ready: Callable[[], None],
        last: tuple[str, ...] = (),
    ) -> None:
        self._roles = roles
        self._reloader = reloader
        self._record = record
        self._ready = ready
        self._last = last
        self._workers: dict[str, Worker] = {}
        self._deaths: dict[str, int] = {}
        self._due: dict[str, float] = {}  # when a dead worker is to be started again
        self._stopping = False
        self._announced = False
        self._selector = selectors.DefaultSelector()
        self._watcher: Watcher | None = None

    @property
    def _inventory(self) -> Inventory:
        assert self._reloader.inventory is not None
        return self._reloader.inventory

    def run(self) -> None:
        """Serve until told to stop; then drain and return."""
        readable, writable = socket.socketpair()
        for end in (readable, writable):
            end.setblocking(False)
        signal.set_wakeup_fd(writable.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._selector.register(readable, selectors.EVENT_READ, "signals")
        self._watcher = self._watch()
        for name in self._roles:
            self._start(name)
        try:
            while not self._stopping:
                self._round(readable)
        finally:
            self._stop()
            signal.set_wakeup_fd(-1)
            readable.close()
            writable.close()

    def _round(self, signals: socket.socket) -> None:
        now = time.monotonic()
        wait = min((due - now for due in self._due.values()), default=60.0)
        for key, _ in self._selector.select(max(0.0, wait)):
            if key.data == "signals":
                self._on_signals(signals.recv(1024))
            elif key.data == "files":
                assert self._watcher is not None
                if self._watcher.changed():
                    self._reload()
            else:
                self._on_worker(str(key.data))
        now = time.monotonic()
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            self._start(name)

    def _on_signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stopping = True
            elif number == signal.SIGHUP:
                self._reload()
            elif number == signal.SIGCHLD:
                self._reap()

    # workers

    def _start(self, name: str) -> None:
        closing = [worker.control for worker in self._workers.values()]
        worker = spawn(name, self._roles[name], self._inventory.settings.server.user, closing, time.monotonic())
        self._workers[name] = worker
        self._selector.register(worker.control, selectors.EVENT_READ, name)

    def _on_worker(self, name: str) -> None:
        worker = self._workers.get(name)
        if worker is None:  # its end was noticed in the same round
            return
        try:
            message = worker.control.recv(16)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if message == handout.READY:
            worker.ready = True
            if not self._announced and all(w.ready for w in self._workers.values()):
                self._announced = True
                self._tell(Kind.SERVER, Reason.SERVER_STARTED, f"serves {', '.join(self._workers)}")
                self._ready()
        elif not message:  # it closed its end: it is dying, and SIGCHLD follows
            self._selector.unregister(worker.control)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, worker in list(self._workers.items()):
                if worker.pid == pid:
                    self._forget(name)
                    if not self._stopping:
                        self._restart(worker, status)

    def _forget(self, name: str) -> None:
        worker = self._workers.pop(name)
        if worker.control in self._selector.get_map():
            self._selector.unregister(worker.control)
        worker.control.close()

    def _restart(self, worker: Worker, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        now = time.monotonic()
        quick = now - worker.started < _QUICK_DEATH
        deaths = self._deaths.get(worker.name, 0) + 1 if quick else 0
        self._deaths[worker.name] = deaths
        wait = min(_LONGEST_WAIT, 0.1 * 2**deaths) if deaths > 1 else 0.0
        self._due[worker.name] = now + wait
        text = f"the {worker.name} worker ended by {how}; it is started again" + (f" in {wait:.1f} s" if wait else "")
        log.error("%s", text, extra={"reason": Reason.WORKER_DIED})
        self._tell(Kind.SERVER, Reason.WORKER_DIED, text)

    # generations

    def _watch(self) -> Watcher | None:
        try:
            watcher = Watcher(self._reloader.files)
        except OSError as problem:
            log.warning("edits are not noticed automatically (%s): send the server SIGHUP", problem.strerror)
            return None
        self._selector.register(watcher, selectors.EVENT_READ, "files")
        return watcher

    def _follow(self) -> None:
        """Watch what the last load read, good or bad."""
        if self._watcher is None:
            return
        try:
            self._watcher.update(self._reloader.files)
        except OSError as problem:
            log.warning("edits may go unnoticed (%s): send the server SIGHUP", problem.strerror)

    def _reload(self) -> None:
        before = self._inventory
        after = self._reloader.reload()
        self._follow()
        if after is None:
            problems = self._reloader.problems
            refused = {"reason": Reason.INVENTORY_REFUSED}
            for problem in problems:
                log.error("%s", problem, extra=refused)
            text = f"{len(problems)} problems: generation {before.generation} goes on serving; first: {problems[0]}"
            number = before.generation
            log.error("the edited inventory is refused: generation %d goes on serving", number, extra=refused)
            self._tell(Kind.INVENTORY, Reason.INVENTORY_REFUSED, text)
            return
        memory = handout.packed(after)
        try:
            for worker in self._workers.values():
                worker.hand(memory)
        finally:
            os.close(memory)
        text = f"generation {after.generation}: {after.summary}"
        log.info("%s", text, extra={"reason": Reason.INVENTORY_LOADED})
        self._tell(Kind.INVENTORY, Reason.INVENTORY_LOADED, text)
        changed = bound_settings(before.settings) ^ bound_settings(after.settings)
        if changed:
            names = ", ".join(sorted({name for name, _ in changed}))
            log.warning("changed, and takes effect only after a restart: %s", names)

    def _tell(self, kind: Kind, reason: Reason, text: str) -> None:
        self._record(Event(time.time(), kind, reason, text=text))

    # the end

    def _stop(self) -> None:
        self._stopping = True
        log.info("stops", extra={"reason": Reason.SERVER_STOPPED})
        self._tell(Kind.SERVER, Reason.SERVER_STOPPED, "stops")
        self._end([w for w in self._workers.values() if w.name not in self._last], DRAIN + 2.0)
        self._end([w for w in self._workers.values() if w.name in self._last], 5.0)
        if self._watcher is not None:
            self._watcher.close()

    def _end(self, workers: list[Worker], patience: float) -> None:
        for worker in workers:
            _kill(worker.pid, signal.SIGTERM)
        until = time.monotonic() + patience
        for worker in workers:
            while not _gone(worker.pid) and time.monotonic() < until:
                time.sleep(0.01)
            if not _gone(worker.pid):
                log.error("the %s worker does not stop: killed", worker.name)
                _kill(worker.pid, signal.SIGKILL)
                os.waitpid(worker.pid, 0)
            self._forget(worker.name)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _gone(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
