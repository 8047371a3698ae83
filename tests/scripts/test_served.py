# ruff: noqa: E501 - tables: a row a line
"""What a netprov server answers for a domU, read on the other side."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.plan import Boot, Local, Refusal, Sum
from netprov.scripts.pxelinux.names import Place
from netprov.scripts.served import plan
from netprov.xen.bootloader.find import BootServer, Files, Search

MAC = parse_mac("00:16:3e:11:11:11")
NAME = "xen/00-16-3e-11-11-11"
SHA = "0" * 64
KERNEL = {
    "netprov": 1,
    "action": "kernel",
    "why": "",
    "args": "a b",
    "kernel": {"url": "http://h/files/v", "size": 9, "sha256": SHA},
    "initrds": [{"url": "http://h/files/i"}],
}


def test_kernel() -> None:
    boot = Boot(
        "http://h/files/v", ("http://h/files/i",), "a b", {"http://h/files/v": Sum(9, SHA), "http://h/files/i": Sum()}
    )
    assert plan(json.dumps(KERNEL), "x") == boot


def test_others() -> None:
    assert plan('{"netprov": 1, "action": "local", "why": "w"}', "x") == Local("w")
    assert plan('{"netprov": 1, "action": "refuse", "why": "w", "more": {}}', "x") == Refusal("w")


MENU = {"netprov": 1, "action": "refuse", "why": "a menu", "menu": [
    {"label": "web", "kernel": {"url": "http://h/files/w"}, "initrds": [], "args": "w"}, KERNEL | {"label": "db"},
]}  # fmt: skip
LABELS = [
    (MENU, None, Refusal("a menu")),
    (MENU, "web", Boot("http://h/files/w", (), "w", {"http://h/files/w": Sum()})),
    (MENU, "Web", Refusal("x has no label Web; its labels are web, db")),
    (KERNEL, "web", Refusal("x: offers this domU no menu to choose web from: netprov decides; leave out --label")),
]


@pytest.mark.parametrize(("said", "label", "wanted"), LABELS)
def test_label(said: object, label: str | None, wanted: object) -> None:
    assert plan(json.dumps(said), "x", label) == wanted


@pytest.mark.parametrize(
    "menu", [7, {"a": 1}, [1], [{"label": 1}], [{"label": "web"}], [{"label": "web", "kernel": {"url": "v"}}]]
)
def test_bad_menu(menu: object) -> None:
    with pytest.raises(PeerError):
        plan(json.dumps(MENU | {"menu": menu}), "x", "web")


BAD = [
    "", "[]", "null", "{", "[" * 100_000, '{"netprov": 2, "action": "local"}', '{"netprov": 1}', '{"netprov": 1, "action": "local", "why": 1}',
    '{"netprov": 1, "action": "local", "why": "a\\nb"}', '{"netprov": 1, "action": "kernel"}',
    *(json.dumps(KERNEL | change) for change in (
        {"kernel": {}}, {"kernel": "x"}, {"kernel": {"url": "/etc/passwd"}}, {"kernel": {"url": "http://h/v", "size": -1}}, {"kernel": {"url": "http://h/v", "size": True}},
        {"kernel": {"url": "http://h/v", "sha256": "x"}}, {"kernel": {"url": "http://h/v", "sha256": None}}, {"initrds": {}}, {"initrds": [1]},
        {"initrds": [{"url": "http://h/i"}] * 65}, {"args": "a\0b"}, {"args": ["a"]},
    )),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    with pytest.raises(PeerError):
        plan(text, "x")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(st.sampled_from(["action", "why", "kernel", "initrds", "args", "netprov"]), JSON)
def test_any(key: str, value: object) -> None:
    with suppress(PeerError):
        plan(json.dumps(KERNEL | {key: value}), "x")


@pytest.mark.parametrize(
    ("server", "place"),
    [
        (BootServer(f"http://h:8080/{NAME}"), f"http://h:8080/{NAME}"),
        (BootServer(NAME), NAME),
        (BootServer("http://h"), f"http://h/{NAME}"),
        (BootServer("http://h:8080/"), f"http://h:8080/{NAME}"),
        (BootServer(), NAME),
    ],
)
def test_found(server: BootServer, place: str) -> None:
    asked: list[str] = []

    def get(where: Place) -> bytes | None:
        asked.append(str(where))
        return json.dumps(KERNEL).encode()

    found = Search(get, MachineFacts(mac=MAC)).run(server)
    assert asked == [place]
    kernel = Place(url="http://h/files/v")
    assert isinstance(found, Files)
    assert (found.kernel, found.sums[kernel]) == (kernel, Sum(9, SHA))
    assert found.report == (f"{place}/report" if "://" in place else "")


def test_another_machines_answer_is_not_ours() -> None:
    asked: list[str] = []
    with pytest.raises(PeerError, match="no script"):
        Search(lambda where: asked.append(str(where)), MachineFacts(mac=MAC)).run(BootServer("xen/00-16-3e-11-11-12"))
    assert "xen/00-16-3e-11-11-12" not in asked


def test_files_elsewhere_are_named_by_scheme() -> None:
    text = json.dumps(KERNEL | {"kernel": {"url": "file:///etc/passwd"}})
    with pytest.raises(PeerError, match="file is not one of"):
        Search(lambda where: text.encode(), MachineFacts(mac=MAC)).run(BootServer(NAME))
