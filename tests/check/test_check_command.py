"""netprov check: each check finds what it is for, and says what to do."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netprov.check import checks
from netprov.check.subject import look
from netprov.cli import main
from netprov.state.lock import holder, lock_state
from tests.serve.conftest import PATIENCE, serving

CONFIG = """\
server: {state: state, address: 10.0.0.1}
tftp: {root: images}
distros: {d: {breed: redhat, os_version: "9", kernel: vmlinuz, initrd: [initrd], tree: "http://10.0.0.1/t"}}
profiles: {web: {distro: d, autoinstall: default.ks}}
systems: {lady: {profile: web, interfaces: {eth0: {mac: "52:54:00:00:00:01"}}}}
"""
X86 = ("pxelinux.0", "ldlinux.c32", "shimx64.efi", "grubx64.efi", "ipxe.efi")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration that nothing is wrong with, but that no server runs."""
    (tmp_path / "images" / "loaders").mkdir(parents=True)
    for name in ("vmlinuz", "initrd", *(f"loaders/{name}" for name in X86)):
        (tmp_path / "images" / name).write_bytes(b"x")
    (tmp_path / "netprov.yaml").write_text(CONFIG)
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", "-c", str(folder / "netprov.yaml"), *arguments])


def found(folder: Path, status: int) -> list[tuple[str, str, str]]:
    result = run(folder, "--json")
    assert result.exit_code == status, result.output
    rows: Sequence[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return [(row["id"], row["severity"], row["text"]) for row in rows if row["id"] not in ("server", "disk")]


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "netprov.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_nothing_is_found(site: Path) -> None:
    assert found(site, 0) == []
    said = run(site).output
    assert "✓ configuration 1 systems, 1 profiles, no problems" in said
    assert "! server        no server runs on" in said
    assert "→ start it: netprov serve" in said
    assert "no errors, " in said


def test_only_looking_leaves_no_state(site: Path) -> None:
    run(site)
    assert not (site / "state").exists()


EDITS = [
    # edit, id, severity, what the finding says
    (("kernel: vmlinuz", "kernel: vmlinux"), "configuration", "error", "no such file"),
    (("mac:", "mak:"), "configuration", "error", "netprov.yaml:5: system lady"),
    (("autoinstall: default.ks", "autoinstall: bad.ks"), "templates", "error", "bad.ks"),
]


@pytest.mark.parametrize(("change", "id", "severity", "text"), EDITS)
def test_edits(site: Path, change: tuple[str, str], id: str, severity: str, text: str) -> None:
    (site / "autoinstall").mkdir()
    (site / "autoinstall" / "bad.ks").write_text("{{ no_such_variable }}\n")
    edit(site, *change)
    assert any(row[:2] == (id, severity) and text in row[2] for row in found(site, 1)), found(site, 1)


def test_not_yaml_at_all(site: Path) -> None:
    edit(site, "tftp: {root", "tftp: {{root")
    assert {row[0] for row in found(site, 1)} == {"configuration"}
    assert look(site / "netprov.yaml").place.folder == site / "state"


LOADERS = [
    # what is taken away, severity, what the finding says
    (("pxelinux.0",), "warning", "bios machines cannot boot system lady: no pxelinux.0"),
    (("ldlinux.c32",), "warning", "bios machines cannot boot system lady: no ldlinux.c32"),
    (("grubx64.efi",), "warning", "uefi-x64 machines cannot boot system lady: no grubx64.efi"),
    (X86, "error", "uefi-x64 machines cannot boot system lady: no shimx64.efi, grubx64.efi"),
]


@pytest.mark.parametrize(("names", "severity", "text"), LOADERS)
def test_missing_loaders(site: Path, names: Sequence[str], severity: str, text: str) -> None:
    for name in names:
        (site / "images" / "loaders" / name).unlink()
    assert ("loaders", severity, text) in found(site, 1 if severity == "error" else 0)


def test_boot_loaders_choose_what_is_needed(site: Path) -> None:
    shutil.rmtree(site / "images" / "loaders")
    edit(site, "autoinstall: default.ks", "autoinstall: default.ks, boot_loaders: [ipxe]")
    texts = [row[2] for row in found(site, 1)]
    assert "bios machines cannot boot system lady: no undionly.kpxe" in texts
    assert "uefi-x64 machines cannot boot system lady: no ipxe.efi" in texts


def test_operators_own_boot_file(site: Path) -> None:
    shutil.rmtree(site / "images" / "loaders")
    edit(site, "{profile: web,", "{profile: web, filename: vmlinuz,")
    assert found(site, 0) == []


def test_modified_loader(site: Path) -> None:
    row = {"name": "ipxe.efi", "package": "ipxe", "version": "1", "arch": "all", "path": "x", "sha256": "0", "size": 1}
    (site / "images" / "loaders" / "loaders.lock.json").write_text(json.dumps({"files": [row]}))
    assert [row[:2] for row in found(site, 0)] == [("loaders", "warning")]
    (site / "images" / "loaders" / "loaders.lock.json").write_text("{")
    assert [row[:2] for row in found(site, 1)] == [("loaders", "error")]


def test_kernel_that_leads_outside(site: Path) -> None:
    (site / "images" / "vmlinuz").unlink()
    (site / "elsewhere").write_bytes(b"x")
    (site / "images" / "vmlinuz").symlink_to(site / "elsewhere")
    assert any(row[:2] == ("files", "error") and "of system lady" in row[2] for row in found(site, 1))


@pytest.mark.parametrize(("free", "expected"), [(10**12, set()), (5 * 10**8, {"warning"}), (10**6, {"error"})])
def test_disk(site: Path, monkeypatch: pytest.MonkeyPatch, free: int, expected: set[str]) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: usage)
    assert {finding.severity for finding in checks.disk(look(site / "netprov.yaml"))} == expected


def generations(folder: Path, count: int) -> list[tuple[str, str, str]]:
    """The findings on the generation, once there are so many: the journal hears of an edit a moment later."""
    deadline = time.monotonic() + PATIENCE
    while True:
        rows = [row for row in found(folder, 1) if row[0] == "inventory-refused"]
        if len(rows) == count:
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.05)


def test_s5_a_server_that_refused_the_newest_edit(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert look(tmp_path / "netprov.yaml").server == server.process.pid
        assert not generations(tmp_path, 0)
        good = (tmp_path / "inventory.yaml").read_text()
        server.edit("systems: {lady: {profil: web}}\n")
        ((_, severity, text),) = generations(tmp_path, 1)
        assert severity == "error"
        assert "generation 1 goes on serving" in text
        server.edit(good)
        assert not generations(tmp_path, 0)
    assert holder(tmp_path / "state") == 0


def test_holder(tmp_path: Path) -> None:
    assert holder(tmp_path) == 0
    with lock_state(tmp_path):
        assert holder(tmp_path) > 0
    assert holder(tmp_path) == 0
    (tmp_path / "lock").write_bytes(b"\xff")
    assert holder(tmp_path) == 0
