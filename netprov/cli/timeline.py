"""netprov timeline: every boot, stage by stage."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from netprov.cli.options import config_option, load_inventory
from netprov.cli.packets import write_packets
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory
from netprov.journal.boots import Boot
from netprov.journal.correlate import Placed
from netprov.journal.export import as_json, event_object, verdict_object
from netprov.journal.fact import BY
from netprov.journal.show import boot_text, event_text, overview, verdict_text
from netprov.journal.timeline import Timeline, addresses, keys
from netprov.journal.verdicts import Context, Heard, Judged, Verdict, absence, judge
from netprov.mac import Mac
from netprov.state.place import Place
from netprov.text import escape

_POLL = 0.2  # seconds
_JUDGE = 2.0  # seconds between two looks for verdicts
_CHANGES = 5  # of the install, shown beneath the boots
_WATCHED = 900.0  # seconds after a machine's last event; no rule waits longer


@click.command()
@click.argument("machine", required=False, metavar="[NAME|MAC]")
@click.option("--last", type=click.IntRange(1, 10_000), help="How many boots: 1 of a machine, 20 of all by default.")
@click.option("--follow", is_flag=True, help="Go on with what happens from now, until interrupted.")
@click.option("--json", "json_", is_flag=True, help="As JSON; with --follow one object per line.")
@click.option(
    "-v", "--verbose", is_flag=True, help="With every line of the machine's own log (syslog), not only the last."
)
@click.option("--pcap", metavar="FILE", help="Write their packets to FILE for Wireshark, - for standard output.")
@config_option
def timeline(
    machine: str | None,
    last: int | None,
    follow: bool,
    json_: bool,
    verbose: bool,
    pcap: str | None,
    config: Path,
) -> None:
    """Show the boots of a machine stage by stage, or of all machines, one line each.

    Where one went wrong it says why, and what to change. Needs no running server. With --pcap it writes what was said
    by DHCP, TFTP and HTTP (the heads), without secrets; for that the server keeps packets: server.capture.
    """
    if pcap is not None and (follow or json_):
        raise click.UsageError("--pcap goes with neither --follow nor --json")
    inventory = load_inventory(config)
    place = Place(inventory.settings.server.state)
    try:
        with Timeline(place.journal) as journal:
            names = _names(machine, inventory) if machine else []
            boots = journal.boots(names, last or 1) if machine else journal.recent(last or 20)
            if machine and not boots:
                _known(machine, names, inventory, journal)
            if pcap is not None:
                write_packets(boots, inventory, pcap)
            elif follow:
                _follow(journal, inventory, boots, names, json_, verbose)
            elif json_:
                click.echo(as_json(_judged(boots, inventory)))
            elif boots:
                _print(_judged(boots, inventory), one_machine=bool(machine), log=verbose)
                _print_changes(names, inventory, journal, boots[0].started)
            else:
                click.echo(_nothing(machine, place.journal))
                _print_absence(names, inventory, journal)
                _print_changes(names, inventory, journal, 0.0)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def _names(machine: str, inventory: Inventory) -> list[str]:
    """What the journal may know the machine by: a system also by the MACs it is declared with, and the other way."""
    names = keys(machine)
    for name in list(names):
        system = inventory.system(name) or inventory.system_by_hostname(name)
        if system is not None:
            names.append(system.name)
            names += [interface.mac for interface in system.interfaces if interface.mac]
    return list(dict.fromkeys(names))


def _known(machine: str, names: Sequence[str], inventory: Inventory, journal: Timeline) -> None:
    """End the command where neither the inventory nor the journal knows the machine; suggest the nearest names."""
    declared = any(inventory.system(name) or inventory.system_by_mac(Mac(name)) for name in names)
    if declared or addresses(machine):
        return
    known = dict.fromkeys([*(system.name for system in inventory.systems()), *journal.names()])
    near = difflib.get_close_matches(machine, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise click.ClickException(f"neither the inventory nor the journal knows {machine!r}{hint}")


def _nothing(machine: str | None, path: Path) -> str:
    if not path.exists():
        return f"No boots yet: there is no journal at {path}. Start the server with netprov serve."
    if machine is None:
        return "No boots yet. Switch a machine on that boots from the network; netprov check shows whether it would."
    return (
        f"No boots of {machine} yet: it has not contacted this server. Check that it boots from the network, in this "
        f"server's network or behind a relay; netprov explain {machine} shows what it would get."
    )


def _judged(boots: Sequence[Boot], inventory: Inventory) -> list[Judged]:
    return judge(boots, Context.of(inventory, time.time()))


def _print(judged: Sequence[Judged], one_machine: bool, log: bool) -> None:
    console = Console(highlight=False)
    if not one_machine:
        console.print(overview(judged))
        return
    for number, (boot, found) in enumerate(judged):
        if number:
            console.print()
        console.print(boot_text(boot, found, log=log))


def _print_changes(names: Sequence[str], inventory: Inventory, journal: Timeline, since: float) -> None:
    """What operators did with the machine's install since the first boot shown, or ever: it is part of no boot."""
    found = [
        event
        for name in names
        if inventory.system(name) is not None
        for event in journal.changes(name, _CHANGES)
        if event.at >= since
    ]
    if found:
        click.echo("\nBy hand:")
    for event in found:
        by = event.fact(BY)
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at))
        click.echo(f"  {at}  {escape(event.text, 400)}{escape(f' ({by})', 200) if by else ''}")


