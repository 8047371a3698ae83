"""apt and dpkg as netprov calls them, played by small scripts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netprov.bootimages.packages import Archive
from netprov.errors import ConfigError

# What each program does; $LOG gets its arguments. `grub` is in both lists, `only` after an update, `gone` never.
PROGRAMS = {
    "dpkg": "echo amd64",
    "dpkg-query": 'echo "installed all shim 1.0"; echo "deinstall all grub 0.9"; echo "installed i386 busybox 1"',
    "dpkg-deb": """
case $1 in
  -x) [ -s "$2" ] || { echo "E: short" >&2; exit 2; }; mkdir -p "$3/usr"; echo x >"$3/usr/f";;
  *) echo 2.0;;
esac""",
    "apt-cache": 'printf "Package: grub\\nVersion: 2.0\\nDescription: x\\n y: z\\n\\nPackage: other\\nVersion: 3\\n"',
    "apt-get": """
case "$*" in
  *" update "*) touch "$STATE/updated"; exit ${UPDATE_RC:-0};;
  *--print-uris*only) [ -e "$STATE/updated" ] || { echo "E: Unable to locate package only" >&2; exit 100; }
    echo "'http://x/only.deb' only.deb 4 SHA256:0";;
  *--print-uris*gone) echo "E: Unable to locate package gone" >&2; exit 100;;
  *--print-uris*broken) echo "'http://x/broken.deb' broken.deb 0 SHA256:0";;
  *--print-uris*) echo "'http://x/grub.deb' grub.deb 4 SHA256:0";;
  *download*offline) echo "E: Failed to fetch http://x  Could not resolve 'x'" >&2; exit 100;;
  *download*) for last; do :; done; case $last in broken) : >broken.deb;; *) printf 1234 >$last.deb;; esac;;
esac""",
}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in PROGRAMS.items():
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"$LOG"\n{script}\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setenv("STATE", str(tmp_path))
    (tmp_path / "log").touch()
    return Archive(tmp_path / "cache")


def log(archive: Archive) -> str:
    return (archive.cache.parent / "log").read_text()


def test_installed_is_taken_as_it_is(archive: Archive) -> None:
    with archive.open("shim", "all") as package:
        assert (package.version, package.tree) == ("1.0", Path("/"))
    assert "apt-get" not in log(archive)


def test_removed_or_foreign_is_not_installed(archive: Archive) -> None:
    assert archive.installed(["shim", "grub", "busybox"], "amd64") == {"shim": "1.0"}
    assert archive.installed(["shim"], "arm64") == {}
    assert archive.installed([], "amd64") == {}


def test_offered_is_what_was_asked(archive: Archive) -> None:
    assert archive.offered(["grub"], "amd64") == {"grub": {"Package": "grub", "Version": "2.0", "Description": "x"}}
    assert archive.offered(["grub"], "arm64") == {}  # no list of that architecture yet
    assert archive.offered([], "amd64") == {}


def test_native_needs_no_lists_of_its_own(archive: Archive) -> None:
    with archive.open("grub", "amd64") as package:
        assert (package.version, package.file(["no", "usr/f"]).read_text()) == ("2.0", "x\n")
        tree = package.tree
    assert not tree.exists()
    assert "update" not in log(archive)


def test_second_time_downloads_nothing(archive: Archive) -> None:
    for _ in range(2):
        with archive.open("grub", "amd64"):
            pass
    assert log(archive).count("download -qq") == 1


def test_foreign_has_its_own_lists(archive: Archive) -> None:
    with archive.open("only", "arm64"):
        pass
    conf = (archive.cache / "apt-arm64" / "apt.conf").read_text()
    assert 'APT::Architectures { "arm64"; };' in conf
    assert f'Dir::State "{archive.cache}/apt-arm64/state";' in conf
    assert "--add-architecture" not in log(archive)


def test_stale_lists_are_renewed_once(archive: Archive) -> None:
    with archive.open("only", "amd64"):
        pass
    archive.refresh("amd64")
    assert log(archive).count("update -qq") == 1


def test_failed_update_with_lists_goes_on(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPDATE_RC", "100")
    with archive.open("only", "arm64"):
        pass


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", r"package gone \(arm64\): the apt sources of this machine do not offer it for arm64"),
        ("offline", r"package offline \(arm64\): cannot be downloaded \(Failed to fetch http://x  Could not resolve"),
        ("broken", "broken.deb cannot be unpacked .short. and was removed"),
    ],
)
def test_what_cannot_be_had(archive: Archive, name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says), archive.open(name, "arm64"):
        pass
    assert not (archive.cache / "debs" / "broken.deb").exists()


def test_no_apt(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigError, match="dpkg: is not here: boot loaders come from the packages of Debian"):
        archive.native()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_unwritable_cache(archive: Archive) -> None:
    archive.cache.parent.chmod(0o500)
    with pytest.raises(ConfigError, match="--cache"):
        archive.refresh("amd64")
