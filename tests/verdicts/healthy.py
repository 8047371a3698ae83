"""For any test of a boot that goes well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def assert_no_verdicts(boots: Iterable[Mapping[str, Any]]) -> None:
    """No verdict on any of `boots`, as `netprov timeline --json` prints them."""
    wrong = [(boot["system"] or boot["machine"], v["id"], v["sentence"]) for boot in boots for v in boot["verdicts"]]
    assert wrong == []
