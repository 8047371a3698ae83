"""The quoting table: each kind and value, what stands in the text, or why it is refused."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from netprov.render.quoting import Kind, Unquotable, Words, filters, quote

P, G, E, K, S, Y, X, J, T = (
    Kind.PXELINUX,
    Kind.GRUB,
    Kind.IPXE,
    Kind.KICKSTART,
    Kind.PRESEED,
    Kind.YAML,
    Kind.XML,
    Kind.JSON,
    Kind.TEXT,
)

TABLE = [
    # PXELINUX: a line is the whole quoting
    (P, "a b; c 'd' $e", "a b; c 'd' $e"),
    (P, "a\nb", None),
    (P, "a\tb", None),
    (P, Words(["a", "k=v w", "f"]), 'a k="v w" f'),
    (P, Words(['k="v"']), None),
    # GRUB: a word each
    (G, "/vmlinuz", "/vmlinuz"),
    (G, "a b", "'a b'"),
    (G, "it's", "'it'\\''s'"),
    (G, "$x;`y`", "'$x;`y`'"),
    (G, "", "''"),
    (G, "a\nb", None),
    (G, Words(["ds=nocloud;s=http://h/", "k=v w"]), "'ds=nocloud;s=http://h/' 'k=v w'"),
    (G, Words(["k=it's"]), None),
    (G, Words(["k=a\\b"]), None),
    # iPXE: no quotes at all
    (E, "http://h/a?b=c&d", "http://h/a?b=c&d"),
    (E, "a b", "a b"),
    (E, "a  b", None),
    (E, "${net0/mac}", None),
    (E, "a$", None),
    (E, "$5", "$5"),
    (E, "a || b", None),
    (E, "a||b", "a||b"),
    (E, "a #b", None),
    (E, "a#b", "a#b"),
    (E, "a\\", None),
    (E, Words(["k=v w", "x"]), 'k="v w" x'),
    (E, Words(["k=${a}"]), None),
    (E, Words(["#x"]), None),
    # Kickstart and preseed: lines
    (K, "a b", "a b"),
    (K, "a\nb", None),
    (K, "%end", None),
    (K, " %end", None),
    (K, "50%", "50%"),
    (K, "a\\", None),
    (S, "a\\", None),
    (S, "%end", "%end"),
    (T, "a\nb", None),
    # YAML: plain where that means the same string
    (Y, "abc.d-e/f", "abc.d-e/f"),
    (Y, "yes", '"yes"'),
    (Y, "1.5", '"1.5"'),
    (Y, "12:30:00", '"12:30:00"'),
    (Y, "2024-01-01", '"2024-01-01"'),
    (Y, "00:16:3e:11:11:11", "00:16:3e:11:11:11"),
    (Y, "a: b", '"a: b"'),
    (Y, "a\nb", '"a\\nb"'),
    (Y, "a\x85b", '"a\\u0085b"'),
    (Y, "-", '"-"'),
    (Y, "", '""'),
    (Y, ["a", 1], '["a", 1]'),
    (Y, None, "null"),
    (Y, True, "true"),
    # XML
    (X, "<a b='c'>&", "&lt;a b=&#39;c&#39;&gt;&amp;"),
    (X, "a\nb", "a\nb"),
    (X, "a\x00b", None),
    # JSON: always with its quotes
    (J, "a", '"a"'),
    (J, 'a"\n', '"a\\"\\n"'),
    (J, {"a": ("b",)}, '{"a": ["b"]}'),
    # what is not text
    (K, None, None),
    (G, ["a"], None),
    (P, {"a": 1}, None),
    (P, object(), None),
    (P, 7, "7"),
    (P, False, "false"),
    (G, Markup("already; quoted"), "already; quoted"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), TABLE)
def test_quote(kind: Kind, value: object, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Unquotable):
            quote(kind, value)
    else:
        assert quote(kind, value) == expected


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_quotes_words(kind: Kind) -> None:
    assert "a=b" in quote(kind, Words(["a=b", "c"]))


FILTERS = [
    (K, "shell", "a b", "'a b'"),
    (K, "shell", "%end", "'%end'"),
    (K, "ks", "it's", "'it'\"'\"'s'"),
    (K, "lines", "a\n%end\nb", "a\n%end\nb"),
    (Y, "shell", "a: b", "'a: b'"),
    (X, "shell", "a&b", "'a&b'"),
    (X, "lines", "<a>\n", "&lt;a&gt;\n"),
]


@pytest.mark.parametrize(("kind", "name", "value", "expected"), FILTERS)
def test_filter(kind: Kind, name: str, value: str, expected: str) -> None:
    assert filters(kind)[name](value) == expected


@pytest.mark.parametrize("name", ["shell", "ks", "lines"])
@pytest.mark.parametrize("value", ["a\x00b", "a\x1bb"])
def test_filter_refuses_control_characters(name: str, value: str) -> None:
    with pytest.raises(Unquotable):
        filters(K)[name](value)


def test_shell_refuses_a_line_break() -> None:
    """In a block scalar or a script's section the next line would be outside of it."""
    with pytest.raises(Unquotable):
        filters(Y)["shell"]("a\nevil: b")
