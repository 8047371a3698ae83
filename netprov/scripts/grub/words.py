"""The grammar of GRUB's script language: words with their quotes, commands, if … fi, and blocks in braces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from netprov.errors import Origin
from netprov.scripts.straight import NotStraight

_DEPTH = 32  # of blocks in blocks
_LOOPS = frozenset({"for", "while", "until", "function", "select"})
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*|\?|[0-9]+)\}|([A-Za-z_][A-Za-z0-9_]*|\?|[0-9@*#]))")

Lookup = Callable[[str, Origin], str]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: its text, whether it stood in quotes, whether it is the name of a variable."""

    text: str
    quoted: bool = False
    variable: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    parts: tuple[Part, ...]

    def plain(self) -> str:
        """The word where it has no variables; else ""."""
        return "" if any(part.variable for part in self.parts) else "".join(part.text for part in self.parts)

    def expand(self, value: Lookup, origin: Origin) -> list[str]:
        """The texts that it stands for: an unquoted variable is split at blanks, an empty one is no word."""
        texts, open_word = [""], any(part.quoted for part in self.parts)
        for part in self.parts:
            text = value(part.text, origin) if part.variable else part.text
            if not part.variable or part.quoted:
                texts[-1] += text
                open_word = open_word or bool(text)
                continue
            first, *more = text.split(" ") if text else [""]
            texts[-1] += first
            texts += more
            open_word = open_word or bool(text)
        return texts if open_word else []


@dataclass(frozen=True, slots=True)
class Command:
    words: tuple[Word, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Command, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Block:
    """menuentry or submenu … { body }"""

    head: Command
    body: tuple[Statement, ...]

    @property
    def origin(self) -> Origin:
        return self.head.origin


Statement = Command | If | Block


def parse_script(text: str, name: str) -> tuple[Statement, ...]:
    """Raises NotStraight for loops, functions, and what is no GRUB script."""
    parser = _Parser(list(_tokens(text, name)), name)
    statements = parser.body(())
    parser.at_end()
    return statements


_Token = tuple[Word | None, Origin]
"""A word, or None for the end of a command."""


def _tokens(text: str, name: str) -> Iterator[_Token]:
    line, at = 1, 0
    parts: list[Part] = []
    text = text.replace("\r\n", "\n")

    def word() -> Iterator[_Token]:
        if parts:
            yield Word(tuple(parts)), Origin(name, line)
            parts.clear()

    while at < len(text):
        char = text[at]
        if char in " \t\n;":
            yield from word()
            if char in "\n;":
                yield None, Origin(name, line)
            line += char == "\n"
            at += 1
        elif char == "#" and not parts:
            at = _end(text, at, "\n")
        elif char in "'\"":
            closing = _closing(text, at, name, line)
            inner = text[at + 1 : closing]
            parts += [Part(inner, quoted=True)] if char == "'" else _quoted(inner)
            line += inner.count("\n")
            at = closing + 1
        elif char == "\\":
            if text[at + 1 : at + 2] == "\n":
                line += 1
            else:
                parts.append(Part(text[at + 1 : at + 2], quoted=True))
            at += 2
        elif char in "|&<>":
            raise NotStraight(Origin(name, line), f"{char} is not understood")
        elif char == "$" and (found := _VARIABLE.match(text, at)):
            parts.append(Part(found[1] or found[2], variable=True))
            at = found.end()
        else:
            parts.append(Part(char))
            at += 1
    yield from word()


def _end(text: str, at: int, what: str) -> int:
    found = text.find(what, at)
    return found if found >= 0 else len(text)


def _closing(text: str, at: int, name: str, line: int) -> int:
    quote, place = text[at], at + 1
    while place < len(text):
        if text[place] == "\\" and quote == '"':
            place += 1
        elif text[place] == quote:
            return place
        place += 1
    raise NotStraight(Origin(name, line), f"the quote {quote} is not closed")


def _quoted(text: str) -> list[Part]:
    parts, at = [Part("", quoted=True)], 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in ("$", '"', "\\"):
            parts.append(Part(text[at + 1], quoted=True))
            at += 2
        elif text[at] == "$" and (found := _VARIABLE.match(text, at)):
            parts.append(Part(found[1] or found[2], quoted=True, variable=True))
            at = found.end()
        else:
            parts.append(Part(text[at], quoted=True))
            at += 1
    return parts


class _Parser:
    def __init__(self, tokens: list[_Token], name: str) -> None:
        self._tokens = tokens
        self._at = 0
        self._name = name
        self._depth = 0

    def at_end(self) -> None:
        if self._at < len(self._tokens):
            word, origin = self._tokens[self._at]
            raise NotStraight(origin, f"{word.plain() if word else ';'} stands where no block is open")

    def _next_plain(self) -> str:
        word = self._tokens[self._at][0] if self._at < len(self._tokens) else None
        bare = word is not None and not any(part.quoted for part in word.parts)
        return word.plain() if word is not None and bare else ""

    def body(self, ends: tuple[str, ...]) -> tuple[Statement, ...]:
        """Statements up to one of the words `ends`, which is left to the caller."""
        self._depth += 1
        if self._depth > _DEPTH:
            raise NotStraight(Origin(self._name), f"blocks are nested more than {_DEPTH} deep")
        found: list[Statement] = []
        while self._at < len(self._tokens):
            word, origin = self._tokens[self._at]
            plain = self._next_plain()
            if word is None:
                self._at += 1
            elif plain in ends or (plain in ("}", "fi", "else", "elif", "then", "done", "do") and not ends):
                break
            elif plain in _LOOPS:
                raise NotStraight(origin, f"{plain} is not straight-line")
            elif plain == "if":
                found.append(self._if(origin))
            else:
                found.append(self._command())
        self._depth -= 1
        return tuple(found)

    def _expect(self, *plain: str) -> str:
        got = self._next_plain()
        origin = self._tokens[self._at][1] if self._at < len(self._tokens) else Origin(self._name)
        if got not in plain:
            raise NotStraight(origin, f"{' or '.join(plain)} is missing")
        self._at += 1
        return got

    def _if(self, origin: Origin) -> If:
        branches = []
        while True:
            self._at += 1  # if or elif
            if self._at >= len(self._tokens) or self._tokens[self._at][0] is None:
                raise NotStraight(origin, "if without a condition")
            condition = self._simple()
            while self._at < len(self._tokens) and self._tokens[self._at][0] is None:
                self._at += 1
            self._expect("then")
            branches.append((condition, self.body(("elif", "else", "fi"))))
            if self._next_plain() != "elif":
                break
        otherwise: tuple[Statement, ...] = ()
        if self._expect("else", "fi") == "else":
            otherwise = self.body(("fi",))
            self._expect("fi")
        return If(tuple(branches), otherwise, origin)

    def _simple(self) -> Command:
        words, origin = [], self._tokens[self._at][1]
        while self._at < len(self._tokens) and (word := self._tokens[self._at][0]) is not None:
            if self._next_plain() in ("{", "}"):
                break
            words.append(word)
            self._at += 1
        if not words:
            raise NotStraight(origin, "a brace stands alone")
        return Command(tuple(words), origin)

    def _command(self) -> Statement:
        head = self._simple()
        if self._next_plain() != "{":
            return head
        if head.words[0].plain() not in ("menuentry", "submenu"):
            raise NotStraight(head.origin, f"{head.words[0].plain()} with a block is not straight-line")
        self._at += 1
        body = self.body(("}",))
        self._expect("}")
        return Block(head, body)
