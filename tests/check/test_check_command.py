"""netprov check: the command, and what is declared."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.check import declared
from netprov.check.checks import CHECKS
from netprov.check.subject import look
from netprov.cli import main
from netprov.state.lock import holder, lock_state
from tests.serve.conftest import serving
from tests.world import PATIENCE, edit, free_ports

from .check_world import X86, found, machines, rows, run


def test_nothing_is_found(site: Path) -> None:
    assert found(site, 0) == []
    said = run(site).output
    assert "✓ configuration 1 system, 1 profile, no problems" in said
    assert "! server        no server runs on" in said
    assert "→ start it" in said
    assert "$ netprov serve" in said
    assert "no errors, " in said


def test_only_looking_leaves_no_state(site: Path) -> None:
    run(site)
    assert not (site / "state").exists()


def test_exit_status(site: Path) -> None:
    assert run(site, "--only", "server").exit_code == 0
    assert run(site, "--only", "server", "--strict").exit_code == 1
    edit(site, "kernel: vmlinuz", "kernel: vmlinux")
    assert run(site).exit_code == 1
    refused = run(site, "--only", "everything")
    assert refused.exit_code == 2
    assert "configuration, templates, loaders" in refused.output


def test_only_what_is_asked_for(site: Path) -> None:
    said = json.loads(run(site, "--json", "--only", "clock", "--only", "server").stdout)
    assert said["checks"] == ["server", "clock"]
    assert said["findings"] == [{
        "id": "server-down", "check": "server", "severity": "warning", "text": f"no server runs on {site / 'state'}",
        "advice": "start it", "machines": ["*"], "command": "netprov serve",
    }]  # fmt: skip


def test_what_was_not_looked_at_is_said(site: Path) -> None:
    notes = [row for row in json.loads(run(site, "--json").stdout)["findings"] if row["severity"] == "note"]
    assert "netprov did not look for other DHCP servers: --no-probe" in [row["text"] for row in notes]
    assert "· rivals" in run(site).output


def test_the_names_of_checks_are_unlike() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)


EDITS = [
    # edit, id, severity, what the finding says
    (("kernel: vmlinuz", "kernel: vmlinux"), "configuration", "error", "no such file"),
    (("mac:", "mak:"), "configuration", "error", "netprov.yaml:7: system lady"),
    (("autoinstall: default.ks", "autoinstall: bad.ks"), "template", "error", "bad.ks"),
    (("autoinstall: default.ks", "autoinstall: bad.preseed"), "template", "error", "bad.preseed"),
]


@pytest.mark.parametrize(("change", "id", "severity", "text"), EDITS)
def test_edits(site: Path, change: tuple[str, str], id: str, severity: str, text: str) -> None:
    (site / "autoinstall").mkdir()
    (site / "autoinstall" / "bad.ks").write_text("# netprov: template\n{{ no_such_variable }}\n")
    (site / "autoinstall" / "bad.preseed").write_text("# netprov: template\nd-i {{ no_such_variable }}\n")
    edit(site, *change)
    if "preseed" in text:
        edit(site, "breed: redhat", "breed: debian")
    assert any(row[:2] == (id, severity) and text in row[2] for row in found(site, 1)), found(site, 1)


def test_a_kickstart_that_does_not_parse(site: Path) -> None:
    (site / "autoinstall").mkdir()
    (site / "autoinstall" / "odd.ks").write_text("text\nclearpart --everything\n")
    edit(site, "autoinstall: default.ks", "autoinstall: odd.ks")
    assert any(row[0] == "template" and "odd.ks" in row[2] for row in found(site, 1))


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
    assert ("loader-missing", severity, text) in found(site, 1 if severity == "error" else 0)


def test_a_missing_loader_stops_those_that_want_it(site: Path) -> None:
    edit(site, "systems: {", "systems: {tramp: {profile: web, filename: nowhere.0, interfaces: {eth0: {mac: "
         '"52:54:00:00:00:02"}}}, ')  # fmt: skip
    assert {(row["severity"], *row["machines"]) for row in rows(site, 1)} == {("error", "tramp")}


def test_boot_loaders_choose_what_is_needed(site: Path) -> None:
    shutil.rmtree(site / "images" / "loaders")
    edit(site, "boot_loaders: [grub, pxelinux]", "boot_loaders: [ipxe]")
    texts = [row[2] for row in found(site, 1)]
    assert "bios machines cannot boot system lady: no undionly.kpxe" in texts
    assert "uefi-x64 machines cannot boot system lady: no ipxe.efi" in texts


def test_in_proxy_mode_uefi_gets_ipxe(site: Path) -> None:
    edit(site, ", boot_loaders: [grub, pxelinux]", "")
    (site / "images" / "loaders" / "shimx64.efi").unlink()
    assert found(site, 0, "loaders") == []
    (site / "images" / "loaders" / "ipxe.efi").unlink()
    assert ("uefi-x64 machines cannot boot system lady: no ipxe.efi") in [row[2] for row in found(site, 0, "loaders")]


def test_operators_own_boot_file(site: Path) -> None:
    shutil.rmtree(site / "images" / "loaders")
    edit(site, "{profile: web,", "{profile: web, filename: vmlinuz,")
    assert found(site, 0) == []


def test_modified_loader(site: Path) -> None:
    row = {"name": "ipxe.efi", "package": "ipxe", "version": "1", "arch": "all", "path": "x", "sha256": "0", "size": 1}
    (site / "images" / "loaders" / "loaders.lock.json").write_text(json.dumps({"files": [row]}))
    assert [row[:2] for row in found(site, 0)] == [("loader-modified", "warning")]
    (site / "images" / "loaders" / "loaders.lock.json").write_text("{")
    assert [row[:2] for row in found(site, 1)] == [("loader-lock", "error")]


def many(folder: Path, count: int, **fields: str) -> None:
    lines = (
        f"  n{i}: {{profile: web, {fields.get('also', '').format(i)} interfaces: {{eth0: {{mac: "
        f'"02:00:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"}}}}}}\n'
        for i in range(count)
    )
    path = folder / "netprov.yaml"
    path.write_text(path.read_text().replace("systems: {", "systems:\n" + "".join(lines) + "  x: {#").split("  x:")[0])


def test_ten_thousand_systems(site: Path) -> None:
    """All else is quick: what would take a minute is to render everybody's scripts and answers."""
    many(site, 10_000)
    began = time.process_time()
    assert found(site, 0) == []
    assert time.process_time() - began < 30  # some 4 s of a processor of its own
    (site / "images" / "vmlinuz").write_bytes(b"<html>")
    said = run(site, "--only", "files").output
    assert "stops n0, n1, n2, n3 and 9,996 more" in said


