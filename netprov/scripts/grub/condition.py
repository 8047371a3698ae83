"""GRUB's `test` and `[`, as it reads them: from left to right, unknown words as texts. Source: commands/test.c."""

from __future__ import annotations

import re
from collections.abc import Callable

FileTest = Callable[[str, str], bool]
"""-d, -e, -f or -s, and a name."""

_DEEPEST = 32  # parentheses
_NUMBER = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([0-9]+))")
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(words: list[str], is_file: FileTest) -> bool:
    """Whether the expression of `words`, without the brackets, is true."""
    return _Expression(words, is_file).parse(0)


def number(text: str) -> int:
    """As C's strtol with base 0: as far as it goes, nothing is 0."""
    found = _NUMBER.match(text)
    if found is None:
        return 0
    sign, hexadecimal, octal, decimal = found.groups()
    digits, base = (hexadecimal, 16) if hexadecimal else (octal or "0", 8) if decimal is None else (decimal, 10)
    value = int(digits[:18], base)
    return -value if sign == "-" else value


class _Expression:
    def __init__(self, words: list[str], is_file: FileTest) -> None:
        self._words = words
        self._is_file = is_file
        self._at = 0

    def parse(self, depth: int) -> bool:
        """Up to the end, or to the parenthesis that closes it. `-o` begins anew, all else is and-ed."""
        either, both, inverted = False, True, False
        while self._at < len(self._words):
            word = self._words[self._at]
            value = self._comparison()
            if value is None:
                self._at += 1
                if word == ")":
                    break
                if word == "!":
                    inverted = not inverted
                    continue
                if word == "-a":
                    continue
                if word == "-o":
                    either, both = either or both, True
                    continue
                value = self.parse(depth + 1) if word == "(" and depth < _DEEPEST else bool(word)
            both = both and value is not inverted
            inverted = False
        return either or both

    def _comparison(self) -> bool | None:
        """A comparison of two words, or a test of one; None where here is neither."""
        left, operator, right = [*self._words[self._at : self._at + 3], "", "", ""][:3]
        if self._at + 2 < len(self._words):
            if operator in _TEXTS:
                self._at += 3
                return _TEXTS[operator](left, right)
            if operator in _NUMBERS:
                self._at += 3
                return _NUMBERS[operator](number(left), number(right))
            if operator in ("-pgt", "-plt"):
                self._at += 3
                return _by_prefix(left, right, operator == "-pgt")
        if self._at + 1 < len(self._words) and left in ("-d", "-e", "-f", "-s", "-n", "-z"):
            self._at += 2
            if left in ("-n", "-z"):
                return bool(operator) is (left == "-n")
            return self._is_file(left, operator)
        return None


def _by_prefix(left: str, right: str, greater: bool) -> bool:
    """vmlinuz-2 -plt vmlinuz-11: the numbers where the texts begin to differ."""
    common = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    while common > 0 and left[common - 1].isdigit():
        common -= 1
    one, other = number(left[common:]), number(right[common:])
    return one > other if greater else one < other
