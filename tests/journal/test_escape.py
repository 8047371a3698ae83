"""Text of strangers is safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.text import escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pxelinux.cfg/01-52", "pxelinux.cfg/01-52"),
        ("größe рыба 😀", "größe рыба 😀"),
        ("\\EFI\\BOOT", "\\EFI\\BOOT"),
        ("a\nb\r\tc", "a\\x0ab\\x0d\\x09c"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp", "\\u202egnp"),
        ("\u2066\u2069\u200f\u200b\ufeff", "\\u2066\\u2069\\u200f\\u200b\\ufeff"),
        ("\u2028\u00a0", "\\u2028\\xa0"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("", ""),
        ("x" * 500, "x" * 400 + "…"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters()))
def test_nothing_unprintable_is_left(text: str) -> None:
    assert escape(text).isprintable()
