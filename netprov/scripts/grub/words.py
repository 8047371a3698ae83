"""The words of GRUB's script language: quotes, variables, and the marks between commands.

Source: grub-core/script/yylex.l, and what grub-emu 2.06 was seen to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from netprov.errors import Origin

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?@*#])\}|([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?@*#]))")
_PLAIN = re.compile(r"[^{}|&$;<> \t\n'\"\\]+")  # CHAR of the lexer
_UNMARKED = re.compile(r"[^$\\]*")
_BLANKS = " \t"
_MOST_PARTS = 10_000  # of one word

Lookup = Callable[[str], list[str]]
"""The texts of a variable: several for $@, one for all others."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: its text, whether it stood in quotes, whether it is the name of a variable."""

    text: str
    quoted: bool = False
    variable: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    parts: tuple[Part, ...]

    def bare(self) -> str:
        """The word where it is plain text without quotes, as keywords are; else ""."""
        plain = not any(part.variable or part.quoted for part in self.parts)
        return "".join(part.text for part in self.parts) if plain else ""

    def expand(self, values: Lookup) -> list[str]:
        """The texts that it stands for: an unquoted variable is split at blanks, an empty one is no word."""
        texts: list[str | None] = [None]
        for part in self.parts:
            if not part.variable:
                if part.text or part.quoted:
                    texts[-1] = (texts[-1] or "") + part.text
                continue
            for number, value in enumerate(values(part.text)):
                if number:
                    texts.append(None)
                pieces = [value] if part.quoted else value.split()
                for place, piece in enumerate(pieces):
                    if place:
                        texts.append(None)
                    texts[-1] = (texts[-1] or "") + piece
        return [text for text in texts if text is not None]


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: word, newline, or the mark itself: ; { }. Of kind bad is what GRUB has no use for."""

    kind: str
    origin: Origin
    word: Word = Word(())
    text: str = ""


def tokens(text: str, name: str) -> Iterator[Token]:
    """A line that begins with # is none, wherever it stands."""
    lines = re.split("\r?\n", text)
    return _Scanner("\n".join("" if line.startswith("#") else line for line in lines) + "\n", name).tokens()


class _Scanner:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self._line = 1
        self._parts: list[Part] = []
        self._began = 1  # the line of the word

    def tokens(self) -> Iterator[Token]:
        while self._at < len(self._text):
            char = self._text[self._at]
            plain = _PLAIN.match(self._text, self._at)
            if plain is not None and (char != "#" or self._parts):
                self._began = self._began if self._parts else self._line
                self._parts.append(Part(plain[0]))
                self._at = plain.end()
            elif char in " \t\n;{}|&<>":
                yield from self._word()
                yield from self._mark(char)
            elif char == "#":
                self._at = self._text.index("\n", self._at)
            else:
                self._began = self._began if self._parts else self._line
                fault = self._piece(char)
                if len(self._parts) > _MOST_PARTS:
                    fault, self._at = "a word that is too long", len(self._text)
                if fault:
                    yield Token("bad", Origin(self._name, self._began), text=fault)
        yield from self._word()

    def _word(self) -> Iterator[Token]:
        if self._parts:
            word = Word(tuple(self._parts))
            self._parts.clear()
            kind = "bad" if word.bare() in ("[[", "]]") else "word"
            yield Token(kind, Origin(self._name, self._began), word, word.bare())

    def _mark(self, char: str) -> Iterator[Token]:
        origin = Origin(self._name, self._line)
        self._at += 1
        if char == "\n":
            self._line += 1
            yield Token("newline", origin)
        elif char not in _BLANKS:
            twice = char in "|&;" and self._text.startswith(char, self._at)
            self._at += twice
            known = char in "{};" and not twice
            yield Token(char if known else "bad", origin, text=char * (1 + twice))

    def _piece(self, char: str) -> str:
        """Takes a piece of a word. What is wrong with it; "" for nothing."""
        text, at = self._text, self._at
        variable = _VARIABLE.match(text, at)
        if char == "'" or char == '"' or text.startswith('$"', at):
            opening = at + (char == "$")
            closing = _closing(text, opening)
            if closing < 0:
                self._at = len(text)
                return f"the quote {text[opening]} that is not closed"
            inner = text[opening + 1 : closing]
            self._parts += [Part(inner, quoted=True)] if char == "'" else _quoted(inner)
            self._line += inner.count("\n")
            self._at = closing + 1
        elif char == "\\":
            after = text[at + 1 : at + 2]
            self._line += after == "\n"
            if after != "\n":
                self._parts.append(Part(after, quoted=True))
            self._at += 2
        elif variable is not None:
            self._parts.append(Part(variable[1] or variable[2], variable=True))
            self._at = variable.end()
        else:
            self._at += 1
            return "$"
        return ""


def _closing(text: str, at: int) -> int:
    quote, place = text[at], at + 1
    while place < len(text):
        if text[place] == "\\" and quote == '"':
            place += 1
        elif text[place] == quote:
            return place
        place += 1
    return -1


def _quoted(text: str) -> list[Part]:
    parts, at = [Part("", quoted=True)], 0
    while at < len(text):
        variable = _VARIABLE.match(text, at)
        if text[at] == "\\" and text[at + 1 : at + 2] in ("$", '"', "\\"):
            parts.append(Part(text[at + 1], quoted=True))
            at += 2
        elif text.startswith("\\\n", at):
            at += 2
        elif variable is not None:
            parts.append(Part(variable[1] or variable[2], quoted=True, variable=True))
            at = variable.end()
        else:
            end = _UNMARKED.match(text, at + 1)
            assert end is not None
            parts.append(Part(text[at : end.end()], quoted=True))
            at = end.end()
    return parts
