"""H1: ranges and conditions, without a server."""

from __future__ import annotations

import re
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.http.ranges import MAX_RANGES, Span, Version, answer, parse_range

SIZE = 1000
VERSION = Version(SIZE, 1_700_000_000_500_000_000, 42)
NOW = 1_800_000_000.0
MODIFIED = formatdate(VERSION.modified, usegmt=True)
BEFORE = formatdate(VERSION.modified - 1, usegmt=True)
AFTER = formatdate(VERSION.modified + 1, usegmt=True)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-499", [(0, 500)]),
        ("bytes=500-", [(500, 500)]),
        ("bytes=999-", [(999, 1)]),
        ("bytes=-1", [(999, 1)]),
        ("bytes=-500", [(500, 500)]),
        ("bytes=-5000", [(0, 1000)]),
        ("bytes=900-5000", [(900, 100)]),
        ("bytes=0-99999999999999999999999999", [(0, 1000)]),
        ("BYTES=0-0", [(0, 1)]),
        ("bytes = 0-0", [(0, 1)]),
        ("bytes= 0-0 , 5-5 ", [(0, 1), (5, 1)]),
        ("bytes=0-0,,5-5,", [(0, 1), (5, 1)]),
        ("bytes=0-0,-1", [(0, 1), (999, 1)]),
        ("bytes=0-99,100-199", [(0, 200)]),  # they touch
        ("bytes=100-199,0-99", [(0, 200)]),
        ("bytes=0-99,50-149", [(0, 150)]),
        ("bytes=0-0,5000-", [(0, 1)]),  # what there is of it
        ("bytes=1000-", []),
        ("bytes=5000-6000", []),
        ("bytes=-0", []),
        ("bytes=5000-,-0", []),
    ],
)
def test_h1_range(text: str, spans: list[tuple[int, int]]) -> None:
    assert parse_range(text, SIZE) == tuple(Span(*span) for span in spans)


@pytest.mark.parametrize(
    "text",
    [
        "bytes=u-u",  # what a loader in the field sends (bootimus issue 82)
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=--1",
        "bytes=5-4",
        "bytes=1-2-3",
        "bytes=0x0-0x5",
        "bytes=0 - 5",
        "bytes=+0-5",
        "bytes=1.0-5",
        "bytes=٠-٥",
        "bytes=0-0,u-u",
        "bytes 0-5",
        "bytes:0-5",
        "lines=0-5",
        "",
        "bytes=0-" + "9" * 5000,
        "bytes=0-,0-",  # longer than the file
        "bytes=" + ",".join(f"{i * 3}-{i * 3}" for i in range(MAX_RANGES + 1)),
    ],
)
def test_h1_malformed_range_is_ignored(text: str) -> None:
    assert parse_range(text, SIZE) is None
    assert answer("GET", {"range": text}, VERSION, "x/y", NOW).status == 200


def test_h1_empty_file_has_no_range() -> None:
    assert parse_range("bytes=0-", 0) == ()
    assert parse_range("bytes=-5", 0) == ()
    assert parse_range("bytes=0-5", 0) == ()


