"""Strings that a client may send as its host name, vendor class, file name or note."""

from __future__ import annotations

HOSTILE: dict[str, str] = {
    "html": "<img src=x onerror=alert(1)>",
    "script": "</script><script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "svg": "</title></rect></svg><script>alert(1)</script>",
    "template": "{{ 7*7 }}{% for x in () %}",
    "entity": "&lt;b&gt;&#60;",
    "ansi": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "controls": "a\x00b\x08c\x7fd\x9be",
    "lines": "a\r\nSet-Cookie: x=y\r\n\r\n<b>",
    "sse": "x\n\nevent: reload\ndata: {}\n\n",
    "metrics": 'x"} 1\nnetprov_evil 1\n',
    "bidi": "invoice\u202egnp.exe",
    "invisible": "a\u200b\u2066b\ufeff",
    "astral": "\U0001f4a5 \U000e0041",
    "long": "A" * 10_000,
    "percent": "%00%0a%s%n../../etc/passwd",
    "json": "\u2028\u2029</script>",
    "yaml": "a: b\n- c: !!python/object x",
}
NEVER = ("<img src=x", "<script>alert", 'onmouseover="alert', "\x1b", "\x00", "\x08", "\x7f", "\x9b", "\x07", "\u202e",
         "\u200b", "\u2066", "\ufeff", "\U000e0041", "\u2028", "\u2029", "A" * 1000)  # fmt: skip
"""What no page may have in it, whatever was sent."""
