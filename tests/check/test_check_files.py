"""Kernels, initrds, templates and signatures: who may read them, and what they are."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.check import images
from netprov.check.reader import Reader, acting_as, reader
from netprov.check.signed import signed
from netprov.state.leases import Lease
from netprov.state.state import open_state
from tests.world import edit

from .check_world import INITRD, arm64_image, bzimage, found, named, pe, rows

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it takes other users' rights")
USER = "nobody"

KERNELS = [
    # what is there, its size, the processor, what is wrong
    (b"", "", "is empty"),
    (bzimage(), "x86_64", ""),
    (bzimage("i386"), "i386", ""),
    (bzimage(missing=17), "x86_64", "is cut short: 8,175 octets of 8,192"),
    (bzimage(missing=15), "x86_64", ""),  # the last paragraph need not be full
    (arm64_image(), "aarch64", ""),
    (pe("aarch64"), "aarch64", ""),  # a zboot kernel
    (pe("x86_64"), "x86_64", ""),  # wimboot
    (b"\x7fELF\2\1\1" + bytes(11) + (62).to_bytes(2, "little") + bytes(40), "x86_64", ""),
    (b"\x1f\x8b" + bytes(100), "", ""),
    (b" <!DOCTYPE html><html>404", "", "is not a kernel: it is a web page; was an error page saved in its place?"),
    (b"070701" + bytes(100), "", "is not a kernel: it is an initrd"),
    (b"#!/bin/sh\n", "", "is not a kernel: it is a script"),
    (bytes(0x8001) + b"CD001" + bytes(9), "", "is not a kernel: it is an ISO image"),
    (b"lorem ipsum", "", "is not a kernel: it begins with 6c 6f 72 65 6d 20 69 70"),
    (b"MZ", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("data", "arch", "fault"), KERNELS)
def test_kernels(data: bytes, arch: str, fault: str) -> None:
    assert images.kernel(data[: images.HEAD], len(data)) == images.Image(arch, fault)


INITRDS = [
    (b"", "is empty", False),
    (INITRD, "", True),
    (bytes(8) + b"070701", "", True),  # padded
    (b"\xfd7zXZ\0", "", True),
    (bzimage(), "is a kernel", False),
    (bzimage(missing=4000), "is a kernel", False),  # only its beginning is looked at
    (b"<html>", "is not an initrd: it is a web page; was an error page saved in its place?", False),
    (b"a disk image", "", False),
]


@pytest.mark.parametrize(("data", "fault", "known"), INITRDS)
def test_initrds(data: bytes, fault: str, known: bool) -> None:
    assert (images.initrd(data), images.known_initrd(data)) == (fault, known)


@given(st.binary(max_size=2000), st.sampled_from([b"", b"MZ", bzimage()[:0x210], b"\x7fELF", pe("x86_64")[:0x90]]))
def test_garbage(data: bytes, start: bytes) -> None:
    images.kernel(start + data, 5000)
    images.initrd(start + data)
    signed(start + data)


FAULTS = [
    # the file, what it is, the finding
    ("vmlinuz", b"<html>", ("kernel-unfit", "error")),
    ("vmlinuz", arm64_image(), ("kernel-arch", "error")),
    ("vmlinuz", bzimage(missing=4000), ("kernel-unfit", "error")),
    ("initrd", b"", ("initrd-unfit", "error")),
    ("initrd", b"who knows", ("initrd-unfit", "warning")),
]


@pytest.mark.parametrize(("name", "data", "expected"), FAULTS)
def test_unfit_files(site: Path, name: str, data: bytes, expected: tuple[str, str]) -> None:
    (site / "images" / name).write_bytes(data)
    ((id, severity, text),) = found(site, 1 if expected[1] == "error" else 0)
    assert (id, severity) == expected
    assert text.startswith(str(site / "images" / name))
    assert [row["machines"] for row in rows(site, 1 if expected[1] == "error" else 0)] == [["lady"]]


def test_kernels_of_other_pcs_fit(site: Path) -> None:
    (site / "images" / "vmlinuz").write_bytes(bzimage("i386"))
    assert found(site, 0) == []


def test_the_distros_arch_is_meant(site: Path) -> None:
    edit(site, "{breed: redhat,", "{breed: redhat, arch: aarch64,")
    ids = {row[0] for row in found(site, 1, "files")}
    assert ids == {"kernel-arch"}
    (site / "images" / "vmlinuz").write_bytes(arm64_image())
    assert found(site, 0, "files") == []


def test_kernel_that_leads_outside(site: Path) -> None:
    (site / "images" / "vmlinuz").unlink()
    (site / "elsewhere").write_bytes(bzimage())
    (site / "images" / "vmlinuz").symlink_to(site / "elsewhere")
    assert [row[:2] for row in found(site, 1)] == [("tftp-outside", "error")]


# who reads


@pytest.fixture
def open_path(tmp_path: Path) -> None:
    """Everybody may come as far as the test's own folder."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)


