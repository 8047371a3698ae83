"""netprov-probe: its archive, its modules, and that the same packages give the same bytes."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.bootimages import cpio, kernel, probe
from netprov.bootimages.placed import FileState
from netprov.errors import ConfigError

from .archives import FolderArchive

RELEASE = "6.1.0-1-cloud-amd64"
MODULES = f"lib/modules/{RELEASE}/kernel"


def module(depends: str) -> bytes:
    return b"\x7fELF\0license=GPL\0depends=" + depends.encode() + b"\0name=x\0"


@pytest.fixture
def archive(tmp_path: Path) -> FolderArchive:
    made = FolderArchive(tmp_path / "cache")
    made.add("linux-image-cloud-amd64", "amd64", "6.1.1-1", {}, f"linux-image-{RELEASE} (= 6.1.1-1)")
    made.add(
        f"linux-image-{RELEASE}",
        "amd64",
        "6.1.1-1",
        {
            f"boot/vmlinuz-{RELEASE}": b"MZ kernel",
            f"{MODULES}/drivers/net/virtio_net.ko": module("net-failover,virtio_ring,virtio"),
            f"{MODULES}/drivers/net/net_failover.ko.xz": lzma.compress(module("failover")),
            f"{MODULES}/net/failover.ko": module(""),
            f"{MODULES}/drivers/virtio/virtio_ring.ko": module("virtio"),
            f"{MODULES}/drivers/virtio/virtio.ko": module("virtio_ring_is_built_in"),
        },
    )
    made.add("busybox-static", "amd64", "1.35", {"bin/busybox": b"\x7fELF busybox"})
    return made


def listing(initrd: bytes) -> list[str]:
    names = subprocess.run(["cpio", "-t", "--quiet"], input=gzip.decompress(initrd), capture_output=True, check=True)
    return names.stdout.decode().splitlines()


@pytest.mark.skipif(shutil.which("cpio") is None, reason="needs cpio: apt-get install cpio")
def test_initramfs_is_what_cpio_reads(tmp_path: Path, archive: FolderArchive) -> None:
    built = probe.build(tmp_path, probe.Arch.X86_64, archive)
    names = listing(built.initrd.read_bytes())
    assert {"init", "bin/busybox", "bin/probe_dhcp", "dev/console"} <= set(names)
    subprocess.run(
        ["cpio", "-idm", "--quiet", "--no-absolute-filenames", "init", "lib/modules/order"],
        input=gzip.decompress(built.initrd.read_bytes()),
        cwd=tmp_path,
        check=True,
    )
    order = (tmp_path / "lib/modules/order").read_text().split()
    assert order == ["failover.ko", "net_failover.ko", "virtio.ko", "virtio_ring.ko", "virtio_net.ko"]
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "init").stat().st_mtime == 0


def test_same_packages_same_bytes(tmp_path: Path, archive: FolderArchive) -> None:
    first = probe.build(tmp_path / "a", probe.Arch.X86_64, archive)
    second = probe.build(tmp_path / "b", probe.Arch.X86_64, archive)
    assert first.initrd.read_bytes() == second.initrd.read_bytes()
    assert first.kernel.read_bytes() == b"MZ kernel"  # as the distribution signed it


def test_built_only_when_something_changed(tmp_path: Path, archive: FolderArchive) -> None:
    assert probe.status(tmp_path, probe.Arch.X86_64) is FileState.MISSING
    built = probe.build(tmp_path, probe.Arch.X86_64, archive)
    archive.opened.clear()
    assert probe.build(tmp_path, probe.Arch.X86_64, archive) == built
    assert archive.opened == []
    assert probe.status(tmp_path, probe.Arch.X86_64) is FileState.OK
    built.initrd.write_bytes(b"")
    assert probe.status(tmp_path, probe.Arch.X86_64) is FileState.MODIFIED
    probe.build(tmp_path, probe.Arch.X86_64, archive)
    archive.add("busybox-static", "amd64", "1.37", {"bin/busybox": b"newer"})
    assert probe.build(tmp_path, probe.Arch.X86_64, archive).version != built.version
    assert probe.status(tmp_path, probe.Arch.X86_64) is FileState.OK


def test_new_recipe_is_outdated(tmp_path: Path, archive: FolderArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    probe.build(tmp_path, probe.Arch.X86_64, archive)
    monkeypatch.setattr(probe, "MODULES", ("virtio_net",))
    assert probe.status(tmp_path, probe.Arch.X86_64) is FileState.OUTDATED


def test_modules_in_a_package_of_their_own(tmp_path: Path, archive: FolderArchive) -> None:
    """Ubuntu's: linux-image-virtual, the image, and linux-modules-RELEASE below /usr/lib."""
    archive.packages.clear()
    release = "6.8.0-1-generic"
    archive.add("linux-image-virtual", "amd64", "6.8", {}, f"linux-image-{release}, linux-base")
    archive.add(f"linux-image-{release}", "amd64", "6.8", {f"boot/vmlinuz-{release}": b"MZ"})
    archive.add(
        f"linux-modules-{release}",
        "amd64",
        "6.8",
        {
            f"usr/lib/modules/{release}/kernel/drivers/net/virtio_net.ko": module(""),
        },
    )
    archive.add("busybox-static", "amd64", "1.36", {"usr/bin/busybox": b"\x7fELF"})
    built = probe.build(tmp_path, probe.Arch.X86_64, archive)
    assert b"virtio_net.ko" in gzip.decompress(built.initrd.read_bytes())


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("linux-image-cloud-amd64", "linux-image-cloud-amd64 or linux-image-virtual"),
        (f"linux-image-{RELEASE}", f"package linux-image-{RELEASE}"),
        ("busybox-static", "package busybox-static"),
    ],
)
def test_missing_package(tmp_path: Path, archive: FolderArchive, gone: str, says: str) -> None:
    del archive.packages[gone, "amd64"]
    with pytest.raises(ConfigError, match=says):
        probe.build(tmp_path, probe.Arch.X86_64, archive)


