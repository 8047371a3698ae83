"""What the demo says, but for the guests' progress."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from netprov.demo.board import BAD, DONE
from netprov.demo.guests import Outcome
from netprov.demo.plan import Plan
from netprov.journal.show import boot_text

_WIDTH, _INDENT = 17, 4  # columns


def title(console: Console) -> None:
    text = Text.assemble(("netprov demo", "bold"), "  a machine boots from the network, all of it on this one")
    console.print()
    console.print(text)
    console.print()


def done(console: Console, what: str, how: str) -> None:
    console.print(Text.assemble(DONE, f" {what:{_WIDTH}} ", (how, "dim")), soft_wrap=not console.is_terminal)


@contextmanager
def working(console: Console, what: str) -> Iterator[None]:
    """A spinner while the block runs; nothing where the output is no terminal."""
    if not console.is_terminal:
        yield
        return
    with console.status(what, spinner="dots", spinner_style="cyan"):
        yield


@contextmanager
def progress(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """The same, with a function that says what is being done; a line each where the output is no terminal."""
    if not console.is_terminal:
        yield lambda text: console.print(f"  {text}", markup=False, soft_wrap=True)
        return
    with console.status(what, spinner="dots", spinner_style="cyan") as status:
        yield lambda text: status.update(Text(f"{what}: {text}", overflow="ellipsis", no_wrap=True))


def configuration(console: Console, plan: Plan) -> None:
    console.print()
    heading(console, "The configuration", str(plan.config))
    _block(console, _coloured(plan.config.read_text(), "yaml"))
    console.print()


def outcomes(console: Console, plan: Plan, ended: Sequence[Outcome], log: Path) -> bool:
    """The end of it all: the first guest's timeline and kickstart, a verdict on each. Whether all is well."""
    console.print()
    first = next((outcome for outcome in ended if not outcome.installed), ended[0])
    name = first.watched.name
    if first.watched.boot is not None:
        heading(console, f"The timeline of {name}", f"netprov timeline {name}")
        console.print(Padding(boot_text(first.watched.boot), (0, 0, 0, _INDENT), expand=False))
        console.print()
    if first.installed:
        heading(console, f"The kickstart of {name}", f"netprov render autoinstall {name}")
        _block(console, _coloured(first.kickstart.decode(), "bash"))
        console.print()
    for outcome in ended:
        _verdict(console, outcome)
    if not all(outcome.installed for outcome in ended):
        _why(console, first, log)
    return all(outcome.installed and outcome.same for outcome in ended)


def _verdict(console: Console, outcome: Outcome) -> None:
    watched = outcome.watched
    name = (watched.name, "bold")
    if not outcome.installed:
        last = [stage.name for stage in watched.stages if stage.state == "done"]
        where = f"it got as far as: {last[-1]}" if last else "it has not contacted this server"
        console.print(Text.assemble(BAD, " ", name, f" is not installed; {where}"))
        return
    took = watched.after(watched.stages[-1].at)
    console.print(Text.assemble(DONE, " ", name, f" is installed, {took:.1f} s after it was switched on"))
    if outcome.same:
        text = f"the kickstart it fetched is the one netprov renders: sha256 {outcome.said[:16]}…"
        console.print(Text.assemble(DONE, " ", text))
    else:
        said = outcome.said or "none"
        text = f"its console names the sha256 {said}, netprov renders {outcome.sent}: not the same kickstart"
        console.print(Text.assemble(BAD, " ", text))


def _why(console: Console, outcome: Outcome, log: Path) -> None:
    console.print()
    heading(console, f"The console of {outcome.watched.name}", "its last lines")
    _block(console, Text(outcome.watched.guest.console.tail(15) or "nothing"))
    console.print()
    heading(console, "netprov's log", "its last lines")
    _block(console, Text("\n".join(log.read_text().splitlines()[-15:])))
    console.print()
    console.print("With --keep all of it stays, to look around in.", style="dim")


def kept(console: Console, plan: Plan) -> None:
    """How to look around in a folder that stays."""
    name, netprov = next(iter(plan.machines)), _netprov()
    console.print()
    heading(console, "Kept, to look around", "")
    lines = [f"export NETPROV_CONFIG={shlex.quote(str(plan.config))}"]
    lines += [f"{netprov} {what}" for what in (f"timeline {name}", f"explain {name}", "system status", "leases")]
    _block(console, Text("\n".join(lines)))
    console.print()


def onwards(console: Console) -> None:
    console.print()
    console.print("More of it: --uefi, --guests 4, --keep. A machine of your own: docs/tutorial.md.", style="dim")
    console.print()


def heading(console: Console, what: str, how: str) -> None:
    console.print(Text.assemble((what, "bold"), "  ", (how, "dim")), soft_wrap=not console.is_terminal)
    console.print()


def _netprov() -> str:
    """The command as the user typed it."""
    if sys.argv[0].endswith("__main__.py"):
        return f"{shlex.quote(sys.executable)} -m netprov"
    return "netprov" if shutil.which("netprov") == sys.argv[0] else shlex.quote(sys.argv[0])


def _coloured(text: str, language: str) -> Text:
    return Syntax(text, language, theme="ansi_dark", background_color="default").highlight(text.rstrip())


def _block(console: Console, text: Text) -> None:
    """Indented; lines stay whole where the output is no terminal."""
    text.rstrip()
    text.no_wrap, text.overflow = False, "fold"
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, _INDENT), expand=False))
    else:
        for line in text.split():
            console.print(" " * _INDENT + line.plain if line.plain else "", soft_wrap=True, markup=False)
