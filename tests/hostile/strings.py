"""What a client may send where a name is expected, and what nobody who looks may get to see of it."""

from __future__ import annotations

STRINGS: dict[str, bytes] = {
    "controls": b"a\x00b\x01\x07\x08\x0b\x0c\x7f end",
    "c1": "a\x85b\x9b31mc\x9d0;t\x9c end".encode(),
    "ansi": b"\x1b[2J\x1b[31mred\x1b]0;owned\x07\x1b]8;;http://evil/\x1b\\link",
    "html": b"<img src=x onerror=alert(1)><b>bold</b>",
    "script": b"</script></title></svg><script>alert(1)</script>",
    "attribute": b'" onmouseover="alert(1)" x=\'y',
    "entity": b"&lt;b&gt;&#60;script&#62;",
    "newlines": b"a\nb\r\nnetprov: serves evil\nnetprov_evil 1\n",
    "crlf": b"x\r\nSet-Cookie: evil=1\r\n\r\n<script>alert(1)</script>",
    "quotes": b'\'"`\\"}],{"evil": 1}',
    "not-utf8": b"caf\xe9 \xff\xfe \xc0\xaf \xed\xa0\x80",
    "bidi": "invoice\u202egnp.exe \u2066isolated\u2069 \u200bzero \ufeffbom \u2028line".encode(),
    "format": b"%s%n%d%x {0} {evil!r} {} %(evil)s $(reboot) `reboot`",
    "template": b"{{ 7*191 }}{% for x in () %}${jndi:ldap://evil/}#{7*7}[bold red]markup[/]",
    "path": b"../../../../etc/passwd%00%0a..\\..\\x",
    "long": b"A" * 10_000,
    "sse": b"x\n\nevent: reload\ndata: {}\n\n",
}

NEVER = (
    "\x00", "\x01", "\x07", "\x08", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\x9b", "\x9d",
    "\u202e", "\u2066", "\u2069", "\u200b", "\ufeff", "\u2028", "\udced", "A" * 3000,
)  # fmt: skip
"""What no line that is meant to be read may hold, whoever sent it."""

MARKUP = ("<img src=x", "<script>alert", 'onmouseover="alert', "<b>bold")
"""Nor a page, as markup."""

SHOWN = {
    "controls": "\\x07",
    "ansi": "\\x1b[2J",
    "html": "<img src=x onerror=alert(1)>",
    "newlines": "\\x0anetprov_evil",
    "bidi": "\\u202egnp",
    "template": "{{ 7*191 }}",
    "format": "%s%n%d%x {0}",
}
"""How some of them are seen, so that it is known that they are."""
