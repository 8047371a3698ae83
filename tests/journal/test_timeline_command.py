"""netprov timeline, without a running server."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.boot.reason import Reason
from netprov.cli.timeline import timeline
from netprov.journal.event import Event, Kind

from .scenes import Machine, bios_pxelinux, ignored, keep

INVENTORY = """
server: {{state: {state}}}
distros: {{rescue: {{breed: generic, kernel: "http://x/vmlinuz"}}}}
profiles: {{p: {{distro: rescue}}}}
systems:
  lady: {{profile: p, hostname: lady.example.org, interfaces: {{eth0: {{mac: "00:16:3e:11:11:11"}}}}}}
  gentleman: {{profile: p, interfaces: {{eth0: {{mac: "00:16:3e:11:11:12"}}}}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "netprov.yaml").write_text(INVENTORY.format(state=tmp_path / "state"))
    return tmp_path / "netprov.yaml"


def _store(config: Path, *machines: Machine) -> None:
    keep(config.parent / "state" / "journal.db", *machines)


def _run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(timeline, ["-c", str(config), *arguments])


def test_no_journal_yet(config: Path) -> None:
    for arguments in ([], ["lady"], ["52:54:00:00:00:01"]):
        result = _run(config, *arguments)
        assert result.exit_code == 0, result.output
        assert "No boots yet" in result.output
        assert "netprov serve" in result.output
    assert json.loads(_run(config, "lady", "--json").output) == []
    assert not (config.parent / "state").exists()  # looking makes nothing


def test_a_machine_that_never_booted(config: Path) -> None:
    _store(config, bios_pxelinux(Machine()))
    result = _run(config, "gentleman")
    assert result.exit_code == 0
    assert "No boots of gentleman yet" in result.output
    assert "netprov explain gentleman" in result.output


@pytest.mark.parametrize("name", ["ladi", "Lady", "gentelman"])
def test_an_unknown_name(config: Path, name: str) -> None:
    _store(config, bios_pxelinux(Machine()))
    result = _run(config, name)
    assert result.exit_code == 1
    assert f"neither the inventory nor the journal knows '{name}'; did you mean" in result.output


@pytest.mark.parametrize("name", ["lady", "lady.example.org", "00:16:3E:11:11:11", "0016.3e11.1111"])
def test_one_machine(config: Path, name: str) -> None:
    _store(config, bios_pxelinux(bios_pxelinux(Machine()).wait(30.0)))
    result = _run(config, name)
    assert result.exit_code == 0, result.output
    assert "lady  00:16:3e:11:11:11  boot 2" in result.output
    assert re.search(r"^✓ address .*\n✓ loader .*pxelinux.0", result.output, re.MULTILINE)
    assert "boot 1," in _run(config, name, "--last", "2").output
    (boot,) = json.loads(_run(config, name, "--json").output)
    assert (boot["system"], boot["boot"]) == ("lady", 2)


def test_a_name_finds_what_was_heard_before_it_was_declared(config: Path) -> None:
    _store(config, ignored(Machine(system="")))
    assert "got nothing" in _run(config, "lady").output


def test_all_machines(config: Path) -> None:
    stranger = ignored(Machine(mac="52:54:00:99:99:99", ip="10.0.0.9", system="", at=Machine.at + 100))
    _store(config, bios_pxelinux(Machine()), stranger)
    lines = _run(config).output.splitlines()
    assert len(lines) == 4
    assert "lady" in lines[1]
    assert "✓ callback" in lines[1]
    assert "got nothing" in lines[2]
    assert lines[3].strip() == "not declared"
    assert len(json.loads(_run(config, "--json").output)) == 2
    assert len(json.loads(_run(config, "--json", "--last", "1").output)) == 1


def test_a_broken_journal_is_a_message(config: Path) -> None:
    (config.parent / "state").mkdir()
    (config.parent / "state" / "journal.db").write_text("nothing of the kind" * 100)
    result = _run(config, "lady")
    assert result.exit_code == 1
    assert "journal.db: the journal cannot be read" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["--last", "0"], ["--last", "x"], ["a", "b"], ["--no-such"]])
