"""Loaders put in place from packages: whole, once, and told apart from what somebody changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.bootimages.loaders import install, status
from netprov.bootimages.manifest import LoaderFile, SecureBoot
from netprov.bootimages.placed import FileState, read_lock, write_atomic
from netprov.cli import loaders as cli
from netprov.errors import ConfigError

from .archives import FolderArchive


def loader(name: str, package: str = "grub", *, optional: bool = False, arch: str = "amd64") -> LoaderFile:
    machines = ("bios",) if name == "pxelinux.0" else ("uefi-x64",)
    return LoaderFile(name, package, arch, (f"new/{name}", f"old/{name}"), machines, SecureBoot.NONE, optional)


MANIFEST = (loader("grubx64.efi"), loader("pxelinux.0", "pxelinux", arch="all"))


@pytest.fixture
def archive(tmp_path: Path) -> FolderArchive:
    made = FolderArchive(tmp_path / "cache")
    made.add("grub", "amd64", "2.06", {"old/grubx64.efi": b"grub"})
    made.add("pxelinux", "all", "6.04", {"new/pxelinux.0": b"pxe", "old/pxelinux.0": b"older"})
    return made


def states(root: Path, archive: FolderArchive) -> dict[str, FileState]:
    return {row.loader.name: row.state for row in status(root, MANIFEST, archive)}


def test_install_puts_files_and_a_lock(tmp_path: Path, archive: FolderArchive) -> None:
    assert set(states(tmp_path, archive).values()) == {FileState.MISSING}
    placed = install(tmp_path, MANIFEST, archive)
    folder = tmp_path / "loaders"
    assert sorted(path.name for path in folder.iterdir()) == ["grubx64.efi", "loaders.lock.json", "pxelinux.0"]
    assert (folder / "grubx64.efi").read_bytes() == b"grub"
    assert (folder / "pxelinux.0").read_bytes() == b"pxe"  # the first of the paths
    assert (folder / "pxelinux.0").stat().st_mode & 0o777 == 0o644
    assert {file.name: file.version for file in placed} == {"grubx64.efi": "2.06", "pxelinux.0": "6.04"}
    assert read_lock(folder / "loaders.lock.json") == {file.name: file for file in placed}
    assert set(states(tmp_path, archive).values()) == {FileState.OK}


def test_install_again_opens_nothing(tmp_path: Path, archive: FolderArchive) -> None:
    install(tmp_path, MANIFEST, archive)
    archive.opened.clear()
    install(tmp_path, MANIFEST, archive)
    assert archive.opened == []


def test_modified_missing_outdated(tmp_path: Path, archive: FolderArchive) -> None:
    install(tmp_path, MANIFEST, archive)
    (tmp_path / "loaders" / "grubx64.efi").write_bytes(b"grub, patched")
    (tmp_path / "loaders" / "pxelinux.0").unlink()
    assert states(tmp_path, archive) == {"grubx64.efi": FileState.MODIFIED, "pxelinux.0": FileState.MISSING}
    install(tmp_path, MANIFEST, archive)
    archive.add("grub", "amd64", "2.12", {"old/grubx64.efi": b"newer grub"})
    assert states(tmp_path, archive) == {"grubx64.efi": FileState.OUTDATED, "pxelinux.0": FileState.OK}
    install(tmp_path, MANIFEST, archive)
    assert (tmp_path / "loaders" / "grubx64.efi").read_bytes() == b"newer grub"


def test_only_some_machines(tmp_path: Path, archive: FolderArchive) -> None:
    install(tmp_path, MANIFEST, archive, only={"bios"})
    assert states(tmp_path, archive) == {"grubx64.efi": FileState.MISSING, "pxelinux.0": FileState.OK}


def test_one_missing_package_does_not_keep_the_others_away(tmp_path: Path, archive: FolderArchive) -> None:
    del archive.packages["grub", "amd64"]
    with pytest.raises(ConfigError, match="package grub") as caught:
        install(tmp_path, MANIFEST, archive)
    assert len(caught.value.problems) == 1
    assert states(tmp_path, archive)["pxelinux.0"] is FileState.OK


def test_missing_file_of_a_package(tmp_path: Path, archive: FolderArchive) -> None:
    archive.add("grub", "amd64", "2.06", {"other": b""})
    with pytest.raises(ConfigError, match=r"grub 2.06: has no new/grubx64.efi or old/grubx64.efi"):
        install(tmp_path, MANIFEST, archive)


def test_optional_is_told_not_raised(tmp_path: Path, archive: FolderArchive) -> None:
    said: list[str] = []
    install(tmp_path, (loader("x.efi", "none", optional=True),), archive, progress=said.append)
    assert said == ["not available: x.efi (package none (amd64): the apt sources do not offer it)"]


def test_link_out_of_a_package_is_not_followed(tmp_path: Path, archive: FolderArchive) -> None:
    archive.add("grub", "amd64", "2.06", {"keep": b""})
    tree = tmp_path / "cache" / "trees" / "grub-amd64" / "new"
    tree.mkdir(parents=True)
    (tree / "grubx64.efi").symlink_to("/etc/hostname")
    with pytest.raises(ConfigError, match="has no"):
        install(tmp_path, MANIFEST, archive)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": [{"name": "x"}]}', '{"files": 3}'])
def test_broken_lock_says_what_to_do(tmp_path: Path, archive: FolderArchive, text: str) -> None:
    (tmp_path / "loaders").mkdir()
    (tmp_path / "loaders" / "loaders.lock.json").write_text(text)
    with pytest.raises(ConfigError, match="remove it and run"):
        install(tmp_path, MANIFEST, archive)


def test_write_atomic_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomic(tmp_path / "file", b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomic(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_command(tmp_path: Path, archive: FolderArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "Archive", lambda cache, progress: archive)
    monkeypatch.setattr(cli, "load", lambda path: (*MANIFEST, loader("x.efi", "none", optional=True)))
    run = CliRunner()
    root = ["--root", str(tmp_path)]
    assert run.invoke(cli.loaders, [*root, "--check"]).exit_code == 1
    done = run.invoke(cli.loaders, root)
    assert done.exit_code == 0
    assert "grubx64.efi               ok         grub:amd64" in done.output
    rows = json.loads(run.invoke(cli.loaders, [*root, "--check", "--json"]).output)
    assert [row["state"] for row in rows] == ["ok", "ok", "optional"]
    assert run.invoke(cli.loaders, [*root, "--check"]).exit_code == 0
    del archive.packages["grub", "amd64"]
    (tmp_path / "loaders" / "grubx64.efi").unlink()
    failed = run.invoke(cli.loaders, root)
    assert failed.exit_code == 1
    assert "the apt sources do not offer it" in failed.output
