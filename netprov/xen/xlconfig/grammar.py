"""xl's own grammar, exactly as libxlutil 4.17 reads it (a test asks the library itself where it is installed).

Statements end with a line or `;`. Names are of small letters, digits and _, beginning with a letter. Values are texts
in ' or ", which end on their line, numbers, and lists, which may go over lines and end with a comma. += appends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from netprov.errors import ConfigError, Origin, Problem
from netprov.xen.xlconfig.document import Document, Number, Statement, Value, joined

_DEPTH = 64
_UNESCAPED = dict(zip("abfnrtv'\"\\", "\a\b\f\n\r\t\v'\"\\", strict=True))
_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+|\#[^\n]*)
    |(?P<line>\n)
    |(?P<name>[a-z][_0-9a-z]*)
    |(?P<number>[0-9][0-9a-fx]*)
    |(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<mark>\+=|[=,;\[\]])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "line", "name", "number", "text", "end", or the mark itself
    text: str
    start: int
    line: int


class _Fault(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


def read(text: str, name: str) -> Document:
    """Raises ConfigError with every statement that xl would choke on, by file and line."""
    reader = _Reader(text, name)
    statements = reader.statements()
    reader.problems += _check_additions(statements)
    if reader.problems:
        raise ConfigError(*reader.problems)
    return Document(name, text, tuple(statements))


def _check_additions(statements: list[Statement]) -> Iterator[Problem]:
    before: dict[str, Value] = {}
    for statement in statements:
        for key, value in statement.assigns:
            try:
                before[key] = joined(before[key], value) if statement.added and key in before else value
            except ValueError as error:
                yield Problem(statement.origin, "", f"{key}: {error}")


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._name = name
        self._tokens = self._scan(0, 1)
        self._token = self._next()

    def _scan(self, at: int, line: int) -> Iterator[_Token]:
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise _Fault(line, _odd(self._text, at))
            kind = found.lastgroup or ""
            if kind == "mark":
                kind = found[0]
            if kind != "blank":
                yield _Token(kind, found[0], at, line)
            line += kind == "line"
            at = found.end()
        yield _Token("end", "", at, line)

    def _next(self) -> _Token:
        try:
            self._token = next(self._tokens)
        except StopIteration:
            pass
        except _Fault as fault:
            self._token = _Token("fault", fault.text, -1, fault.line)
        return self._token

    def statements(self) -> list[Statement]:
        found = []
        while self._token.kind != "end":
            if self._token.kind in ("line", ";"):
                self._next()
                continue
            try:
                found.append(self._statement())
            except _Fault as fault:
                self.problems.append(Problem(Origin(self._name, fault.line), "", fault.text))
                self._skip_line(fault.line)
        return found

    def _skip_line(self, line: int) -> None:
        """Goes on after the end of `line`, so that the next fault is found too."""
        at, number = 0, 1
        while number <= line and at >= 0:
            at = self._text.find("\n", at) + 1 or -1
            number += 1
        at = at if at >= 0 else len(self._text)
        self._tokens = self._scan(at, line + 1)
        self._next()

    def _statement(self) -> Statement:
        name = self._take("name")
        operator = self._token
        if operator.kind not in ("=", "+="):
            raise self._fault(f"after {name.text}, = is missing")
        self._next()
        value, end = self._value(0)
        if self._token.kind not in ("line", ";", "end"):
            raise self._fault(f"after the value of {name.text}")
        origin = Origin(self._name, name.line)
        return Statement(name.start, end, origin, ((name.text, value),), operator.kind == "+=")

    def _take(self, kind: str) -> _Token:
        token = self._token
        if token.kind != kind:
            raise self._fault("a setting must begin with its name")
        self._next()
        return token

    def _fault(self, what: str) -> _Fault:
        token = self._token
        if token.kind == "fault":
            return _Fault(token.line, token.text)
        seen = {"line": "the line ends", "end": "the file ends"}.get(token.kind, f"there is {token.text}")
        return _Fault(token.line, f"{what}: {seen}")

    def _value(self, depth: int) -> tuple[Value, int]:
        """The value, and where it ends."""
        token = self._token
        if token.kind == "number":
            self._next()
            return Number(token.text), token.start + len(token.text)
        if token.kind == "text":
            value = self._unquoted(token)
            self._next()
            return value, token.start + len(token.text)
        if token.kind == "[" and depth < _DEPTH:
            return self._list(depth)
        if token.kind == "name":
            text = f"{token.text} is not in quotes, and xl knows no variables (xm did): write the value itself"
            raise _Fault(token.line, text)
        raise self._fault("a value must be text in quotes, a number or a list")

    def _list(self, depth: int) -> tuple[Value, int]:
        items: list[Value] = []
        self._skip_lines(self._next())
        while self._token.kind != "]":
            items.append(self._value(depth + 1)[0])
            self._skip_lines(self._token)
            if self._token.kind == ",":
                self._skip_lines(self._next())
            elif self._token.kind != "]":
                raise self._fault("in a list, a comma or ] is missing")
        end = self._token.start + 1
        self._next()
        return tuple(items), end

    def _skip_lines(self, token: _Token) -> None:
        while token.kind == "line":
            token = self._next()

    def _unquoted(self, token: _Token) -> str:
        def plain(found: re.Match[str]) -> str:
            if found[1] not in _UNESCAPED:
                text = f"\\{found[1]} in a text: xl knows only \\\\, \\', \\\" and \\a \\b \\f \\n \\r \\t \\v"
                raise _Fault(token.line, text)
            return _UNESCAPED[found[1]]

        return re.sub(r"\\(.)", plain, token.text[1:-1])


def _odd(text: str, at: int) -> str:
    """What is wrong with the text at `at`, where no token is."""
    char = text[at]
    if char == "\r":
        return "the line ends with a carriage return, as Windows writes it: xl stops there; convert the file"
    if text.startswith(("'''", '"""'), at) or char in "'\"":
        return f"the text that {char} begins is not closed on this line"
    word = re.match(r"[\w.]+|\S", text[at:])
    shown = word[0] if word else repr(char)
    if shown in ("True", "False", "None"):
        return f"{shown}: xl knows no Python; write 1 or 0"
    if char in "(":
        return "( opens a tuple or an expression of Python, which xl does not know: write a list in [ ]"
    if char.isupper() or (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
        return f"{shown}: xl's names and numbers are in lower case"
    return f"{shown} is not something that xl knows"