def test_wrong_usage(config: Path, arguments: list[str]) -> None:
    assert _run(config, *arguments).exit_code == 2


def _following(config: Path, *names: str) -> subprocess.Popen[bytes]:
    """`netprov timeline --follow --json`. Ctrl-C ends it also where whoever started the tests ignores that signal."""
    command = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from netprov.cli.timeline import timeline; timeline()"
    )
    words = [sys.executable, "-uc", command, "-c", str(config), *names, "--follow", "--json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _interrupted(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What else it says; it is gone in any case."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=30)
    finally:
        process.kill()


def test_follow(config: Path) -> None:
    """What comes is printed as it comes, of the machine asked for; from a journal that begins only then."""
    process = _following(config, "lady")
    assert process.stdout is not None
    out = process.stdout
    try:
        armed = Machine()
        armed.say(Kind.INSTALL, Reason.INSTALL_CHANGED, "armed", system="lady")
        while not select.select([out], [], [], 0.3)[0]:  # until it is up and has seen one
            _store(config, armed)
        stranger = ignored(Machine(mac="52:54:00:99:99:99", system="", ip="10.0.0.9"))
        _store(config, bios_pxelinux(Machine()), stranger)
        kinds = []
        while kinds[-1:] != ["http.done"]:
            event = json.loads(out.readline())
            assert event["system"] in ("lady", "")
            assert event["machine"] in ("", Machine.mac)
            kinds.append(event["kind"])
            if len(kinds) > 100:
                break
        assert kinds[0] == "install"
        assert "dhcp.ack" in kinds
        assert "dhcp.drop" not in kinds
    finally:
        _, errors = _interrupted(process)
    assert process.returncode == 0
    assert errors == b""


def test_events_of_nobody_are_nobodys_boot(config: Path) -> None:
    machine = Machine()
    machine.events.append(Event(machine.at, Kind.SERVER, Reason.SERVER_STARTED, "serves"))
    _store(config, machine)
    assert "No boots yet" in _run(config).output


def test_follow_tells_a_verdict_once(config: Path) -> None:
    process = _following(config)
    assert process.stdout is not None
    machine = Machine()
    try:
        for _ in range(4):
            machine.dhcp(Kind.DHCP_OFFER, "firmware", "shimx64.efi", machine.ip)
            machine.wait(4.0)
        lines: list[dict[str, object]] = []
        armed = Machine()
        armed.say(Kind.INSTALL, Reason.INSTALL_CHANGED, "armed", system="lady")
        while not select.select([process.stdout], [], [], 0.3)[0]:  # until it is up and has seen one
            _store(config, armed)
        _store(config, machine)
        while not any("verdict" in line for line in lines):
            lines.append(json.loads(process.stdout.readline()))
        (told,) = [line for line in lines if "verdict" in line]
        assert told["machine"] == Machine.mac
        assert told["verdict"]["id"] == "G1"  # type: ignore[index]
        assert not select.select([process.stdout], [], [], 2.5)[0]
    finally:
        _interrupted(process)
    assert process.returncode == 0


def test_why_nothing_was_heard(config: Path) -> None:
    """The subnet of a declared machine is silent: what a relay needs."""
    text = config.read_text().replace("distros:", "dhcp: {subnets: [{subnet: 10.88.0.0/24}]}\ndistros:")
    config.write_text(text.replace('mac: "00:16:3e:11:11:12"', 'mac: "00:16:3e:11:11:12", ip: 10.88.0.5/24'))
    _store(config, bios_pxelinux(Machine()))
    result = _run(config, "gentleman")
    assert "No boots of gentleman yet" in result.output
    assert "ip helper-address" in result.output
