from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.names import Name, parse_name
from netprov.boot.request import Loader

MAC = "52:54:00:12:34:ab"
UUID = "b8945908-d6a6-41a9-611d-74a6ab80b83d"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"pxelinux.cfg/{UUID}", Name(Loader.PXELINUX, uuid=UUID, exact=True)),
        ("pxelinux.cfg/01-52-54-00-12-34-ab", Name(Loader.PXELINUX, mac=MAC)),
        ("/pxelinux.cfg/01-52-54-00-12-34-AB", Name(Loader.PXELINUX, mac=MAC)),
        ("some/dir/pxelinux.cfg/01-52-54-00-12-34-ab", Name(Loader.PXELINUX, mac=MAC)),
        ("pxelinux.cfg/C0A80472", Name(Loader.PXELINUX, ip=IPv4Address("192.168.4.114"), exact=True)),
        ("pxelinux.cfg/default", Name(Loader.PXELINUX)),
        ("/grub/grub.cfg-01-52-54-00-12-34-ab", Name(Loader.GRUB, mac=MAC)),
        ("/grub/grub.cfg-C0A80472", Name(Loader.GRUB, ip=IPv4Address("192.168.4.114"), exact=True)),
        ("/grub/grub.cfg", Name(Loader.GRUB)),
        ("grub.cfg", Name(Loader.GRUB)),
        ("boot/grub/grub.cfg", Name(Loader.GRUB)),
        ("/EFI/debian/grub.cfg", Name(Loader.GRUB)),
        ("\\EFI\\debian\\grub.cfg", Name(Loader.GRUB)),
        ("grub/system/52:54:00:12:34:ab", Name(Loader.GRUB, mac=MAC)),
        ("boot.ipxe", Name(Loader.IPXE)),
        ("/autoexec.ipxe", Name(Loader.IPXE)),
        ("ipxe/52-54-00-12-34-ab", Name(Loader.IPXE, mac=MAC)),
        ("ipxe/52:54:00:12:34:AB.ipxe", Name(Loader.IPXE, mac=MAC)),
        # not scripts
        ("pxelinux.0", None),
        ("pxelinux.cfg/C0A8047", None),  # shortened: a group of machines, which is what profiles are for
        ("pxelinux.cfg/01-52-54-00-12-34", None),
        ("pxelinux.cfg/../default", None),
        ("../pxelinux.cfg/default", None),
        ("grub/x86_64-efi/command.lst", None),
        ("", None),
        ("x" * 300 + "/pxelinux.cfg/default", None),
        ("pxelinux.cfg/default\n", None),
        ("boot.ipxe\0", None),
    ],
)
def test_parse_name(path, name):
    assert parse_name(path) == name


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_none(path):
    assert parse_name(path) is None or isinstance(parse_name(path), Name)
