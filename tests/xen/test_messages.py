"""The table of what netprov-pxeboot says: the program has no words of its own beside it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import netprov.scripts
import netprov.xen.bootloader
from netprov.scripts.messages import ScriptMessage, Worded
from netprov.xen.bootloader.messages import Message

ROOMS = [Path(room.__path__[0]) for room in (netprov.xen.bootloader, netprov.scripts)]
# NotStraight puts its clause into NOT_STRAIGHT
MODULES = [path for room in ROOMS for path in sorted(room.rglob("*.py"))]
TABLES = {"Message": Message, "ScriptMessage": ScriptMessage}
ERRORS = {"PeerError", "NotThere", "Refusal", "Verdict", "ConfigError", "_wrong"}


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_words_beside_the_table(path: Path) -> None:
    for call in calls(path):
        if name_of(call) not in ERRORS:
            continue
        words = call.args[1:] if name_of(call) == "Verdict" else call.args[:1]
        if name_of(call) == "Verdict" and isinstance(call.args[0], ast.Constant) and call.args[0].value is True:
            continue
        literal = [word for word in words if isinstance(word, (ast.Constant, ast.JoinedStr))]
        assert not literal, f"{path.name}:{call.lineno}: take it from the room's messages.py"


def test_every_message_is_said_with_its_values() -> None:
    used: set[Worded] = set()
    for path in MODULES:
        for call in calls(path):
            func = call.func
            if not isinstance(func, ast.Attribute) or func.attr != "said" or not isinstance(func.value, ast.Attribute):
                continue
            assert isinstance(func.value.value, ast.Name)
            message = TABLES[func.value.value.id][func.value.attr]
            used.add(message)
            wanted = {field for _, field, _, _ in string.Formatter().parse(message.text) if field}
            assert {keyword.arg for keyword in call.keywords} == wanted, f"{path.name}:{call.lineno}"
    assert used == {*Message, *ScriptMessage}


@pytest.mark.parametrize("message", [*Message, *ScriptMessage])
def test_every_message_has_its_advice(message: Worded) -> None:
    assert message.advice[0].isupper()
    assert message.advice.endswith(".")
    assert "\n" not in message.text + message.advice


def test_values_are_only_values() -> None:
    assert Message.BAD_VIF.said(file="{why}", why="{0.__class__} {}") == "{why}: vif: {0.__class__} {}"
