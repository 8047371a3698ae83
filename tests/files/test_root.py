"""What a name means beneath the served folder."""

import os

import pytest

from netprov.boot.reason import Reason
from netprov.files.paths import PathError
from netprov.files.root import Root


@pytest.fixture
def root(tmp_path):
    (tmp_path / "loaders").mkdir()
    (tmp_path / "loaders" / "pxelinux.0").write_text("loader")
    (tmp_path / "loaders" / "grubx64.efi").write_text("grub")
    (tmp_path / "own.txt").write_text("own")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "pxelinux.0").write_text("other")
    return Root(tmp_path)


def read(opened):
    with os.fdopen(opened.fd) as file:
        return file.read()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pxelinux.0", "loader"),
        ("/pxelinux.0", "loader"),
        ("PXELINUX.0", "loader"),
        ("loaders/pxelinux.0", "loader"),
        ("dir/pxelinux.0", "other"),
        ("own.txt", "own"),
        ("\\EFI\\BOOT\\grubx64.efi", "grub"),
        ("/EFI/debian/GRUBX64.EFI", "grub"),
    ],
)
def test_t15_names(root, name, content):
    assert read(root.open(name)) == content


@pytest.mark.parametrize("name", ["", "/", "nothing", "dir", "loaders", "..", "../pxelinux.0/x", "dir/own.txt", "a\0b"])
def test_t14_what_is_not_there(root, name):
    with pytest.raises(PathError) as raised:
        root.open(name)
    assert raised.value.reason in (Reason.TFTP_NOT_FOUND, Reason.TFTP_OUTSIDE)


def test_a_root_that_is_not_there(tmp_path):
    with pytest.raises(PathError, match="served folder cannot be opened") as raised:
        Root(tmp_path / "gone").open("x")
    assert raised.value.reason is Reason.TFTP_NOT_FOUND


def test_a_folder_put_in_the_roots_place_is_served_at_once(root, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_text("old")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "f").write_text("new")
    served = Root(tmp_path / "a")
    assert read(served.open("f")) == "old"
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "b").rename(tmp_path / "a")
    assert read(served.open("f")) == "new"
