"""What holds for every test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from .e2e.served import Served
from .turns import Turns
from .verdicts.healthy import assert_verdicts

TURNS = pytest.StashKey[Turns]()
TOLD = pytest.StashKey[list[Callable[[], str]]]()
"""What is told at the end of the run."""

# a shared machine may take any time over one example: no test is about that
settings.register_profile("netprov", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("netprov")


def pytest_configure(config: pytest.Config) -> None:
    """Workers side by side (-n 2) have one folder above their own."""
    worker = hasattr(config, "workerinput")
    config.stash[TOLD] = []
    config.stash[TURNS] = Turns(Path(config.option.basetemp).parent / "turns" if worker else None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With -n 2 --dist loadfile a module stays with one worker, and all that boots guests too."""
    if config.getoption("dist") != "loadfile":
        return None
    from .side_by_side import Modules

    return Modules(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around all of a test, its timeout too: waiting for a turn takes none of its time."""
    turns = item.config.stash[TURNS]
    if not item.get_closest_marker("e2e"):
        return (yield)
    with turns.beside():
        if not item.get_closest_marker("alone"):
            return (yield)
        with turns.alone():
            return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = [tell() for tell in session.config.stash[TOLD]]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended: what it has to tell is told by who is over it."""
    node.config.stash[TOLD] += [lambda text=text: text for text in getattr(node, "workeroutput", {}).get("told", ())]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if told := config.stash[TOLD]:
        terminalreporter.section("told")
        terminalreporter.write_line("\n".join(tell() for tell in told))


@pytest.fixture(scope="session")
def turns(request: pytest.FixtureRequest) -> Turns:
    return request.config.stash[TURNS]


@pytest.fixture(scope="module", autouse=True)
def no_false_verdicts() -> Iterator[None]:
    """Of every boot before a module's servers, once these have ended: it has the verdicts its test declares, or none.

    It is set up before any fixture of the module's own, and so comes after their end.
    """
    del Served.to_judge[:]
    yield
    for served in Served.to_judge:
        assert_verdicts(served.config, served.troubled)
