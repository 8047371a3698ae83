"""netprov leases, without a running server."""

from __future__ import annotations

import json
import math
import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli.leases import leases
from netprov.state.leases import Lease
from netprov.state.state import open_state


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "netprov.yaml").write_text(f"server: {{state: {tmp_path / 'state'}}}\n")
    return tmp_path / "netprov.yaml"


def _run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(leases, ["-c", str(config), *arguments])


def _store(config: Path, *stored: Lease) -> None:
    with open_state(str(config.parent / "state")) as state:
        state.leases.commit(stored)


def test_no_state_yet(config: Path) -> None:
    assert "No leases" in _run(config).output
    assert json.loads(_run(config, "--json").output) == []
    assert not (config.parent / "state").exists()  # looking makes nothing


def test_leases(config: Path) -> None:
    soon = time.time() + 3600
    _store(
        config,
        Lease(IPv4Address("10.0.0.10"), "52:54:00:00:00:02", expires=1.0),
        Lease(IPv4Address("10.0.0.9"), "52:54:00:00:00:01", b"\1\2", "lady", soon, arch=7, system="lady"),
        Lease(IPv4Address("10.0.0.11"), "52:54:00:00:00:03", expires=soon, state="declined"),
    )
    rows = [line.split() for line in _run(config).output.splitlines()]
    assert rows[0] == ["address", "mac", "system", "hostname", "state", "until"]
    assert rows[1][:5] == ["10.0.0.9", "52:54:00:00:00:01", "lady", "lady", "leased"]
    assert [row[0] for row in rows[1:]] == ["10.0.0.9", "10.0.0.10", "10.0.0.11"]
    found = json.loads(_run(config, "--json").output)
    assert [lease["state"] for lease in found] == ["leased", "expired", "declined"]
    assert found[0] == {
        "ip": "10.0.0.9",
        "mac": "52:54:00:00:00:01",
        "state": "leased",
        "expires": soon,
        "system": "lady",
        "hostname": "lady",
        "subnet": "",
        "uuid": "",
        "arch": 7,
        "client_id": "0102",
        "circuit_id": "",
        "remote_id": "",
    }


def test_a_lease_for_ever(config: Path) -> None:
    """BOOTP knows no end; JSON no infinity."""
    _store(config, Lease(IPv4Address("10.0.0.9"), "52:54:00:00:00:01", expires=math.inf))
    assert "forever" in _run(config).output
    assert json.loads(_run(config, "--json").output)[0]["expires"] is None


def test_a_hostname_moves_no_cursor(config: Path) -> None:
    _store(config, Lease(IPv4Address("10.0.0.9"), "52:54:00:00:00:01", hostname="\x1b[2J\u202e\n[bold]"))
    output = _run(config).output
    assert all(line.isprintable() for line in output.split("\n"))
    assert "10.0.0.9  52:54:00:00:00:01" in output
    assert "\\x1b[2J" in output


def test_a_damaged_state_is_a_message(config: Path) -> None:
    (config.parent / "state").mkdir()
    (config.parent / "state" / "state.db").write_text("nothing of the kind" * 100)
    result = _run(config)
    assert result.exit_code == 1
    assert "state.db: server.state: it is not a SQLite database" in result.output
