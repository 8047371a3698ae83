"""netprov domu config, lint and convert, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli import domu as module
from netprov.cli.domu import domu

SAMPLE = Path(__file__).parents[1] / "inventory" / "sample" / "netprov.yaml"
LADY = "bootloader='/usr/bin/pypxeboot'\nname='lady'\nvif=['mac=00:16:3E:11:11:11']\nbootargs=vif[0]\n"


def run(*words: object) -> Result:
    return CliRunner().invoke(domu, [str(word) for word in words])


@pytest.fixture(autouse=True)
def empty_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "state" / "empty.img"
    monkeypatch.setattr(module.converting, "EMPTY_DISK", str(place))
    return place


def test_config(tmp_path: Path) -> None:
    shown = run("config", "lady", "-c", SAMPLE)
    assert shown.exit_code == 0
    assert 'bootloader_args = [ "mac=00:16:3e:11:11:11"' in shown.stdout
    file = tmp_path / "lady.cfg"
    assert run("config", "lady", "-c", SAMPLE, "-o", file).exit_code == 0
    assert file.read_text() == shown.stdout
    again = run("config", "lady", "-c", SAMPLE, "-o", file)
    assert (again.exit_code, "already exists" in again.output) == (1, True)
    assert run("config", "lady", "-c", SAMPLE, "-o", file, "--force", "--type", "hvm").exit_code == 0
    assert 'boot = "nd"' in file.read_text()
    assert run("lint", "-c", SAMPLE, file).output == ""


def test_config_of_nobody() -> None:
    gone = run("config", "ladi", "-c", SAMPLE)
    assert (gone.exit_code, "did you mean lady?" in gone.output) == (1, True)


def test_config_makes_the_empty_disk(tmp_path: Path, empty_disk: Path) -> None:
    shown = run("config", "rescue-stick", "-c", SAMPLE)
    assert "touch" in shown.stderr
    assert not empty_disk.exists()
    assert run("config", "rescue-stick", "-c", SAMPLE, "-o", tmp_path / "x.cfg").exit_code == 0
    assert empty_disk.stat().st_size == 0


def test_lint_and_convert(tmp_path: Path) -> None:
    old, new = tmp_path / "lady", tmp_path / "lady.cfg"
    old.write_text(LADY)
    told = run("lint", "-c", SAMPLE, old)
    assert told.exit_code == 1
    assert f"{old}:4: " in told.output
    assert 'Write: bootloader_args = [ "mac=00:16:3e:11:11:11" ]' in told.output
    done = run("convert", old, "-o", new)
    assert done.exit_code == 0
    assert f"{old}:4: bootargs is gone" in done.stderr
    assert run("lint", "-c", SAMPLE, new).output == ""
    assert run("convert", old, "-o", new).exit_code == 1


def test_lint_for_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.cfg"
    file.write_text("name = 'x'\nkernel = '/v'\nvirtio = []\n")
    monkeypatch.setattr(module, "_HYPERVISOR", tmp_path)
    assert "since Xen 4.18; an older one" in run("lint", file).output
    assert "that of Xen 4.17 ignores it" in run("lint", "--xen", "4.17", file).output
    assert run("lint", "--xen=4.18.2", file).output == ""
    (tmp_path / "major").write_text("4\n")
    (tmp_path / "minor").write_text("17\n")
    assert "that of Xen 4.17 ignores it" in run("lint", file).output
    wrong = run("lint", "--xen", "new", file)
    assert (wrong.exit_code, "write it like 4.17" in wrong.output) == (2, True)


UNREADABLE = [(b"\xff\xfe", "not UTF-8 text"), (b"#" * (1 << 20) + b"##", "more than 1 MiB"), (None, "No such file")]


@pytest.mark.parametrize(("body", "error"), UNREADABLE)
def test_unreadable(tmp_path: Path, body: bytes | None, error: str) -> None:
    file = tmp_path / "x.cfg"
    if body is not None:
        file.write_bytes(body)
    for verb in ("lint", "convert"):
        got = run(verb, file)
        assert (got.exit_code, error in got.output) == (1, True)