@given(st.text(alphabet="bytes=0123456789-, \tu", max_size=60) | st.text(max_size=40), st.integers(0, 10**12))
def test_h1_any_range_stays_within_the_file(text: str, size: int) -> None:
    for candidate in (text, "bytes=" + text):
        spans = parse_range(candidate, size) or ()
        assert all(span.start >= 0 and span.length > 0 and span.end <= size for span in spans)
        assert sum(span.length for span in spans) <= size


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 2000))
def test_h1_single_range_is_the_slice(first: int, last: int, size: int) -> None:
    octets = range(size)
    spans = parse_range(f"bytes={first}-{last}", size)
    if last < first:
        assert spans is None
    else:
        taken = [octet for span in spans or () for octet in octets[span.start : span.end]]
        assert taken == list(octets[first : last + 1])


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 200),
        ({"if-none-match": VERSION.etag}, 304),
        ({"if-none-match": f"W/{VERSION.etag}"}, 304),  # the weak comparison
        ({"if-none-match": f'"a", {VERSION.etag}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-none-match": "garbage"}, 200),
        ({"if-modified-since": MODIFIED}, 304),
        ({"if-modified-since": AFTER}, 304),
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Mon, 99 Foo 99999 99:99:99 GMT"}, 200),
        ({"if-modified-since": AFTER, "if-none-match": '"other"'}, 200),  # the tag counts, the date does not
        ({"if-match": VERSION.etag}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": f"W/{VERSION.etag}"}, 412),
        ({"if-match": '"other"'}, 412),
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-unmodified-since": MODIFIED}, 200),
        ({"range": "bytes=0-4"}, 206),
        ({"range": "bytes=0-4", "if-none-match": VERSION.etag}, 304),
        ({"range": "bytes=0-4", "if-range": VERSION.etag}, 206),
        ({"range": "bytes=0-4", "if-range": '"other"'}, 200),
        ({"range": "bytes=0-4", "if-range": f"W/{VERSION.etag}"}, 200),
        ({"range": "bytes=0-4", "if-range": MODIFIED}, 206),
        ({"range": "bytes=0-4", "if-range": AFTER}, 200),
        ({"range": "bytes=0-4", "if-range": "nonsense"}, 200),
        ({"range": "bytes=5000-"}, 416),
        ({"range": "bytes=5000-", "if-range": '"other"'}, 200),
    ],
)
def test_h1_conditions(asked: dict[str, str], status: int) -> None:
    got = answer("GET", asked, VERSION, "x/y", NOW)
    assert got.status == status
    assert got.headers["ETag"] == VERSION.etag
    length = sum(part.length if isinstance(part, Span) else len(part) for part in got.parts)
    assert ("Content-Length" not in got.headers) if status == 304 else int(got.headers["Content-Length"]) == length


def test_h1_if_range_date_of_this_very_second_is_no_validator() -> None:
    asked = {"range": "bytes=0-4", "if-range": MODIFIED}
    assert answer("GET", asked, VERSION, "x/y", VERSION.modified + 0.6).status == 200


def test_h1_head_ignores_ranges_and_has_the_length() -> None:
    got = answer("HEAD", {"range": "bytes=0-4"}, VERSION, "x/y", NOW)
    assert (got.status, got.headers["Content-Length"], got.parts) == (200, "1000", ())


def test_h1_unsatisfiable_names_the_size() -> None:
    assert answer("GET", {"range": "bytes=1000-"}, VERSION, "x/y", NOW).headers["Content-Range"] == "bytes */1000"


def test_h1_multipart() -> None:
    data = bytes(i % 251 for i in range(SIZE))
    got = answer("GET", {"range": "bytes=0-4, 990-, 500-509"}, VERSION, "x/y", NOW)
    assert got.status == 206
    assert "Content-Range" not in got.headers
    kind, _, boundary = got.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    body = b"".join(data[p.start : p.end] if isinstance(p, Span) else p for p in got.parts)
    assert int(got.headers["Content-Length"]) == len(body)
    pattern = rb"--" + boundary.encode() + rb"\r\nContent-Type: x/y\r\nContent-Range: bytes (\d+)-(\d+)/1000\r\n\r\n"
    found = {(int(m[1]), int(m[2])): m.end() for m in re.finditer(pattern, body)}
    assert list(found) == [(0, 4), (990, 999), (500, 509)]
    for (first, last), at in found.items():
        assert body[at : at + last - first + 1] == data[first : last + 1]
    assert body.endswith(b"\r\n--" + boundary.encode() + b"--\r\n")


def test_h1_etag_tells_a_replaced_file() -> None:
    tags = {Version(1, 1, 1).etag, Version(2, 1, 1).etag, Version(1, 2, 1).etag, Version(1, 1, 2).etag}
    assert len(tags) == 4
