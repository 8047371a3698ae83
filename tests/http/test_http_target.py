"""H6: what path a request names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.http.target import MAX_PATH, split_target


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a?b=c", "/a", "b=c"),
        ("/a%20b", "/a b", ""),
        ("/a+b", "/a+b", ""),  # a plus is a plus in a path
        ("/%25 41".replace(" ", ""), "/%41", ""),  # decoded once
        ("/%C3%BC", "/ü", ""),
        ("/a%3Fb", "/a?b", ""),
        ("/a%", "/a%", ""),
        ("/a%zz", "/a%zz", ""),
        ("//a", "/a", ""),
        ("///etc/passwd", "/etc/passwd", ""),
        ("/a//b", "/a//b", ""),
        ("/../a", "/../a", ""),  # left to whoever opens files
        ("/a?", "/a", ""),
        ("/a?b?c", "/a", "b?c"),
        ("/a#b", "/a", ""),
        ("http://h/a?b", "/a", "b"),
        ("HTTP://h:80/a", "/a", ""),
        ("http://h", "/", ""),
        ("http://h?x", "/", "x"),
    ],
)
def test_h6_path(target: str, path: str, query: str) -> None:
    assert split_target(target) == (path, query)


@pytest.mark.parametrize(
    "target",
    ["", "*", "a", "h:80", "ftp://h/a", "/%00", "/a%0d%0ab", "/a%7f", "/%c0%ae%c0%ae/", "/%e0%80%af", "/%ff",
     "/%ed%a0%80", "/\udcff", "/%c2%85", "/" + "a" * MAX_PATH, "?x"],
)  # fmt: skip
def test_h6_bad_path(target: str) -> None:
    with pytest.raises(PeerError) as error:
        split_target(target)
    assert error.value.code == 400


@given(st.text(max_size=80))
def test_h6_only_peer_error_leaves(target: str) -> None:
    for candidate in (target, "/" + target):
        try:
            path, _ = split_target(candidate)
        except PeerError:
            continue
        assert path.startswith("/")
        assert not path.startswith("//")
        assert path.isprintable() or not any(ord(c) < 32 for c in path)
