"""The secrets that an inventory holds: what must not be found in anything that is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from urllib.parse import unquote, urlsplit

from netprov.inventory.model import Inventory
from netprov.recorder.blank import NAMES

_SECRET = re.compile(NAMES.decode() + "|^hash$", re.IGNORECASE)
_USER_INFO = re.compile(r"://[^\s/?#@:]*:[^\s/?#]*@")


def secrets_of(inventory: Inventory) -> set[str]:
    """Every value whose name says that it is a secret, and the passwords in URLs: of the settings, the objects, their
    `autoinstall_meta` and `kernel_options`."""
    found: set[str] = set()
    for part in (
        inventory.settings, *inventory.systems(), *inventory.profiles(), *inventory.images(),
    ):  # fmt: skip
        found.update(_walk(part, False))
    found.discard("")
    return found


def _walk(value: object, named: bool) -> Iterator[str]:
    """The secrets in `value`; `named`: the name it stands under says that it is one."""
    if isinstance(value, str):
        if named:
            yield value
            yield value.partition(":")[2]  # "sha256:…"
        elif "://" in value:
            yield from _of_url(value)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, (int, float)):
        if named:
            yield str(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, named or bool(_SECRET.search(str(key))))
    elif isinstance(value, (tuple, list, frozenset, set)):
        for item in value:
            yield from _walk(item, named)
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in _NO_VALUES:
                yield from _walk(getattr(value, field.name), bool(_SECRET.search(field.name)))


_NO_VALUES = frozenset({"origin", "origins"})


def _of_url(text: str) -> Iterator[str]:
    for found in _USER_INFO.finditer(text):
        password = urlsplit("x" + found[0]).password or ""
        yield password
        yield unquote(password)
