"""The grammar of GRUB's script language. Source: grub-core/script/parser.y, and what grub-emu 2.06 was seen to do.

GRUB reads a script line by line, a block as one. A line that it cannot make sense of it drops with what belongs to it,
and goes on with the line after: `if … || …; then` loses its condition, and both of its branches are then run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from netprov.errors import Origin
from netprov.scripts.grub.words import Token, Word, tokens
from netprov.scripts.notes import Notes
from netprov.scripts.straight import MOST_LINES, NotStraight

_DEEPEST = 32  # blocks in blocks
_ENDS = frozenset({"then", "elif", "else", "fi", "do", "done", "in", "case", "esac", "select"})
"""Keywords that no command may begin with."""


@dataclass(frozen=True, slots=True)
class Command:
    """`block`: what stands in braces behind it."""

    words: tuple[Word, ...]
    origin: Origin
    block: tuple[Statement, ...] | None = None


@dataclass(frozen=True, slots=True)
class If:
    """`branches`: conditions and what they lead to; a condition's last command decides."""

    branches: tuple[tuple[tuple[Statement, ...], tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class For:
    name: str
    words: tuple[Word, ...]
    body: tuple[Statement, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class While:
    """while, and until, which goes on as long as its condition fails."""

    condition: tuple[Statement, ...]
    body: tuple[Statement, ...]
    until: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: tuple[Statement, ...]
    origin: Origin


Statement = Command | If | For | While | Function


@dataclass(frozen=True, slots=True)
class Script:
    statements: tuple[Statement, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)  # lines that GRUB drops


def parse_script(text: str, name: str) -> Script:
    """Raises NotStraight for a script, or blocks in blocks, beyond all measure."""
    found = list(islice(tokens(text, name), MOST_LINES + 1))
    if len(found) > MOST_LINES:
        raise NotStraight(found[-1].origin, f"has more than {MOST_LINES} words")
    return _Parser(found, name).script()


class _Fault(Exception):
    def __init__(self, origin: Origin, text: str) -> None:
        super().__init__(text)
        self.note = f"{origin}: {text}: GRUB drops the line"


class _Parser:
    def __init__(self, found: list[Token], name: str) -> None:
        self._tokens = found
        self._end = Token("end", found[-1].origin if found else Origin(name))
        self._began = self._end.origin  # what is being read
        self._at = 0
        self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else self._end

    def script(self) -> Script:
        statements: list[Statement] = []
        notes = Notes()
        while self._token.kind != "end":
            if self._token.kind == "newline":
                self._at += 1
                continue
            self._began = self._token.origin
            try:
                statements += self._line()
            except _Fault as fault:
                notes.add(fault.note)
                self._depth = 0
                while self._token.kind not in ("newline", "end"):
                    self._at += 1
        return Script(tuple(statements), notes.all())

    def _line(self) -> list[Statement]:
        found: list[Statement] = []
        while self._token.kind not in ("newline", "end"):
            found.append(self._function() if self._token.text == "function" else self._command())
            if self._token.kind == ";":
                self._at += 1
            elif self._token.kind not in ("newline", "end"):
                raise self._odd()
        return found

    def _odd(self) -> _Fault:
        token = self._token
        if token.kind == "end":
            return _Fault(self._began, "what begins here is not closed")
        if token.kind == "newline":
            return _Fault(token.origin, "the line ends too soon")
        return _Fault(token.origin, f"{token.text or 'a word'} has no place here")

    def _expect(self, text: str) -> None:
        if self._token.kind not in ("word", "{", "}") or self._token.text != text:
            raise self._odd()
        self._at += 1

    def _delimiters(self) -> bool:
        began = self._at
        if self._token.kind == ";":
            self._at += 1
        while self._token.kind == "newline":
            self._at += 1
        return self._at > began

    def _commands(self, *ends: str) -> tuple[Statement, ...]:
        """One command or more, and the keyword of `ends` behind them, which is left to the caller."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotStraight(self._token.origin, f"blocks are nested more than {_DEEPEST} deep")
        while self._token.kind == "newline":
            self._at += 1
        found = [self._command()]
        while self._delimiters() or "}" in ends:
            if self._token.kind in ("word", "}") and self._token.text in ends:
                self._depth -= 1
                return tuple(found)
            if self._tokens[self._at - 1].kind not in (";", "newline"):
                break
            found.append(self._command())
        raise self._odd()

    def _command(self) -> Statement:
        token = self._token
        if token.kind != "word" or token.text in _ENDS or token.text == "function":
            raise self._odd()
        match token.text:
            case "if":
                return self._if()
            case "for":
                return self._for()
            case "while" | "until":
                self._at += 1
                condition = self._commands("do")
                body = self._do()
                return While(condition, body, token.text == "until", token.origin)
        return self._simple()

    def _simple(self) -> Command:
        origin = self._token.origin
        words = self._words()
        if self._token.kind != "{":
            return Command(words, origin)
        return Command(words, origin, self._block())

    def _words(self) -> tuple[Word, ...]:
        began = self._at
        while self._token.kind == "word":
            self._at += 1
        return tuple(token.word for token in self._tokens[began : self._at])

    def _name(self) -> str:
        """The word behind the keyword here."""
        self._at += 1
        token = self._token
        if token.kind != "word" or not token.text:
            raise self._odd()
        self._at += 1
        return token.text

    def _block(self) -> tuple[Statement, ...]:
        self._expect("{")
        body = self._commands("}")
        self._expect("}")
        return body

    def _function(self) -> Function:
        origin, name = self._token.origin, self._name()
        while self._token.kind == "newline":
            self._at += 1
        return Function(name, self._block(), origin)

    def _if(self) -> If:
        origin, branches = self._token.origin, []
        otherwise: tuple[Statement, ...] = ()
        while self._token.text in ("if", "elif"):
            self._at += 1
            condition = self._commands("then")
            self._at += 1
            branches.append((condition, self._commands("elif", "else", "fi")))
        if self._token.text == "else":
            self._at += 1
            otherwise = self._commands("fi")
        self._expect("fi")
        return If(tuple(branches), otherwise, origin)

    def _for(self) -> For:
        origin, name = self._token.origin, self._name()
        self._expect("in")
        words = self._words()
        if not self._delimiters():
            raise self._odd()
        return For(name, words, self._do(), origin)

    def _do(self) -> tuple[Statement, ...]:
        self._expect("do")
        body = self._commands("done")
        self._expect("done")
        return body
