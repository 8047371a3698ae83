"""The demo's part that runs in its own network namespace; `netprov demo` starts it with a plan as its argument."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from rich.console import Console

from netprov.demo.plan import Plan
from netprov.demo.run import DemoFailed, run

INTERRUPTED = 130  # as shells say of what ^C ended


def main(plan: Plan) -> int:
    """The exit status: 0 where every guest was installed."""
    console = Console(highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return 0 if run(plan, console) else 1
    except DemoFailed as error:
        console.print(f"netprov: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted: the guests, the server and their network are gone.")
        return INTERRUPTED


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(Plan.from_json(sys.argv[1])))
