"""Simulated machines as processes: each has its own network namespace, and tells its stages through a pipe."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

from netprov.errors import PeerError
from netprov.simulate.machine import Machine
from netprov.simulate.stage import Boot, Ending, Stage
from netprov.simulate.wire import Wire, end_with_parent

Tell = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Errand:
    """One boot to simulate. `expected`: the loader it ought to be given; "" where none is known of.

    `callback`: it counts as a boot, to the installer's report of its end. `gives_back`: the lease is released.
    """

    machine: Machine
    timeout: float
    callback: bool = False
    expected: str = ""
    gives_back: bool = False


def simulate(errand: Errand, via: str, tell: Tell) -> Boot:
    """Simulates one boot at the interface `via`, telling each stage as it is over. Its last has an ending.

    Nothing is left on the host however it ends: not an interface, an address or a process.
    """
    running = _Running.start(errand, via)
    try:
        while running.read(tell):
            pass
        return running.boot()
    finally:
        running.close()


def simulate_many(errands: Iterable[Errand], via: str, at_once: int) -> Iterator[Boot]:
    """Simulates boots, `at_once` side by side, and yields each when it is over."""
    waiting = iter(errands)
    left = True
    with selectors.DefaultSelector() as selector:
        try:
            while left or selector.get_map():
                while left and len(selector.get_map()) < at_once:
                    errand = next(waiting, None)
                    left = errand is not None
                    if errand is not None:
                        running = _Running.start(errand, via)
                        selector.register(running.pipe, selectors.EVENT_READ, running)
                for key, _ in selector.select():
                    running = key.data
                    if not running.read(_silent):
                        selector.unregister(running.pipe)
                        boot = running.boot()
                        running.close()
                        yield boot
        finally:
            for key in list(selector.get_map().values()):
                key.data.close()


def _silent(_stage: Stage) -> None:
    """Nobody wants to know while it runs."""


class _Running:
    """One machine's process, seen from its parent."""

    def __init__(self, errand: Errand, pid: int, pipe: BinaryIO) -> None:
        self.pipe = pipe
        self._errand = errand
        self._pid = pid
        self._began = time.monotonic()
        self._stages: list[Stage] = []
        self._partial = b""

    @classmethod
    def start(cls, errand: Errand, via: str) -> _Running:
        _warm_up()
        read_end, write_end = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            _live(errand, via, write_end, parent)
        os.close(write_end)
        return cls(errand, pid, os.fdopen(read_end, "rb", buffering=0))

    def read(self, tell: Tell) -> bool:
        """Takes what the machine has told; False once there is no more to come."""
        data = self.pipe.read(1 << 16)
        if not data:
            return False
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            stage = Stage.of(json.loads(line))
            self._stages.append(stage)
            tell(stage)
        return True

    def boot(self) -> Boot:
        """The boot, once `read` has said that there is no more to come."""
        if not self._stages or self._stages[-1].ending is None:
            text = "the simulation itself ended unexpectedly"
            self._stages.append(Stage("end", "", problem=text, ending=Ending.STOPPED))
        machine = self._errand.machine
        seconds = time.monotonic() - self._began
        return Boot(machine.name, machine.mac, machine.kind.name, tuple(self._stages), seconds)

    def close(self) -> None:
        """Ends the process, and with it its namespace and its cable."""
        self.pipe.close()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _warm_up() -> None:
    """Imports in the parent what every child needs: scapy takes a while, and a fork has it for nothing."""
    import tftpy  # noqa: F401

    from netprov.simulate import walk  # noqa: F401


def _live(errand: Errand, via: str, write_end: int, parent: int) -> None:
    """The child: one boot, then its end. It never returns."""
    status = 1
    try:
        end_with_parent(parent)
        with os.fdopen(write_end, "wb", buffering=0) as pipe:
            for stage in _boot(errand, via):
                pipe.write(json.dumps(stage.row()).encode() + b"\n")
        status = 0
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # whoever started it has ended or will
    except BaseException:  # a forked child: nothing may go on in its parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _boot(errand: Errand, via: str) -> Iterator[Stage]:
    from netprov.simulate.address import release
    from netprov.simulate.walk import Walk

    try:
        wire = Wire.lay(via, errand.machine.mac)
    except PeerError as missing:
        yield Stage("address", f"a cable at {via}", problem=missing.text, ending=Ending.STOPPED)
        return
    machine = replace(errand.machine, preview=not errand.callback)
    walk = Walk(machine, wire, errand.timeout, callback=errand.callback, expected=errand.expected)
    last = None
    for stage in walk.stages():
        if last is not None:
            yield last
        last = stage
    if errand.gives_back and walk.address is not None:
        release(errand.machine, walk.address)
    wire.unplug()
    if last is not None:
        yield last