@root_only
def test_files_that_the_servers_user_may_not_read(site: Path, open_path: None) -> None:
    edit(site, "state: state,", f"state: state, user: {USER},")
    assert found(site, 0) == []
    (site / "images" / "vmlinuz").chmod(0o600)
    (row,) = rows(site, 1)
    assert (row["id"], row["severity"], row["machines"]) == ("tftp-unreadable", "error", ["lady"])
    assert row["command"] == f"chmod a+r {site / 'images' / 'vmlinuz'}"
    assert f"(as {USER})" in row["text"]


@root_only
def test_templates_that_the_servers_user_may_not_read(site: Path, open_path: None) -> None:
    edit(site, "state: state,", f"state: state, user: {USER},")
    (site / "autoinstall").mkdir()
    (site / "autoinstall" / "mine.ks").write_text("text\n")
    assert found(site, 0) == []
    (site / "autoinstall" / "mine.ks").chmod(0o640)
    assert [row[:2] for row in found(site, 1)] == [("template-unreadable", "error")]
    (site / "autoinstall").chmod(0o700)
    assert [row["command"] for row in rows(site, 1)] == [f"chmod a+rx {site / 'autoinstall'}"]


@root_only
def test_rights_are_taken_and_given_back(tmp_path: Path) -> None:
    entry = pwd.getpwnam(USER)
    before = (os.geteuid(), os.getegid(), os.getgroups())
    with suppress(RuntimeError), acting_as(Reader(USER, entry.pw_uid, entry.pw_gid)):
        assert os.geteuid() == entry.pw_uid
        assert os.getgroups() == []
        raise RuntimeError
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_reader() -> None:
    ours = reader("", 0)
    assert (ours.uid, ours.gid, ours.known) == (os.geteuid(), os.getegid(), True)
    assert reader("there-is-no-such-user", 0) == ours
    assert reader("", 999_999_999) == ours


# signatures

DEBIAN, HAT = "Debian Secure Boot CA", "Red Hat Secure Boot CA 5"
SHIM = pe("x86_64", certificates=named("Microsoft Corporation UEFI CA 2011"), vendor=named(DEBIAN))


def test_what_is_read_of_signatures() -> None:
    said = signed(SHIM)
    assert (said.pe, said.signers, said.trusts) == (True, {"Microsoft Corporation UEFI CA 2011"}, {DEBIAN})
    assert signed(pe("x86_64")) == signed(pe("aarch64"))
    assert not signed(pe("x86_64")).signers
    assert not signed(SHIM[:-20]).signers  # the signature is cut off
    assert not signed(b"\x7fELF").pe


REFUSED = [
    # shim, GRUB, the kernel, what firmware or shim says
    (SHIM, pe("x86_64", certificates=named(DEBIAN)), bzimage(certificates=named(DEBIAN)), None),
    (b"MZ", pe("x86_64", certificates=named(DEBIAN)), bzimage(), "firmware refuses shimx64.efi, which is not signed"),
    (pe("x86_64", certificates=named("My own CA")), pe("x86_64"), bzimage(),
     "firmware refuses shimx64.efi, signed by My own CA, unless their certificate is enrolled in it"),
    (SHIM, pe("x86_64"), bzimage(), "shimx64.efi refuses grubx64.efi, which is not signed"),
    (SHIM, pe("x86_64", certificates=named(DEBIAN)), bzimage(), "shimx64.efi refuses vmlinuz, which is not signed"),
    (SHIM, pe("x86_64", certificates=named(DEBIAN)), bzimage(certificates=named(HAT)),
     f"shimx64.efi, which knows {DEBIAN}, refuses vmlinuz, signed by {HAT}"),
]  # fmt: skip


@pytest.mark.parametrize(("shim", "grub", "kernel", "text"), REFUSED)
def test_secure_boot_chains(site: Path, shim: bytes, grub: bytes, kernel: bytes, text: str | None) -> None:
    (site / "images" / "loaders" / "shimx64.efi").write_bytes(shim)
    (site / "images" / "loaders" / "grubx64.efi").write_bytes(grub)
    (site / "images" / "vmlinuz").write_bytes(kernel)
    assert found(site, 0, "secure boot") == []  # nobody was seen with UEFI
    with open_state(str(site / "state")) as state:
        state.leases.commit([Lease(IPv4Address("10.0.0.9"), "52:54:00:00:00:01", arch=7)])
    said = rows(site, 0, "secure boot")
    expected = [f"with Secure Boot on, {text}: lady (has UEFI)"] if text else []
    assert [row["text"] for row in said] == expected
    assert all((row["severity"], row["machines"]) == ("warning", ["lady"]) for row in said)


def test_secure_boot_of_a_pc_with_bios(site: Path) -> None:
    with open_state(str(site / "state")) as state:
        state.leases.commit([Lease(IPv4Address("10.0.0.9"), "52:54:00:00:00:01", arch=0)])
    assert found(site, 0, "secure boot") == []
