"""An iPXE script's lines, and the commands of a line. Source: src/image/script.c, src/core/exec.c, getopt.c."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from netprov.errors import Origin
from netprov.scripts.straight import LONGEST, MOST_LINES, NotStraight

MAGICS = ("#!ipxe", "#!gpxe")
_JOINTS = ("||", "&&", ";")


@dataclass(frozen=True, slots=True)
class Line:
    """`label`: of a line that begins with a colon; a command may follow it."""

    number: int
    label: str
    command: str


@dataclass(frozen=True, slots=True)
class Part:
    """A command of a line, not expanded. `after`: what stands before it: || && ; or "" for the first."""

    after: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A command with its options taken off. `words`: what remains, in order."""

    name: str
    words: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    def has(self, option: str) -> bool:
        return option in self.options


def is_script(text: str) -> bool:
    """A blank must follow the mark."""
    return text.startswith(MAGICS) and text[6:7].isspace()


def lines(text: str, name: str) -> list[Line]:
    """A backslash at the end joins the next line. Raises NotStraight for a script beyond all measure."""
    found: list[Line] = []
    joined, began = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        began = began or number
        if number > MOST_LINES or len(joined) > LONGEST:
            raise NotStraight(Origin(name, number), f"more than {MOST_LINES} lines, or {LONGEST} characters in one")
        joined += line.removesuffix("\r")
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        plain, label = joined.strip(), ""
        if plain.startswith(":"):
            label, _, plain = plain[1:].replace("\t", " ").partition(" ")
        if label or plain:
            found.append(Line(began, label, plain.strip()))
        joined, began = "", 0
    return found


def parts(command: str) -> Iterator[Part]:
    """A word that begins with # ends the line."""
    after = ""
    words: list[str] = []
    for word in command.split():
        if word.startswith("#"):
            break
        if word in _JOINTS:
            yield Part(after, tuple(words))
            after, words = word, []
        else:
            words.append(word)
    yield Part(after, tuple(words))


def call(words: list[str]) -> Call | None:
    """None for an option without its value. Options end at the first word that is none, or at --."""
    name, rest = words[0], [*words[1:]]
    valued = _VALUED.get(name, {})
    options: dict[str, str] = {}
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        option, equals, value = (
            word[2:].partition("=") if word.startswith("--") else _letters(word[1:], valued, options)
        )
        if option in valued.values() and not equals:
            if not rest:
                return None
            value = rest.pop(0)
        options[option] = value
    return Call(name, tuple(rest), options)


def _letters(letters: str, valued: Mapping[str, str], options: dict[str, str]) -> tuple[str, str, str]:
    """-ar is -a -r; the last one may have its value behind it: -n5. The earlier ones go into `options`."""
    while len(letters) > 1 and letters[0] not in valued:
        options[letters[0]] = ""
        letters = letters[1:]
    return valued.get(letters[0], letters[0]), letters[1:] and "=", letters[1:]


_IMAGE = {"n": "name", "t": "timeout"}
_INTERFACE = {"c": "configurator", "t": "timeout"}
_VALUED: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(
        ("imgfetch", "module", "initrd", "imgselect", "imgload", "kernel", "imgexec", "chain", "boot", "imgargs"),
        _IMAGE,
    ),
    "choose": {"m": "menu", "d": "default", "t": "timeout", "r": "retimeout"},
    "item": {"m": "menu", "f": "form", "k": "key"},
    "menu": {"n": "name"},
    "form": {"n": "name"},
    "prompt": {"k": "key", "t": "timeout"},
    "read": {"t": "timeout"},
    "sanboot": {"d": "drive", "f": "filename", "e": "extra", "l": "label", "u": "uuid"},
    "sanhook": {"d": "drive"},
    "dhcp": _INTERFACE,
    "ifconf": _INTERFACE,
    "iflinkwait": {"t": "timeout"},
    "sleep": {"t": "timeout"},
    "params": {"n": "name"},
    "param": {"p": "params", "H": "header"},
    "cpuid": {"c": "ecx-in"},
    "ping": {"s": "size", "t": "timeout", "c": "count"},
    "imgverify": {"s": "signer", "t": "timeout"},
    "imgmem": {"n": "name"},
    "vcreate": {"t": "tag", "p": "priority"},
}
"""The options that take a value, by their letters. The letters of others stand for themselves."""
