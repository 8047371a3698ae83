"""One worker process: forked from the supervisor, told of new generations, told to stop."""

from __future__ import annotations

import logging
import os
import pwd
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from netprov.inventory.model import Inventory
from netprov.serve import handout

log = logging.getLogger("netprov")


class Running(Protocol):
    """What a role makes in its process: a loop that a signal ends, and that takes new generations."""

    def run(self) -> None: ...

    def stop(self) -> None: ...

    def update(self, inventory: Inventory) -> None: ...


Role = Callable[[], Running]
"""Called in the new process; opens there what must not cross a fork (databases), and returns what runs."""


@dataclass(slots=True)
class Worker:
    """A worker as the supervisor knows it."""

    name: str  # "dhcp", "tftp-1"
    pid: int
    control: socket.socket
    started: float  # monotonic seconds
    ready: bool = False

    def hand(self, memory: int) -> None:
        """Pass on a packed generation; a worker that is just dying gets it when it is started anew."""
        try:
            handout.hand(self.control, memory)
        except OSError as problem:
            log.warning("%s could not be handed the new inventory: %s", self.name, problem)


def spawn(name: str, role: Role, user: str, closing: Iterable[socket.socket], now: float) -> Worker:
    """Start a worker. `closing` are the supervisor's ends of the other workers' control sockets: were they left open
    in the new process, nobody would notice the supervisor's end.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        theirs.close()
        ours.setblocking(False)
        return Worker(name, pid, ours, now)
    code = 1
    try:
        ours.close()
        for other in closing:
            other.close()
        code = _be(name, role, user, theirs)
    except BaseException:  # a forked child: nothing may go on in its parent's code
        log.exception("%s ended by an error", name)
    finally:
        logging.shutdown()
        os._exit(code)


def _be(name: str, role: Role, user: str, control: socket.socket) -> int:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor's to answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C reaches the whole group: the supervisor decides
    if user:
        become(user)
    running = role()
    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    threading.Thread(target=_follow, args=(control, running), name="control", daemon=True).start()
    control.send(handout.READY)
    running.run()
    return 0


def _follow(control: socket.socket, running: Running) -> None:
    while (inventory := handout.receive(control)) is not None:
        running.update(inventory)
    os.kill(os.getpid(), signal.SIGTERM)  # the supervisor is gone; nothing would start a new one


def become(user: str) -> None:
    """Give up root for `user`, for good. Does nothing for who is not root."""
    if os.geteuid() != 0:
        return
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
