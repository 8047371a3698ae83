"""Syslog messages as they are met: RFC 3164, RFC 5424, and what installers send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.syslog.frames import Frames
from netprov.syslog.message import MAX_OCTETS, MAX_TEXT, SEVERITIES, Message, parse

MESSAGES: dict[str, tuple[bytes, Message]] = {
    "rfc3164 §5.4 example 1": (
        b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
        Message("auth", "crit", "mymachine", "su", "'su root' failed for lonvick on /dev/pts/8"),
    ),
    "rfc3164 §5.4 example 2: no priority": (
        b"Use the BFG!",
        Message("user", "notice", "", "", "Use the BFG!"),
    ),
    "busybox of debian-installer: no host": (
        b"<30>Nov 23 15:00:01 main-menu[1234]: INFO: Menu item 'bootstrap-base' selected",
        Message("daemon", "info", "", "main-menu", "INFO: Menu item 'bootstrap-base' selected"),
    ),
    "busybox, a day of one digit": (
        b"<6>Nov  3 05:00:01 kernel: [    1.234567] eth0: link up",
        Message("kern", "info", "", "kernel", "[    1.234567] eth0: link up"),
    ),
    "anaconda's rsyslog: RFC 3339 time, no version": (
        b"<27>2026-11-23T15:04:05.123456+01:00 localhost anaconda[1700]: storage: no disk\n",
        Message("daemon", "err", "localhost", "anaconda", "storage: no disk"),
    ),
    "a host and no program": (
        b"<13>Nov 23 15:00:01 lady something happened",
        Message("user", "notice", "", "", "lady something happened"),
    ),
    "rfc5424 §6.5 example 1": (
        b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed",
        Message("auth", "crit", "mymachine.example.com", "su", "'su root' failed"),
    ),
    "rfc5424 §6.5 example 2": (
        b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
        Message("local4", "notice", "192.0.2.1", "myproc", "%% It's time to make the do-nuts."),
    ),
    "rfc5424 §6.5 example 3: structured data": (
        b"<165>1 2003-10-11T22:14:15.003Z mymachine evntslog - ID47 "
        b'[exampleSDID@32473 iut="3" eventSource="App" eventID="1011"][x a="\\"]\\\\"] An application event',
        Message("local4", "notice", "mymachine", "evntslog", "An application event"),
    ),
    "rfc5424 §6.5 example 4: structured data only": (
        b'<165>1 2003-10-11T22:14:15.003Z mymachine evntslog - ID47 [exampleSDID@32473 iut="3"]',
        Message("local4", "notice", "mymachine", "evntslog", ""),
    ),
    "rfc5424, all nil": (b"<13>1 - - - - - -", Message("user", "notice", "", "", "")),
    "rfc5424, structured data that does not end": (
        b'<13>1 - - - - - [x a="',
        Message("user", "notice", "", "", '1 - - - - - [x a="'),
    ),
    "rfc3164 §4.3.3: a priority that is none": (b"<999>x", Message("user", "notice", "", "", "<999>x")),
    "not UTF-8": (b"<13>Nov 23 15:00:01 prog: caf\xe9", Message("user", "notice", "", "prog", "caf\\xe9")),
    "nothing but a priority": (b"<0>", Message("kern", "emerg", "", "", "")),
    "ends as some senders end it": (b"<13>prog: text\r\n\0", Message("user", "notice", "", "prog", "text")),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_message(case: str) -> None:
    data, expected = MESSAGES[case]
    assert parse(data) == expected


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda b: b"<13>1 - - - - - [" + b)))
def test_anything_is_a_message(data: bytes) -> None:
    message = parse(data)
    assert message.severity in SEVERITIES
    message.text.encode("utf-8")


@pytest.mark.parametrize(
    "data",
    [
        b"A" * 100_000,
        b"<13>1 - - - - - " + b"[" * 50_000,
        b"<13>1 - - - - - " + b'[a b="' + b"\\" * 50_000,
        b"<13>" + b"1 " * 40_000,
    ],
)
def test_a_long_message_is_cut(data: bytes) -> None:
    message = parse(data)
    assert len(message.text) <= MAX_TEXT
    assert len(message.host) <= 64


# RFC 6587

STREAMS: dict[str, tuple[bytes, list[bytes]]] = {
    "§3.4.2 line feeds": (b"<1>a\n<2>b\r\n\n<3>c\n", [b"<1>a", b"<2>b\r", b"<3>c"]),
    "§3.4.2 NUL": (b"<1>a\0<2>b\0", [b"<1>a", b"<2>b"]),
    "§3.4.1 counted": (b"4 <1>a5 <2>bc", [b"<1>a", b"<2>bc"]),
    "§3.4.1 a line feed within": (b"6 <1>a\nb4 <2>c", [b"<1>a\nb", b"<2>c"]),
    "both": (b"<1>a\n4 <2>b<3>c\n", [b"<1>a", b"<2>b", b"<3>c"]),
    "a line that is too long": (b"A" * 20_000 + b"\n<2>b\n", [b"A" * MAX_OCTETS, b"<2>b"]),
    "a frame that is too long": (b"20000 " + b"A" * 20_000 + b"<2>b\n", [b"A" * MAX_OCTETS, b"<2>b"]),
}


@pytest.mark.parametrize("case", STREAMS)
@pytest.mark.parametrize("step", [1, 7, 1000, 1_000_000])
def test_stream(case: str, step: int) -> None:
    data, expected = STREAMS[case]
    frames, found = Frames(), []
    for at in range(0, len(data), step):
        found += frames.feed(data[at : at + step])
    assert found == expected
    assert frames.end() == []


def test_a_line_that_the_connections_end_cuts_off_counts() -> None:
    frames = Frames()
    assert frames.feed(b"<1>the last words") == []
    assert frames.end() == [b"<1>the last words"]


@pytest.mark.parametrize("data", [b"99999999 a", b"12345678", b"1x <1>a", b"0 <1>a", b"9999999 <1>a", b"1" * 100])
def test_a_stream_that_is_no_syslog(data: bytes) -> None:
    with pytest.raises(PeerError):
        Frames().feed(data)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_stream_is_cut_or_refused(parts: list[bytes]) -> None:
    frames = Frames()
    try:
        for part in parts:
            assert all(0 < len(message) <= MAX_OCTETS for message in frames.feed(part))
    except PeerError:
        return
    frames.end()


@given(st.lists(st.binary(min_size=1, max_size=50).filter(lambda b: b.strip(b"\r\n\0 ")), max_size=10))
def test_counted_frames_come_out_as_they_went_in(messages: list[bytes]) -> None:
    stream = b"".join(b"%d %s" % (len(message), message) for message in messages)
    assert Frames().feed(stream) == messages
