"""Tests side by side: which worker has which, who is to be alone is, and nobody waits for ever."""

from __future__ import annotations

import fcntl
import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from .side_by_side import GUESTS, Modules
from .turns import Turns
from .world import PATIENCE, until

ROOT = Path(__file__).parents[1]
BOOTS = re.compile(r"\.guest\(|needs\(Firmware|Hall\(|played: Played|\*NETPROV, \"demo\"")


def test_what_boots_guests_is_for_one_worker() -> None:
    booting = {str(path.relative_to(ROOT)) for path in ROOT.glob("tests/*/test_*.py") if BOOTS.search(path.read_text())}
    assert booting
    assert booting <= set(GUESTS)
    for name in GUESTS:
        assert (ROOT / name.partition("::")[0]).exists(), name


def test_a_module_stays_together() -> None:
    scopes = [Modules._split_scope(None, name) for name in (  # type: ignore[arg-type]
        "tests/e2e/test_boots.py::test_installs[arm64]", "tests/docs/test_docs.py::test_tutorial",
        "tests/docs/test_docs.py::test_howto[vlans::x]", "tests/simulate/test_boots.py::test_a",
    )]  # fmt: skip
    assert scopes == ["guests", "guests", "tests/docs/test_docs.py", "tests/simulate/test_boots.py"]


class Worker:
    """Another worker: it has locks of its own."""

    def __init__(self, folder: Path) -> None:
        self.turns = Turns(folder)
        self.inside = False
        self._leave = threading.Event()

    def goes(self, turn: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        def run() -> None:
            with self.turns.beside(), turn():
                self.inside = True
                assert self._leave.wait(PATIENCE)
            self.inside = False

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def leaves(self) -> None:
        self._leave.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def held(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_those_side_by_side_do_not_wait(tmp_path: Path) -> None:
    workers = [Worker(tmp_path) for _ in range(3)]
    for worker in workers:
        worker.goes()
    until(lambda: all(worker.inside for worker in workers))
    for worker in workers:
        worker.leaves()


def test_alone_waits_for_those_inside_and_keeps_others_out(tmp_path: Path) -> None:
    first, alone, late = (Worker(tmp_path) for _ in range(3))
    first.goes()
    until(lambda: first.inside)
    alone.goes(alone.turns.alone)
    until(lambda: held(tmp_path / "door"))
    late.goes()
    assert (alone.inside, late.inside) == (False, False)
    first.leaves()
    until(lambda: alone.inside)
    assert not late.inside
    alone.leaves()
    until(lambda: late.inside)
    late.leaves()


def test_without_workers_nobody_waits() -> None:
    turns = Turns(None)
    with turns.beside(), turns.alone():
        pass
