"""A domU's configuration: its text, and what the text assigns, so that a change touches nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.errors import ConfigError, Origin, Problem


class Number(str):
    """A number as it is written: 512, 0x1f."""

    __slots__ = ()


Value = str | tuple["Value", ...]
"""A text, a Number, or a list."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`text[start:end]` of the document, and what it assigns, in order: a setting one name, a Python `if` several.

    `added`: written with +=, so that the value goes behind the one before.
    """

    start: int
    end: int
    origin: Origin
    assigns: tuple[tuple[str, Value], ...] = ()
    added: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    name: str  # of the file
    text: str
    statements: tuple[Statement, ...]

    @property
    def settings(self) -> Mapping[str, Value]:
        """What holds at the end of the file: the last assignment of each name, with what += added."""
        found: dict[str, Value] = {}
        for statement in self.statements:
            for name, value in statement.assigns:
                before = found.get(name)
                found[name] = joined(before, value) if statement.added and before is not None else value
        return found

    def origin(self, name: str) -> Origin:
        """Where `name` was assigned last; the file as a whole where it was not."""
        for statement in reversed(self.statements):
            if any(assigned == name for assigned, _ in statement.assigns):
                return statement.origin
        return Origin(self.name)

    def changed(self, new: Mapping[int, str], end: str = "") -> str:
        """The text with the statements of those numbers replaced, and `end` behind it."""
        parts, at = [], 0
        for number, statement in enumerate(self.statements):
            if number in new:
                parts += [self.text[at : statement.start], new[number]]
                at = statement.end
        parts.append(self.text[at:])
        text = "".join(parts)
        if end and text and not text.endswith("\n"):
            text += "\n"
        return text + end


def joined(before: Value, value: Value) -> Value:
    """What += makes. Raises ValueError for a list and a text, as xl does."""
    if isinstance(before, tuple) and isinstance(value, tuple):
        return before + value
    if isinstance(before, str) and isinstance(value, str):
        return str(before) + str(value)
    raise ValueError("+= joins two lists or two texts, not one with the other")


_ESCAPES = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v"}


def render(value: Value) -> str:
    """`value` as xl reads it. Raises ConfigError for a control character, which xl 4.17 has no way to write."""
    if isinstance(value, tuple):
        return f"[ {', '.join(map(render, value))} ]" if value else "[]"
    if isinstance(value, Number):
        return str(value)
    quote = "'" if '"' in value and "'" not in value else '"'
    return quote + "".join(_escaped(char, quote) for char in value) + quote


def _escaped(char: str, quote: str) -> str:
    if char in (quote, "\\"):
        return "\\" + char
    if char in _ESCAPES:
        return "\\" + _ESCAPES[char]
    if char < " " or char == "\x7f":
        raise ConfigError(Problem(None, "", f"xl's configuration cannot express the character {char!r}"))
    return char


def setting(name: str, value: Value) -> str:
    """A line, without its end."""
    return f"{name} = {render(value)}"
