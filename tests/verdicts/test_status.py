"""netprov status: a line a machine, without a running server."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.boot.install import UNDECLARED, Arm, Boot, Done
from netprov.cli.status import age, status
from netprov.state.state import open_state
from tests.journal.scenes import Machine, bios_pxelinux, ignored, keep

INVENTORY = """
server: {{state: {state}, address: 192.168.77.1}}
dhcp: {{mode: full, subnets: [{{subnet: 192.168.77.0/24}}, {{subnet: 10.88.0.0/24}}]}}
distros: {{rescue: {{breed: generic, kernel: "http://x/vmlinuz"}}}}
profiles: {{p: {{distro: rescue}}}}
systems:
  lady:
    profile: p
    install: install-once
    hostname: lady.example.org
    interfaces: {{eth0: {{mac: "00:16:3e:11:11:11"}}}}
  tramp: {{profile: p, interfaces: {{eth0: {{mac: "00:16:3e:11:11:12", ip: 192.168.77.5/24}}}}}}
  far: {{profile: p, install: always, interfaces: {{eth0: {{mac: "00:16:3e:11:11:13", ip: 10.88.0.5/24}}}}}}
"""
NOW = time.time()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "netprov.yaml").write_text(INVENTORY.format(state=tmp_path / "state"))
    return tmp_path / "netprov.yaml"


def run(config: Path, *arguments: str, columns: str = "200") -> Result:
    return CliRunner().invoke(status, ["-c", str(config), *arguments], env={"COLUMNS": columns})


def rows(config: Path, *arguments: str) -> dict[str, dict[str, object]]:
    result = run(config, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return {row["system"] or row["machine"]: row for row in json.loads(result.output)}


def stranger(before: float) -> Machine:
    return ignored(Machine(mac="52:54:00:99:99:99", ip="", system="", at=NOW - before))


def test_nothing_yet(config: Path) -> None:
    found = rows(config)
    assert {name: (row["state"], row["boot"], row["since"]) for name, row in found.items()} == {
        "lady": ("armed", None, None), "tramp": ("local", None, None), "far": ("always", None, None)
    }  # fmt: skip
    assert run(config).output.count("never seen") == 3
    assert not (config.parent / "state").exists()  # looking makes nothing


def test_where_machines_are(config: Path) -> None:
    machines = (bios_pxelinux(Machine(at=NOW - 500)), stranger(3600), stranger(3 * 86400))
    keep(config.parent / "state" / "journal.db", *machines)
    with open_state(str(config.parent / "state")) as state:
        for event in (Arm(), Boot(), Done()):
            state.installs.apply({"lady": UNDECLARED}, event, NOW - 60)
    found = rows(config)
    assert list(found) == ["lady", "tramp", "far", "52:54:00:99:99:99"]
    lady = found["lady"]
    assert (lady["state"], lady["stage"], lady["stage_state"]) == ("installed", "callback", "done")
    assert lady["since"] == pytest.approx(NOW - 60)
    assert lady["verdicts"] == []
    assert [v["id"] for v in found["52:54:00:99:99:99"]["verdicts"]] == ["G22"]  # type: ignore[attr-defined]
    assert [v["id"] for v in found["far"]["verdicts"]] == ["G16"]  # type: ignore[attr-defined]
    assert found["tramp"]["verdicts"] == []  # its subnet was heard
    text = run(config).output
    assert "installed" in text
    assert "10.88.0.0/24" in text


def test_strangers_of_long_ago_are_not_shown(config: Path) -> None:
    keep(config.parent / "state" / "journal.db", stranger(2 * 86400))
    assert "52:54:00:99:99:99" not in rows(config)


@pytest.mark.parametrize("name", ["lady", "lady.example.org", "00:16:3E:11:11:11"])
def test_by_name(config: Path, name: str) -> None:
    assert list(rows(config, name)) == ["lady"]


def test_an_unknown_name(config: Path) -> None:
    result = run(config, "nobody")
    assert result.exit_code == 1
    assert "no machine is called 'nobody'" in result.output


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit(config: Path, width: int) -> None:
    keep(config.parent / "state" / "journal.db", bios_pxelinux(Machine(at=NOW - 500)), stranger(3600))
    lines = run(config, columns=str(width)).output.splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("seconds", "said"), [(-3, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_age(seconds: float, said: str) -> None:
    assert age(seconds) == said
