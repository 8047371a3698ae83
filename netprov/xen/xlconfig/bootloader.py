"""What bootloader=, bootargs= and bootloader_args= come to, and the words that netprov's bootloader reads."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from netprov.mac import Mac
from netprov.xen.xlconfig.document import Value
from netprov.xen.xlconfig.vif import KNOWN, is_vif, parse_vif

OURS = ("netprov-pxeboot", "pypxeboot")
_BETWEEN_PAIRS = re.compile(rf"\s*,\s*(?=(?:{'|'.join(sorted(KNOWN))})\s*=)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bootloader:
    """`program` without arguments; `arguments` as xl is to pass them, one by one."""

    program: str
    arguments: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether it boots from the network by MAC address: netprov's, or pypxeboot under whose name it is too."""
        return self.program.rpartition("/")[2] in OURS

    @property
    def mac(self) -> Mac | None:
        """The MAC address that its arguments tell. Raises ValueError where that is none."""
        for argument in self.arguments:
            text = argument.removeprefix("--")
            if is_vif(text) and "mac=" in text.lower().replace(" ", ""):
                found = parse_vif(text).mac
                if found is not None:
                    return found
        return None

    @property
    def told(self) -> bool:
        """Whether the arguments say whose MAC address it is, themselves or by naming a configuration."""
        named = any(argument.partition("=")[0] in ("--config", "--mac") for argument in self.arguments)
        return named or self.mac is not None


def words(text: str) -> tuple[str, ...]:
    """As a shell splits them; a vif entry with blanks around its commas stays one. Raises ValueError: open quotes."""
    found = shlex.split(re.sub(_BETWEEN_PAIRS, ",", text))
    return tuple(word.rstrip(",") if is_vif(word) else word for word in found)


def as_words(value: Value | None) -> tuple[str, ...]:
    """The arguments of a list, or of a text. Raises ValueError."""
    if value is None:
        return ()
    if isinstance(value, str):
        return words(value)
    return tuple(item for item in value if isinstance(item, str))


def bootloader(settings: dict[str, Value]) -> Bootloader | None:
    """What the settings mean, also where xl would not take them so. Raises ValueError for open quotes."""
    program = settings.get("bootloader")
    if not isinstance(program, str) or not program.strip():
        return None
    name, *inside = words(program)
    return Bootloader(name, (*inside, *as_words(settings.get("bootargs")), *as_words(settings.get("bootloader_args"))))
