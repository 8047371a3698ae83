"""Frozen records at the price of plain ones, for what every packet makes a dozen of."""

from __future__ import annotations

from dataclasses import field, fields, make_dataclass
from typing import Any, TypeVar

_T = TypeVar("_T")


def quick(cls: type[_T]) -> type[_T]:
    """Makes a frozen dataclass quick to create. That it is frozen is then only checked by mypy.

    A frozen dataclass sets each field through object.__setattr__, past its own refusal: 1.6 µs for 15 fields, against
    0.3 µs without. Raises TypeError for a class that is no dataclass.
    """
    record: Any = cls
    rows = [(f.name, f.type, field(default=f.default, default_factory=f.default_factory)) for f in fields(record)]
    plain: Any = make_dataclass(cls.__name__, rows)
    record.__init__ = plain.__init__
    del record.__setattr__, record.__delattr__
    return cls
