"""--take-disks takes no disk that somebody stands on, and no file that is none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from netprov.xen.create.inuse import in_use


def test_files(tmp_path: Path) -> None:
    image = tmp_path / "srv" / "image"
    image.parent.mkdir()
    image.write_bytes(bytes(1 << 20))
    assert in_use(image, tmp_path) == ""
    os.truncate(image, (1 << 20) + 1)
    assert in_use(image, tmp_path) == "is no disk image: it has 1048577 octets"
    os.truncate(image, 1 << 20)
    (tmp_path / "etc").mkdir()
    shadow = image.rename(tmp_path / "etc" / "shadow")
    image.symlink_to(shadow)
    for path in (shadow, image):
        assert in_use(path, tmp_path) == "is one of dom0's own files"
    assert in_use(Path("/etc/shadow")) == "is one of dom0's own files"
    assert "cannot be looked at" in in_use(tmp_path / "gone")


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EBUSY, "is in use: mounted"), (errno.EIO, "cannot be looked at"), (0, "")]
)
def test_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    """As the kernel answers who wants it for himself."""
    flags = 0
    real = os.open

    def opened(path: object, wanted: int, *rest: object) -> int:
        nonlocal flags
        flags = wanted
        if number:
            raise OSError(number, os.strerror(number))
        return real("/dev/null", os.O_RDONLY)

    monkeypatch.setattr(Path, "is_block_device", lambda self: True)
    monkeypatch.setattr(os, "open", opened)
    assert in_use(tmp_path).startswith(said)
    assert flags & os.O_EXCL


def test_the_disk_beneath_this_test() -> None:
    """Where the root is a block device of its own, it is refused: by the kernel, as in use, or as forbidden here."""
    with open("/proc/self/mounts") as mounts:
        found = next((line.split()[0] for line in mounts if line.startswith("/dev/") and line.split()[1] == "/"), "")
    if not found or not Path(found).is_block_device():
        pytest.skip("the root is on no block device here")
    assert in_use(Path(found))
