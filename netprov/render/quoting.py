"""Values in text that a loader or an installer reads: quoted for the place, or refused.

A template's author cannot forget it: every `{{ … }}` goes through the quoting of the template's kind. A value that the
format has no way to express is an error, for it would add a directive or silently become another value.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import yaml
from markupsafe import Markup, escape


class Kind(StrEnum):
    """What reads the text."""

    PXELINUX = "pxelinux"
    GRUB = "grub"
    IPXE = "ipxe"
    KICKSTART = "kickstart"
    PRESEED = "preseed"
    YAML = "yaml"
    XML = "xml"
    JSON = "json"
    TEXT = "text"


LOADER_KINDS = frozenset({Kind.PXELINUX, Kind.GRUB, Kind.IPXE})


class Unquotable(ValueError):
    """The format cannot express the value; the text says why."""


class Words(tuple[str, ...]):
    """The words of a kernel command line, unquoted: each stays one word."""

    __slots__ = ()


# C0, DEL, C1 (with NEL) and Unicode's line and paragraph separator: what some reader takes for the end of a line
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_END = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
_GRUB_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_GRUB_MANGLED = re.compile(r"[\\'\"]")
_YAML_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+:%=?&~-]*")


def one_line(text: str) -> str:
    """`text`, which has no control characters. Raises Unquotable."""
    if _LINE_END.search(text):
        raise Unquotable("has a line break, and what follows would be read as a line of its own")
    if _CONTROL.search(text):
        raise Unquotable("has a control character")
    return text


def kernel_word(word: str) -> str:
    """One word of a kernel command line, in the double quotes the kernel understands where it has spaces.

    Raises Unquotable for a double quote: the kernel's parser (lib/cmdline.c, next_arg) has no way to escape it.
    """
    one_line(word)
    if '"' in word:
        raise Unquotable("has a double quote, which a kernel command line cannot express")
    if " " not in word:
        return word
    key, equals, value = word.partition("=")
    return f'{key}="{value}"' if equals and " " not in key else f'"{word}"'


def grub_word(word: str) -> str:
    """One word of a GRUB script."""
    one_line(word)
    return word if _GRUB_PLAIN.fullmatch(word) else "'" + word.replace("'", "'\\''") + "'"


def _grub_argument(word: str) -> str:
    """One word for GRUB's `linux`, which adds the kernel's double quotes itself and backslashes to these three
    characters (grub-core/lib/cmdline.c), so that the kernel would get another word."""
    found = _GRUB_MANGLED.search(word)
    if found:
        raise Unquotable(f"has a {found[0]}, which GRUB cannot hand to a kernel unchanged")
    return grub_word(word)


def shell_word(text: str) -> str:
    """One word for a POSIX shell, and for Kickstart's commands, which are split by the same rules."""
    quoted = shlex.quote(one_line(text))
    return f"'{quoted}'" if quoted.startswith("%") else quoted  # "%end" at a line's start would end the script


def _ipxe(text: str) -> str:
    """Text for an iPXE script, which knows no quotes: settings are expanded everywhere, words split at spaces."""
    one_line(text)
    if "${" in text or text.endswith("$"):
        raise Unquotable("has ${, which iPXE would take for a setting of its own")
    if text.endswith("\\"):
        raise Unquotable("ends with a backslash, which would join the next line to it")
    if "  " in text:
        raise Unquotable("has two spaces together, of which iPXE keeps one")
    for token in text.split(" "):
        if token in ("||", "&&") or token.startswith("#"):
            raise Unquotable(f"has {token!r}, which ends an iPXE command")
    return text


def _ipxe_words(words: Words) -> str:
    return " ".join(_ipxe(kernel_word(word)) for word in words)


def _pxelinux_words(words: Words) -> str:
    return " ".join(kernel_word(word) for word in words)


def _grub_words(words: Words) -> str:
    return " ".join(_grub_argument(word) for word in words)


def _ends_open(text: str) -> str:
    one_line(text)
    if text.endswith("\\"):
        raise Unquotable("ends with a backslash, which would join the next line to it")
    return text


def _kickstart(text: str) -> str:
    if text.lstrip().startswith("%"):
        raise Unquotable("begins with %, which Kickstart takes for a section; give it to the filter ks, shell or lines")
    return _ends_open(text)


def _yaml(text: str) -> str:
    """A YAML scalar that is this string: plain where that is safe, else in double quotes (a JSON string is one)."""
    if _YAML_PLAIN.fullmatch(text) and not text.endswith(":") and yaml.safe_load(text) == text:
        return text
    return _json(text)


def _json(value: object) -> str:
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _xml(text: str) -> str:
    if _CONTROL_BUT_LINES.search(text):
        raise Unquotable("has a control character, which XML does not allow")
    return str(escape(text))


def _words_as_text(quote_text: Callable[[str], str]) -> Callable[[Words], str]:
    return lambda words: quote_text(_pxelinux_words(words))


_Quotes = tuple[Callable[[str], str], Callable[[Words], str]]

_TABLE: Mapping[Kind, _Quotes] = {
    Kind.PXELINUX: (one_line, _pxelinux_words),
    Kind.GRUB: (grub_word, _grub_words),
    Kind.IPXE: (_ipxe, _ipxe_words),
    Kind.KICKSTART: (_kickstart, _words_as_text(_kickstart)),
    Kind.PRESEED: (_ends_open, _words_as_text(_ends_open)),
    Kind.TEXT: (_ends_open, _words_as_text(_ends_open)),
    Kind.YAML: (_yaml, _words_as_text(_yaml)),
    Kind.XML: (_xml, _words_as_text(_xml)),
    Kind.JSON: (_json, _words_as_text(_json)),
}


def quote(kind: Kind, value: object) -> Markup:
    """`value` as text of `kind`; what is Markup is quoted already. Raises Unquotable."""
    if isinstance(value, Markup):
        return value
    text, words = _TABLE[kind]
    if isinstance(value, Words):
        return Markup(words(value))
    if isinstance(value, str):
        return Markup(text(value))
    if isinstance(value, bool):
        return Markup("true" if value else "false")
    if isinstance(value, int | float):
        return Markup(str(value))
    if kind in (Kind.YAML, Kind.JSON):
        return Markup(_json(value))
    if value is None:
        raise Unquotable("is unset; give it a value, or ask with {% if … %}")
    if isinstance(value, Sequence | Mapping):
        raise Unquotable("is a list or a mapping; write its parts, or join them with the filter join")
    raise Unquotable(f"is a {type(value).__name__}, not text")


def filters(kind: Kind) -> dict[str, Callable[[object], str]]:
    """The quoting filters of templates of `kind`.

    shell: one word of a shell script. ks: one argument of a Kickstart command. lines: a text of several lines that the
    operator wrote for this place, taken as it is.
    """
    if kind in LOADER_KINDS:
        return {}
    as_it_is = kind is Kind.YAML  # there it stands in a block scalar; other kinds' own quoting leaves it alone

    def shell(value: object) -> str:
        word = shell_word(str(value))
        return Markup(word) if as_it_is else word

    def lines(value: object) -> str:
        text = str(value)
        if _CONTROL_BUT_LINES.search(text):
            raise Unquotable("has a control character")
        return escape(text) if kind is Kind.XML else Markup(text)

    return {"shell": shell, "ks": shell, "lines": lines}