def _print_absence(names: Sequence[str], inventory: Inventory, journal: Timeline) -> None:
    """Why nothing was heard of a declared system, where that can be said."""
    console = Console(highlight=False)
    for name in names:
        system = inventory.system(name)
        if system is not None:
            context = Context.of(inventory, time.time())
            for verdict in absence(system, inventory, Heard(journal.heard()), context):
                console.print()
                console.print(verdict_text(verdict))


def _follow(
    journal: Timeline, inventory: Inventory, boots: Sequence[Boot], names: Sequence[str], json_: bool, log: bool
) -> None:
    """Print what is new until interrupted, and each verdict once it can be given."""
    seen = journal.newest()
    judged = _judged(boots, inventory)
    told = Told({(boot.machine, boot.number, verdict.id) for boot, found in judged for verdict in found})
    if judged and not json_:
        _print(judged, one_machine=bool(names), log=log)
    try:
        while True:
            if journal.reopened():
                seen = 0
            for id, placed in journal.after(seen):
                seen = id
                if not names or placed.machine in names or placed.event.system in names:
                    _print_event(placed, json_)
                    told.watch(placed.machine, time.monotonic())
            for boot, verdict in told.news(journal, inventory, time.monotonic()):
                _print_verdict(boot, verdict, json_)
            time.sleep(_POLL)
    except KeyboardInterrupt:
        return


class Told:
    """The verdicts that were told already, and the machines that may get others: a silence is a sign, too."""

    def __init__(self, told: set[tuple[str, int, str]]) -> None:
        self._told = told
        self._watched: dict[str, float] = {}
        self._judged = 0.0

    def watch(self, machine: str, now: float) -> None:
        if machine:
            self._watched[machine] = now

    def news(self, journal: Timeline, inventory: Inventory, now: float) -> Iterator[tuple[Boot, Verdict]]:
        """The new ones; looks every _JUDGE seconds."""
        if now - self._judged < _JUDGE:
            return
        self._judged = now
        self._watched = {machine: at for machine, at in self._watched.items() if now - at < _WATCHED}
        if not self._watched:
            return
        for boot, found in _judged(journal.latest_boots([*self._watched]), inventory):
            for verdict in found:
                key = (boot.machine, boot.number, verdict.id)
                if key not in self._told:
                    self._told.add(key)
                    yield boot, verdict


def _print_verdict(boot: Boot, verdict: Verdict, json_: bool) -> None:
    if json_:
        shown = {"machine": boot.machine, "boot": boot.number, "verdict": verdict_object(verdict, boot.started)}
        click.echo(json.dumps(shown))
        return
    console = Console(highlight=False)
    console.print(Text(escape(boot.system or boot.machine), "bold"))
    console.print(verdict_text(verdict))


def _print_event(placed: Placed, json_: bool) -> None:
    if json_:
        shown = {"machine": placed.machine, "boot": placed.boot, **event_object(placed.event, placed.event.at)}
        click.echo(json.dumps(shown))
        return
    Console(highlight=False).print(event_text(placed))