def test_kernel_without_modules(tmp_path: Path, archive: FolderArchive) -> None:
    archive.add(f"linux-image-{RELEASE}", "amd64", "6.1.1-1", {f"boot/vmlinuz-{RELEASE}": b"MZ"})
    with pytest.raises(ConfigError, match=f"have no modules of {RELEASE}"):
        probe.build(tmp_path, probe.Arch.X86_64, archive)


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (module(""), []),
        (module("a,b-c"), ["a", "b_c"]),
        (b"", []),
        (b"\0depends=unterminated", []),
        (b"\0depends=\xff\0", ["\N{REPLACEMENT CHARACTER}"]),
    ],
)
def test_needs(content: bytes, needed: list[str]) -> None:
    assert kernel.needs(content) == needed


def test_module_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "a.ko").write_bytes(module("b"))
    (tmp_path / "kernel" / "b.ko").write_bytes(module("a"))
    with pytest.raises(ConfigError, match="need each other"):
        kernel.with_dependencies(tmp_path, ["a"])


def test_unknown_compression(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "a.ko.br").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"compressed as \.br"):
        kernel.with_dependencies(tmp_path, ["a"])


@given(st.lists(st.tuples(st.text("abc/", min_size=1, max_size=8), st.binary(max_size=9)), max_size=4))
def test_newc_is_aligned(files: list[tuple[str, bytes]]) -> None:
    archive = cpio.newc([cpio.file(name, content) for name, content in files])
    assert len(archive) % 512 == 0
    at = 0
    for name, content in [*files, ("TRAILER!!!", b"")]:
        assert archive[at : at + 6] == b"070701"
        assert int(archive[at + 54 : at + 62], 16) == len(content)
        start = -(-(at + 110 + len(name) + 1) // 4) * 4
        assert archive[at + 110 : at + 110 + len(name)] == name.encode()
        assert archive[start : start + len(content)] == content
        at = -(-(start + len(content)) // 4) * 4


@pytest.mark.parametrize("script", probe.SCRIPTS.values(), ids=list(probe.SCRIPTS))
def test_scripts_are_shell(script: Path) -> None:
    shell = shutil.which("busybox") or "/bin/sh"
    command = [shell, "sh", "-n", str(script)] if shell.endswith("busybox") else [shell, "-n", str(script)]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""