def test_every_machine_that_a_finding_stops_is_named(site: Path) -> None:
    many(site, 50)
    (site / "images" / "vmlinuz").write_bytes(b"<html>")
    assert machines(site, 1, "kernel-unfit") == [f"n{i}" for i in range(50)]


def test_of_many_kinds_of_systems_some_are_rendered(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "RENDERED", 20)
    many(site, 25, also="autoinstall_meta: {{rack: {}}},")
    notes = [row for row in json.loads(run(site, "--json").stdout)["findings"] if row["id"] == "template-sample"]
    assert [row["text"] for row in notes] == ["the scripts and answers of 20 systems were made, of 25"]


def test_a_system_unlike_the_others_is_rendered(site: Path) -> None:
    (site / "autoinstall").mkdir()
    (site / "autoinstall" / "rack.ks").write_text(
        "# netprov: template\n{% if rack > 3 %}{{ nobody }}{% endif %}\n{% include 'snippets/callback.ks' %}\n"
    )
    many(site, 40, also="autoinstall: rack.ks, autoinstall_meta: {{rack: 1}},")
    assert found(site, 0, "templates") == []
    edit(site, "n17: {profile: web, autoinstall: rack.ks, autoinstall_meta: {rack: 1}", "n17: {profile: web, "
         "autoinstall: rack.ks, autoinstall_meta: {rack: 9}")  # fmt: skip
    assert [row["machines"] for row in rows(site, 1, "templates")] == [["n17"]]


def generations(folder: Path, count: int) -> list[tuple[str, str, str]]:
    """The findings on the generation, once there are so many: the journal hears of an edit a moment later."""
    deadline = time.monotonic() + PATIENCE
    while True:
        said = json.loads(run(folder, "--json", "--only", "generation").stdout)["findings"]
        if len(said) == count:
            return [(row["id"], row["severity"], row["text"]) for row in said]
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


def test_s5_a_server_that_refused_the_newest_edit(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert look(tmp_path / "netprov.yaml").server == server.process.pid
        assert not generations(tmp_path, 0)
        good = (tmp_path / "inventory.yaml").read_text()
        server.edit("systems: {lady: {profil: web}}\n")
        ((id, severity, text),) = generations(tmp_path, 1)
        assert (id, severity) == ("inventory-refused", "error")
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


def test_a_server_on_loopback_answers(tmp_path: Path) -> None:
    """Asked from this host itself: no client can be plugged in at lo."""
    with serving(tmp_path):
        config = str(tmp_path / "netprov.yaml")
        arguments = ["check", "-c", config, "--only", "answers", "--only", "ports", "--only", "interfaces"]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        assert "✓ answers    TFTP and HTTP answer this host itself" in result.output
        assert "✓ ports      held by netprov alone, and read" in result.output
        text = (tmp_path / "netprov.yaml").read_text()
        moved = re.sub(r"http: \{port: \d+", f"http: {{port: {free_ports(1)[0]}", text)
        (tmp_path / "netprov.yaml").write_text(moved)
        said = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)["findings"]
        assert {row["id"] for row in said} == {"port-missing", "http-silent"}
