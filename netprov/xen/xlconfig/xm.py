"""xm's configurations, which were Python: read as far as they are assignments, without running anything.

Texts, numbers, lists, names, subscripts, +, %, str(), int() and if with such conditions are understood; what needs a
running Python is refused by file and line.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from netprov.errors import ConfigError, Origin, Problem
from netprov.xen.xlconfig.document import Document, Number, Statement, Value

_LONGEST = 1 << 16  # characters of a value: "x" * 10**9 is no configuration
_Plain = str | int | float | bool | None | list["_Plain"] | tuple["_Plain", ...]


class _Beyond(Exception):
    def __init__(self, node: ast.AST, text: str) -> None:
        super().__init__(text)
        self.line = getattr(node, "lineno", 0)
        self.text = text


def read(text: str, name: str) -> Document:
    """Raises ConfigError with every statement that is more than an assignment, by file and line."""
    document, beyond = read_what_can_be(text, name)
    if beyond:
        raise ConfigError(*beyond.values())
    return document


def read_what_can_be(text: str, name: str) -> tuple[Document, dict[int, Problem]]:
    """The document, in which a statement that is more than an assignment assigns nothing; and those statements, by
    number. Raises ConfigError for what is no Python."""
    plain = text.replace("\r\n", "\n")
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(_modern(plain))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 0) or 0
        text = f"neither xl's syntax nor Python's: {getattr(error, 'msg', error)}"
        raise ConfigError(Problem(Origin(name, line), "", text)) from None
    reader = _Reader()
    offsets = _line_starts(plain)
    lines = plain.split("\n")
    statements: list[Statement] = []
    beyond: dict[int, Problem] = {}
    for node in tree.body:
        start = offsets[node.lineno - 1] + _chars(lines[node.lineno - 1], node.col_offset)
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        end = offsets[end_line - 1] + _chars(lines[end_line - 1], end_column)
        assigns: tuple[tuple[str, Value], ...] = ()
        try:
            assigns = tuple((key, to_value(value)) for key, value in reader.run(node))
        except _Beyond as fault:
            beyond[len(statements)] = Problem(Origin(name, fault.line), "", fault.text)
            reader.forget(node)
        except RecursionError:
            beyond[len(statements)] = Problem(Origin(name, node.lineno), "", "is nested too deep")
        statements.append(Statement(start, end, Origin(name, node.lineno), assigns))
    return Document(name, plain, tuple(statements)), beyond


def names_of(text: str) -> list[str]:
    """The names that the statement `text` assigns, whichever of its branches is taken."""
    return [name for node in ast.parse(text).body for name in dict.fromkeys(_names_in(node))]


def _names_in(node: ast.stmt) -> list[str]:
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]


def to_value(plain: object) -> Value:
    """None is the empty text, True 1; a dictionary has no place in a configuration."""
    if isinstance(plain, bool):
        return Number(int(plain))
    if isinstance(plain, int) and plain >= 0:
        return Number(plain)
    if isinstance(plain, list | tuple):
        return tuple(to_value(item) for item in plain)
    return "" if plain is None else str(plain)


def _modern(text: str) -> str:
    """Without Python 2's print statements; no character of the rest moves."""

    def nothing(found: re.Match[str]) -> str:
        return found[1] + "pass".ljust(len(found[0]) - len(found[1]))

    return re.sub(r"(?m)^([ \t]*)print[ \t]+(?![=(])[^\n]*", nothing, text)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts += [found.end() for found in re.finditer("\n", text)]
    return starts


def _chars(line: str, octets: int) -> int:
    """ast counts columns in octets of UTF-8."""
    return len(line.encode()[:octets].decode("utf-8", "ignore"))


