"""The demo in its namespace: bridge, server, guests, and what came of them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from netprov.demo import report
from netprov.demo.board import LiveBoard, PlainBoard
from netprov.demo.guests import Watched, outcomes, until_settled
from netprov.demo.plan import Plan, configuration
from netprov.inventory.load import load
from netprov.journal.timeline import Timeline
from netprov.lab.accel import Accelerators
from netprov.lab.lab import ADDRESS, BRIDGE, Lab, here
from netprov.state.place import Place

_SERVES = re.compile(r"^netprov: serves ", re.MULTILINE)
_START = 60.0  # seconds; a busy machine takes several to start Python five times


class DemoFailed(Exception):
    """The demo cannot go on; the text says why."""


def run(plan: Plan, console: Console) -> bool:
    """Boot the plan's guests and show it. Whether all were installed, with the kickstart that netprov renders.

    To be called in a network namespace of its own. Raises DemoFailed where not even a guest could be started.
    """
    plan.config.write_text(configuration(plan))
    with here(plan.folder, Accelerators({plan.firmware: plan.kvm})) as lab:
        report.done(console, "private network", f"bridge {BRIDGE}, {ADDRESS}/24; nothing leaves this machine")
        server, log = _serve(plan, lab, console)
        report.configuration(console, plan)
        watched = _switch_on(plan, lab)
        _say_who(plan, console)
        state = Place(load(plan.config).settings.server.state)
        with Timeline(state.journal) as timeline:
            board = LiveBoard(console) if console.is_terminal else PlainBoard(console)
            with board:
                for _ in until_settled(watched, timeline, plan.quiet):
                    board.show(watched)
                    time.sleep(0.1)
                board.show(watched, over=True)
            _wait_off(watched)
            for one in watched:
                one.look(timeline, time.monotonic())
        lab.stop(server)
        ended = outcomes(plan, watched)
        return report.outcomes(console, plan, ended, log)


def _serve(plan: Plan, lab: Lab, console: Console) -> tuple[subprocess.Popen[bytes], Path]:
    """Start the server; returns once it serves."""
    log, began = plan.folder / "netprov.log", time.monotonic()
    process = lab.spawn([sys.executable, "-m", "netprov", "serve", "-c", str(plan.config)], log)
    with report.working(console, "netprov serve"):
        while not _SERVES.search(log.read_text()):
            if process.poll() is not None or time.monotonic() - began > _START:
                raise DemoFailed(f"netprov serve does not start; it said:\n{log.read_text().strip()}")
            time.sleep(0.02)
    report.done(console, "netprov serve", f"DHCP, TFTP and HTTP answer after {time.monotonic() - began:.1f} s")
    return process, log


def _switch_on(plan: Plan, lab: Lab) -> list[Watched]:
    watched = []
    for name, mac in plan.machines.items():
        guest = lab.guest(plan.firmware, mac)
        watched.append(Watched(name, guest.power_on(), time.time(), news_at=time.monotonic()))
    return watched


def _say_who(plan: Plan, console: Console) -> None:
    names = list(plan.machines)
    who = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    how = "KVM" if plan.kvm else "TCG, without KVM"
    rest = "; it boots from the network" if len(names) == 1 else ""
    console.print(Text.assemble((who, "bold"), f"  {plan.kind} in QEMU ({how}), switched on{rest}"))
    console.print()


def _wait_off(watched: list[Watched]) -> None:
    """A guest that has reported is about to power off: one that is cut short has not said its last."""
    deadline = time.monotonic() + 15
    while any(one.called_back and one.guest.running() for one in watched) and time.monotonic() < deadline:
        time.sleep(0.05)
