"""What the readers of all loaders' scripts share: names, and which of them no domU can boot."""

from __future__ import annotations

import pytest

from netprov.scripts.plan import joined, refused


@pytest.mark.parametrize(
    ("base", "name", "url"),
    [
        ("http://h/ipxe/m", "/files/v", "http://h/files/v"),
        ("http://h/ipxe/m?x=1", "v", "http://h/ipxe/v"),
        ("http://h/ipxe/m", "http://o/v", "http://o/v"),
        ("tftp://h/a/boot.ipxe", "v", "tftp://h/a/v"),
        ("tftp://h/a/boot.ipxe", "/v", "tftp://h/v"),
        ("tftp://h/a/boot.ipxe", "http://o/v", "http://o/v"),
        ("", "v", "v"),
        ("b/c", "v", "b/v"),
        ("http://h/a", "http://[::1", "http://[::1"),
        ("http://[::1", "v", "v"),
    ],
)
def test_names_are_relative_to_their_script(base: str, name: str, url: str) -> None:
    assert joined(base, name) == url


@pytest.mark.parametrize(
    ("kernel", "by_suffix", "without"),
    [
        ("vmlinuz", False, False),
        ("vmlinuz-6.1.0", True, False),
        ("kernel.img", True, False),
        ("memdisk", True, True),
        ("/x/wimboot?a=1", True, True),
        ("ipxe.efi", True, True),
        ("x.efi", True, False),
    ],
)
def test_what_a_name_tells(kernel: str, by_suffix: bool, without: bool) -> None:
    """Whether the name alone refuses it: where the loader goes by the name's end, and where it does not."""
    assert (refused(kernel, (), "x:1") is not None) is by_suffix
    assert (refused(kernel, (), "x:1", by_suffix=False) is not None) is without
    assert refused("vmlinuz", ("x.iso",), "x:1", by_suffix=False) is not None
