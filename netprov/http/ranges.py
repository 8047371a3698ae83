"""Which octets of a file answer a request: ranges (RFC 9110 §14) and conditions (RFC 9110 §13). Sans-IO."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime

MAX_RANGES = 16
"""More in one request are ignored and the whole file is sent: a list of thousands was Apache's CVE-2011-3192 (its limit
since: 200). zchunk and zsync, the clients that do ask for many, are content with fewer at a time."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of which file is sent: what a validator must tell apart."""

    size: int  # octets
    mtime_ns: int
    ino: int

    @property
    def etag(self) -> str:
        """A strong entity tag: a file replaced within a second and of the same size has another inode."""
        return f'"{self.mtime_ns:x}-{self.size:x}-{self.ino:x}"'

    @property
    def modified(self) -> int:
        """Whole seconds since the epoch, as Last-Modified can say them."""
        return self.mtime_ns // 1_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """`length` octets of the file from `start` on."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The first octet after it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its body is `parts` in order, ready octets and spans of the file. HEAD sends the headers alone."""

    status: int
    headers: Mapping[str, str]
    parts: tuple[bytes | Span, ...] = ()


def answer(method: str, asked: Mapping[str, str], version: Version, content_type: str, now: float) -> Answer:
    """The response to a GET or HEAD of the file.

    `asked` holds the request's header fields by lower-case name; what is malformed among those here counts as absent,
    as RFC 9110 wants (firmware asks `Range: bytes=u-u`: bootimus issue 82). `now` in seconds since the epoch.
    """
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": version.etag,
        "Last-Modified": formatdate(version.modified, usegmt=True),
    }
    status = _precondition(asked, version)
    if status is not None:
        return Answer(status, headers if status == 304 else {**headers, "Content-Length": "0"})
    whole = Answer(
        200,
        {**headers, "Content-Type": content_type, "Content-Length": str(version.size)},
        (Span(0, version.size),) if version.size and method == "GET" else (),
    )
    # RFC 9110 §14.2: Range is defined for GET alone.
    if method != "GET" or "range" not in asked or not _range_applies(asked.get("if-range"), version, now):
        return whole
    spans = parse_range(asked["range"], version.size)
    if spans is None:
        return whole
    if not spans:
        return Answer(416, {**headers, "Content-Range": f"bytes */{version.size}", "Content-Length": "0"})
    if len(spans) == 1:
        return Answer(
            206,
            {
                **headers,
                "Content-Type": content_type,
                "Content-Range": _content_range(spans[0], version.size),
                "Content-Length": str(spans[0].length),
            },
            (spans[0],),
        )
    return _multipart(spans, headers, version, content_type)


_RANGES = re.compile(r"bytes[ \t]*=(?P<set>.*)", re.IGNORECASE)
_RANGE = re.compile(r"(?P<first>[0-9]{0,4000})-(?P<last>[0-9]{0,4000})", re.ASCII)


def parse_range(text: str, size: int) -> tuple[Span, ...] | None:
    """The spans that a Range header asks of a file of `size` octets: none if it has no such octets (416).

    None where the header is to be ignored: another unit, malformed, too many ranges, or ranges that overlap so that the
    answer would be longer than the file. Spans that touch become one.
    """
    found = _RANGES.fullmatch(text.strip(" \t"))
    if found is None:
        return None
    asked = [item.strip(" \t") for item in found["set"].split(",")]
    asked = [item for item in asked if item]  # RFC 9110 §5.6.1.2: empty elements of a list are allowed
    if not asked or len(asked) > MAX_RANGES:
        return None
    spans: list[Span] = []
    for item in asked:
        span = _span(item, size)
        if span is None:
            return None
        if span.length:
            spans.append(span)
    return None if sum(span.length for span in spans) > size else _joined(spans)


def _span(item: str, size: int) -> Span | None:
    """One range within the file, of length 0 where the file has none of it; None: malformed."""
    match = _RANGE.fullmatch(item)
    if match is None or item == "-":
        return None
    if not match["first"]:
        length = min(int(match["last"]), size)
        return Span(size - length, length)
    start = int(match["first"])
    last = int(match["last"]) if match["last"] else max(start, size - 1)
    if last < start:
        return None
    return Span(start, max(0, min(last + 1, size) - start))


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """The spans, those that overlap or touch their neighbour in the list made one (RFC 9110 §15.3.7.2)."""
    joined: list[Span] = []
    for span in spans:
        before = joined[-1] if joined else None
        if before is not None and span.start <= before.end and before.start <= span.end:
            start = min(before.start, span.start)
            joined[-1] = Span(start, max(before.end, span.end) - start)
        else:
            joined.append(span)
    return tuple(joined)


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span.start}-{span.end - 1}/{size}"


def _multipart(spans: tuple[Span, ...], headers: Mapping[str, str], version: Version, content_type: str) -> Answer:
    boundary = "part-" + version.etag.strip('"')  # names this state of this file: no file holds its own
    parts: list[bytes | Span] = []
    for span in spans:
        where = _content_range(span, version.size)
        parts.append(f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {where}\r\n\r\n".encode())
        parts.append(span)
    parts.append(f"\r\n--{boundary}--\r\n".encode())
    length = sum(part.length if isinstance(part, Span) else len(part) for part in parts)
    kind = f"multipart/byteranges; boundary={boundary}"
    return Answer(206, {**headers, "Content-Type": kind, "Content-Length": str(length)}, tuple(parts))


def _precondition(asked: Mapping[str, str], version: Version) -> int | None:
    """The status that the conditions lead to, in the order of RFC 9110 §13.2.2; None: go on."""
    if "if-match" in asked:
        if not _lists(asked["if-match"], version.etag, weak=False):
            return 412
    elif (at := _seconds(asked.get("if-unmodified-since"))) is not None and version.modified > at:
        return 412
    if "if-none-match" in asked:
        if _lists(asked["if-none-match"], version.etag, weak=True):
            return 304
    elif (at := _seconds(asked.get("if-modified-since"))) is not None and version.modified <= at:
        return 304
    return None


def _range_applies(if_range: str | None, version: Version, now: float) -> bool:
    if if_range is None:
        return True
    if '"' in if_range:
        return if_range.strip(" \t") == version.etag  # a weak tag ("W/…") is never equal: RFC 9110 §13.1.5
    # A date tells states of a file apart only once the second it names is over: RFC 9110 §8.8.2.2.
    return _seconds(if_range) == version.modified and now >= version.modified + 1


_ETAG = re.compile(r'(?P<weak>W/)?(?P<tag>"[^"]*")')


def _lists(text: str, etag: str, *, weak: bool) -> bool:
    """Whether the list of entity tags has `etag`, by the weak or the strong comparison (RFC 9110 §8.8.3.2)."""
    if text.strip(" \t") == "*":
        return True
    return any(found["tag"] == etag and (weak or not found["weak"]) for found in _ETAG.finditer(text))


def _seconds(date: str | None) -> int | None:
    """An HTTP-date in seconds since the epoch; None for anything else."""
    if date is None:
        return None
    try:
        parsed: datetime = parsedate_to_datetime(date)
        return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
