"""What a command changed stands in the journal, with a server beside it or with none."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli.system import system
from netprov.cli.timeline import timeline
from netprov.journal.timeline import Timeline

CONFIG = """
server: {{state: {folder}/state}}
distros: {{d: {{breed: generic, kernel: "http://x/vmlinuz"}}}}
profiles: {{p: {{distro: d}}}}
systems: {{lady: {{profile: p, interfaces: {{eth0: {{mac: "00:16:3e:11:11:11"}}}}}}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "netprov.yaml").write_text(CONFIG.format(folder=tmp_path))
    return tmp_path / "netprov.yaml"


def test_it_is_told(config: Path) -> None:
    for verb in ("install", "install", "local"):
        assert CliRunner().invoke(system, [verb, "lady", "-c", str(config)]).exit_code == 0
    with Timeline(config.parent / "state" / "journal.db") as journal:
        found = journal.changes("lady", 10)
        assert [event.text for event in found] == ["lady: armed", "lady: armed", "lady: armed → local"]
        assert {placed.machine for _, placed in journal.after(0)} == {"00:16:3e:11:11:11"}
        assert journal.boots(["lady"]) == ()  # an operator's doing is no boot
        assert [event.text for event in journal.changes("lady", 1)] == ["lady: armed → local"]
    assert dict(found[-1].detail)["by"].endswith(", netprov system local")
    assert all(not event.token for event in found)
    shown = CliRunner().invoke(timeline, ["lady", "-c", str(config)]).output
    assert "By hand:" in shown
    assert "lady: armed → local (" in shown


def test_a_journal_that_cannot_be_written_keeps_nobody_from_arming(config: Path) -> None:
    (config.parent / "state").mkdir()
    (config.parent / "state" / "journal.db").write_bytes(b"no database at all" * 100)
    done = CliRunner().invoke(system, ["install", "lady", "-c", str(config)])
    assert done.exit_code == 0
    assert "lady will be installed at its next network boot" in done.output
    assert "the timeline will not show this" in done.output