class _Reader:
    def __init__(self) -> None:
        self._names: dict[str, _Plain] = {"True": True, "False": False, "None": None}
        self._unknown: set[str] = set()

    def forget(self, node: ast.stmt) -> None:
        """What the statement assigns is not known from here on."""
        for name in _names_in(node):
            self._names.pop(name, None)
            self._unknown.add(name)

    def run(self, node: ast.stmt) -> Iterator[tuple[str, _Plain]]:
        match node:
            case ast.Assign(targets=targets, value=value):
                found = self._value(value)
                for target in targets:
                    yield from self._assign(target, found)
            case ast.AugAssign(target=ast.Name() as target, op=operator, value=value):
                found = self._operate(node, self._name(target), operator, self._value(value))
                yield from self._assign(target, found)
            case ast.If(test=test, body=body, orelse=otherwise):
                for inner in body if self._value(test) else otherwise:
                    yield from self.run(inner)
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
                return
            case _:
                raise _Beyond(node, f"{type(node).__name__.lower()} is more of Python than a configuration needs")

    def _assign(self, target: ast.expr, value: _Plain) -> Iterator[tuple[str, _Plain]]:
        if isinstance(target, ast.Name):
            self._names[target.id] = value
            yield target.id, value
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, list | tuple):
            if len(target.elts) != len(value):
                raise _Beyond(target, f"{len(target.elts)} names for {len(value)} values")
            for one, item in zip(target.elts, value, strict=True):
                yield from self._assign(one, item)
        else:
            raise _Beyond(target, "only names can be assigned to")

    def _name(self, node: ast.Name) -> _Plain:
        if node.id in self._unknown and node.id not in self._names:
            raise _Beyond(node, f"{node.id} is known only to a running Python: write the value itself")
        if node.id not in self._names:
            raise _Beyond(node, f"{node.id} is not in quotes and was not assigned before")
        return self._names[node.id]

    def _value(self, node: ast.expr) -> _Plain:
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return value
            case ast.Name():
                return self._name(node)
            case ast.List(elts=items):
                return [self._value(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self._value(item) for item in items)
            case ast.UnaryOp(op=ast.USub(), operand=operand) if isinstance(found := self._value(operand), int | float):
                return -found
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._value(operand)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._operate(node, self._value(left), operator, self._value(right))
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._compare(node, self._value(left), operator, self._value(right))
            case ast.BoolOp(op=ast.And(), values=values):
                return all(self._value(value) for value in values)
            case ast.BoolOp(op=ast.Or(), values=values):
                return any(self._value(value) for value in values)
            case ast.Subscript(value=of, slice=index):
                return self._item(node, self._value(of), self._value(index))
            case ast.Call(func=ast.Name(id="str" | "int" as kind), args=[argument], keywords=[]):
                return self._convert(node, kind, self._value(argument))
        raise _Beyond(node, f"{ast.unparse(node)[:60]} needs a running Python: write the value itself")

    def _convert(self, node: ast.AST, kind: str, value: _Plain) -> _Plain:
        try:
            return str(value) if kind == "str" else int(str(value))
        except ValueError:
            raise _Beyond(node, f"{value!r} is not a number") from None

    def _item(self, node: ast.AST, of: _Plain, index: _Plain) -> _Plain:
        try:
            assert isinstance(of, str | list | tuple)
            assert isinstance(index, int)
            return of[index]
        except (AssertionError, IndexError):
            raise _Beyond(node, f"there is no item {index} of {str(of)[:60]}") from None

    def _compare(self, node: ast.AST, left: _Plain, operator: ast.cmpop, right: _Plain) -> bool:
        match operator:
            case ast.Eq():
                return left == right
            case ast.NotEq():
                return left != right
            case ast.In() if isinstance(right, str | list | tuple):
                return left in right if not isinstance(right, str) else isinstance(left, str) and left in right
        raise _Beyond(node, "the condition is more than a comparison of values")

    def _operate(self, node: ast.AST, left: _Plain, operator: ast.operator, right: _Plain) -> _Plain:
        found: _Plain
        try:
            match operator, left, right:
                case ast.Mod(), str(), _:
                    _check_widths(node, left)
                    found = left % (tuple(right) if isinstance(right, list) else right)
                case ast.Add(), str(), str():
                    found = left + right
                case ast.Add(), list(), list():
                    found = left + right
                case ast.Add() | ast.Sub() | ast.Mult() | ast.FloorDiv() | ast.Div(), int(), int():
                    found = _arithmetic(operator, left, right)
                case _:
                    raise TypeError
        except (TypeError, ValueError, ZeroDivisionError, KeyError):
            raise _Beyond(node, f"cannot be computed: {ast.unparse(node)[:60]}") from None
        if len(str(found)) > _LONGEST:
            raise _Beyond(node, "grows too large")
        return found


def _arithmetic(operator: ast.operator, left: int, right: int) -> int:
    if abs(left) > 1 << 64 or abs(right) > 1 << 64:
        raise ValueError
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
    return left // right  # Python 2's / of whole numbers, too


def _check_widths(node: ast.AST, template: str) -> None:
    """`"%999999999d" % 1` would be a gigabyte."""
    if re.search(r"%[^a-zA-Z%]*(\d{4,}|\*)", template):
        raise _Beyond(node, "has a width that no configuration needs")
