"""A server that is stopped does not keep an installed domU down."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.xen.bootloader import pxeboot
from netprov.xen.bootloader.noanswer import holds_system
from netprov.xen.bootloader.pxeboot import main

DISKS = {
    "blank": (bytes(1 << 20), False),
    "none at all": (b"", False),
    "MBR or GPT": (bytes(510) + b"\x55\xaa", True),
    "LVM": (bytes(0x218) + b"LVM2 001", True),
    "ext4": (bytes(0x438) + b"\x53\xef", True),
    "XFS": (b"XFSB", True),
    "btrfs": (bytes(0x10040) + b"_BHRfS_M", True),
    "something else": (b"x" * 4096, False),
}


@pytest.mark.parametrize("name", DISKS)
def test_holds_system(tmp_path: Path, name: str) -> None:
    octets, holds = DISKS[name]
    (tmp_path / "disk").write_bytes(octets)
    assert holds_system(str(tmp_path / "disk")) is holds


def test_holds_nothing(tmp_path: Path) -> None:
    assert not holds_system("")
    assert not holds_system(str(tmp_path / "gone"))
    assert not holds_system(str(tmp_path))


WAYS = [
    # the disk, more words, whether it goes on to it
    ("MBR or GPT", (), True),
    ("MBR or GPT", ("--runas=20000",), True),
    ("MBR or GPT", ("--no-local",), False),
    ("blank", (), False),
]


@pytest.mark.parametrize(("name", "words", "goes_on"), WAYS)
def test_no_answer(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    words: tuple[str, ...],
    goes_on: bool,
) -> None:
    monkeypatch.setattr(pxeboot, "_PYGRUB", ())  # it would take this process's place
    disk = tmp_path / "disk"
    disk.write_bytes(DISKS[name][0])
    own = [f"--output-directory={tmp_path}", "--server=http://127.0.0.1:1", "--timeout=20"]
    assert main(["mac=00:16:3e:11:11:11", *own, "--pygrub-image=", *words, str(disk)]) == 1
    said = capsys.readouterr().err
    assert "Connection refused" in said
    assert (f"going on to the disk {disk}, on which something is installed" in said) is goes_on
    assert ("by pygrub, which is not here" in said) is goes_on
    assert list(tmp_path.iterdir()) == [disk]
