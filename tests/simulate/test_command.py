"""The command: what it refuses before anything is sent, and how stages are shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from netprov.cli.simulate import simulate
from netprov.journal.verdicts import Verdict
from netprov.simulate import show
from netprov.simulate.stage import Boot, Ending, Stage

STAGES = (
    Stage(
        "address", "iPXE asks by DHCP", "10.0.0.5/24", notes=("a note",),
        details={"yiaddr": "10.0.0.5", "file": "a", "option 67": "a"},
    ),
    Stage("kernel", "http://h/k", "2.0 MB in 1.00 s", 1.0, 2_000_000, "ab" * 32, {"HTTP": "200", "args": "a=1 b"}),
    Stage("initrd", "http://h/\x1b[31mi", problem="not there" * 30, ending=Ending.STOPPED, verdict="G26"),
)  # fmt: skip


def run(tmp_path, *arguments):
    (tmp_path / "netprov.yaml").write_text("server: {state: state}\n")
    return CliRunner().invoke(simulate, [*arguments, "-c", str(tmp_path / "netprov.yaml")])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--via", "lo"], "name one machine, or give --all, or --storm N"),
        (["lady", "--all", "--via", "lo"], "name one machine, or give --all"),
        (["--all", "--callback", "--via", "lo"], "--callback is for one machine"),
        (["--storm", "501", "--via", "lo"], "501 is not in the range 1<=x<=500"),
        (["--storm", "0", "--via", "lo"], "0 is not in the range"),
        (["--timeout", "0", "lady", "--via", "lo"], "not in the range"),
        (["lady"], "Missing option '--via'"),
        (["lady", "--via", "nowhere0"], "there is no interface 'nowhere0'; this host has "),
        (["lady", "--via", "../lo"], "there is no interface '../lo'"),
        (["lady", "--via", "lo"], "lo is loopback, where no machine can be plugged in: give a bridge"),
        (["lady", "--via", "lo", "--arch", "sparc"], "'sparc' is not one of 'bios', 'ipxe', 'xen'"),
    ],
)
def test_what_cannot_be_simulated(tmp_path, arguments, words):
    done = run(tmp_path, *arguments)
    assert done.exit_code in (1, 2)
    assert words in done.output


def test_help_says_what_becomes_of_an_install():
    said = " ".join(CliRunner().invoke(simulate, ["--help"]).output.split())
    assert "An install is not disturbed: all is asked for as a preview" in said
    assert "Other servers cannot be told" in said
    assert "With --callback it is no preview: an armed install begins and ends" in said


def test_scapy_is_not_imported_for_the_help():
    code = "import sys, netprov.cli.simulate; sys.exit(any(m.split('.')[0] in ('scapy', 'tftpy') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_our_own_codecs_are_not_asked():
    """It would be no test of them: DHCP is scapy's here, and TFTP tftpy's.

    The configuration's options are encoded by the option table as they are read; the simulation uses nothing of it.
    """
    code = """
import pkgutil, sys
import netprov.cli.simulate, netprov.simulate
for module in pkgutil.iter_modules(netprov.simulate.__path__):
    __import__(f"netprov.simulate.{module.name}")
rooms = ("netprov.dhcp.", "netprov.tftp", "netprov.http")
used = {getattr(value, "__module__", None) or getattr(value, "__name__", None)
        for name, module in list(sys.modules.items()) if name.startswith("netprov.simulate")
        for value in vars(module).values()}
print(*(name for name in sys.modules if name.startswith(rooms)),
      *(name for name in used if isinstance(name, str) and name.startswith("netprov.dhcp")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


def test_stages_go_through_json():
    for stage in STAGES:
        assert Stage.of(json.loads(json.dumps(stage.row()))) == stage


def boot(ending=Ending.STOPPED, stages=STAGES, name="lady"):
    return Boot(name, "52:54:00:00:00:01", "ipxe", stages, 1.5)


def test_a_boot_as_json():
    row = boot().row()
    assert (row["machine"], row["ending"], row["octets"], row["seconds"]) == ("lady", "stopped", 2_000_000, 1.5)
    assert json.loads(json.dumps(row))["stages"][1]["details"]["args"] == "a=1 b"


def test_stages_on_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for stage in STAGES:
        show.stage(stage)
    show.ending(boot())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:8] == [
        "✓ address     iPXE asks by DHCP",
        "              10.0.0.5/24",
        "              yiaddr 10.0.0.5, file/option 67 a",
        "              a note",
        "✓ kernel      http://h/k",
        "              2.0 MB in 1.00 s  sha256 abababababababab…",
        "              HTTP 200",
        "              a=1 b",
    ]
    assert lines[8] == "✗ initrd      http://h/\\x1b[31mi"
    assert lines[-3:] == [
        "lady stops, 2.0 MB in 1.5 s",
        "✗ a file is missing  G26",
        "  The server's timeline of this machine tells more, and what to change: netprov timeline lady",
    ]
    assert max(map(len, lines[:9])) <= 80


def test_many_as_a_table(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    well = (STAGES[0], Stage("end", "", "the kernel starts", ending=Ending.BOOTS))
    show.table([boot(), boot(stages=well, name=""), boot(stages=(Stage("end", "", "no cable", ending=Ending.LOCAL),))])
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["machine", "firmware", "address", "MB", "s", "ends"]
    assert "stops: a file is missing  G26: initrd: not there" in said
    rows = [line.rstrip() for line in said.splitlines()]
    assert "52:54:00:00:00:01  ipxe      10.0.0.5  0.0  1.5  would boot" in rows
    assert "boots its own disk" in said


def test_a_mac_is_not_taken_for_a_picture(capsys):
    """rich makes a disc of :cd: in a plain string."""
    show.table([replace(boot(name=""), mac="02:cd:8d:c3:37:92")])
    assert "02:cd:8d:c3:37:92" in capsys.readouterr().out


def test_totals_of_a_storm(capsys):
    show.totals([boot(), boot(), boot(stages=(Stage("end", "", "x", ending=Ending.BOOTS),))], 2.0)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "1 × would boot, 2 × stops"
    assert said[1].startswith("3 machines in 2.0 s: 1.5 boots/s, 2.0 MB/s; a boot took 1.5 s (median), 1.5 s (longest)")
    assert said[2].startswith("    2 × a file is missing  G26: not there")


def test_the_servers_verdict_goes_before_the_machines_own(capsys):
    seen = Verdict("G5", "TFTP's data does not arrive", "error", "It heard\x1b[31m it.", "Open it:\n  tftp: {}", 0.0)
    stopped = replace(boot(), verdicts=(seen,))
    assert (stopped.verdict, boot().verdict) == ("G5", "G26")
    show.ending(stopped)
    said = capsys.readouterr().out
    assert "✗ TFTP's data does not arrive  G5" in said
    assert "→ Open it:" in said
    assert "\x1b" not in said
    assert json.loads(json.dumps(stopped.row()))["verdicts"][0]["advice"] == "Open it:\n  tftp: {}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_without_root(tmp_path):
    said = run(tmp_path, "lady", "--via", "eth0").output
    assert "needs root" in said or "there is no interface" in said
