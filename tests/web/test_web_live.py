"""/events: what happens reaches every browser that looks, and a crowd of them keeps no machine from booting."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hostile import HOSTILE, NEVER
from web_world import LADY, READ_TOKEN, Site, lady, serving, stranger

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.web import live, news
from tests.journal import scenes


class Stream:
    """A browser that listens."""

    def __init__(self, url: str, *headers: str, rcvbuf: int = 0) -> None:
        parts = urlsplit(url)
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(20)
        self.sock.connect((parts.hostname, parts.port))
        request = "\r\n".join(["GET /events HTTP/1.1", "Host: x", *headers, "", ""])
        self.sock.sendall(request.encode())
        self.file = self.sock.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()

    def messages(self) -> Iterator[tuple[str, object]]:
        event = ""
        for raw in self.file:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                yield event, json.loads(line[6:])

    def close(self) -> None:
        self.file.close()
        self.sock.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def begun(stream: Stream) -> None:
    """The stream is open, and the reader knows where the journal ends now."""
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream"
    time.sleep(3 * live.POLL)


def fail(mac: str, text: str, system: str = "") -> Event:
    return Event(time.time(), Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, text, stage="loader", mac=mac, system=system)


def test_what_happens_is_told(site: Site) -> None:
    with serving(site) as url, Stream(url) as stream, Stream(url) as other:
        begun(stream)
        site.boot(scenes.uefi_grub, 1, 5, **lady())
        site.boot(scenes.ignored, 1, **stranger())
        for one in (stream, other):
            told = {}
            for event, row in one.messages():
                assert event == "machine"
                assert isinstance(row, dict)
                told[row["machine"]] = row
                if len(told) == 2:
                    break
            assert told["lady"]["stage"] == "loader"
            assert told["52:54:00:aa:bb:cc"]["system"] == ""
            assert told["52:54:00:aa:bb:cc"]["verdicts"]
    assert not [event for event in site.events if event.kind.startswith("http.")]  # a page that is left is no failure


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile_strings_stay_in_their_message(site: Site, hostile: str) -> None:
    told = news.JournalNews(site.services)
    seen, _ = told(None)
    site.record(fail(LADY, hostile, "lady"))
    seen, (message,) = told(seen)
    lines = message.octets().split(b"\n")
    assert [line[:6] for line in lines] == [b"event:", b"data: ", b"", b""]
    row = json.loads(lines[1][6:])
    assert [bad for bad in NEVER[3:] if bad in row["text"]] == []
    assert told(seen)[1] == ()
    site.move(replace(fail(LADY, hostile, "lady"), name=hostile, stage=hostile, peer=hostile, size=100), 50)
    ((message,),) = [told(seen)[1]]
    assert message.event == "progress"
    assert [line[:6] for line in message.octets().split(b"\n")] == [b"event:", b"data: ", b"", b""]
    (moving,) = json.loads(message.octets().split(b"\n")[1][6:])
    assert (moving["machine"], moving["percent"]) == ("lady", 50)
    shown = moving["name"] + moving["text"] + moving["stage"]
    assert [bad for bad in NEVER[3:] if bad in shown] == []
    assert told(seen)[1] == ()


def test_a_storm_is_told_as_one(site: Site) -> None:
    told = news.JournalNews(site.services)
    seen, _ = told(None)
    site.record(*(fail(f"52:54:00:00:01:{n:02x}", "x") for n in range(news.MOST_MACHINES + 1)))
    seen, messages = told(seen)
    assert [message.event for message in messages] == ["reload"]
    assert told(seen) == (seen, ())


def test_two_hundred_browsers_and_no_more(site: Site) -> None:
    with serving(site) as url, ExitStack() as stack:
        streams = [stack.enter_context(Stream(url)) for _ in range(live.BROWSERS)]
        assert {stream.status for stream in streams} == {200}
        begun(streams[0])
        with Stream(url) as late:
            assert late.status == 503
        began = time.monotonic()
        site.record(fail(LADY, "stopped", "lady"))
        for stream in streams:
            event, row = next(stream.messages())
            assert (event, row["machine"]) == ("machine", "lady")  # type: ignore[index]
        print(f"{live.BROWSERS} browsers told in {time.monotonic() - began:.2f} s")
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        connection.request("GET", "/ipxe/00-16-3e-11-11-11")
        assert connection.getresponse().status == 200
        connection.close()
        streams[0].close()
        deadline = time.monotonic() + 20
        while True:  # its place is free again
            with Stream(url) as late:
                if late.status == 200:
                    break
            assert time.monotonic() < deadline
            site.record(fail(LADY, "again", "lady"))
            time.sleep(0.2)


def test_crowds_come_and_go_and_machines_boot_on(site: Site) -> None:
    """Every place is given back, with its descriptor and without a thread, however the browsers leave; and meanwhile
    machines are answered."""

    def boots(url: str, count: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        for number in range(count):
            connection.request("GET", "/ipxe/00-16-3e-11-11-11" if number % 2 else "/files/probe/vmlinuz")
            answer = connection.getresponse()
            assert (answer.status, len(answer.read()) > 100) == (200, True)
        connection.close()

    def threads() -> int:
        """All but those that render requests: of these there are more, up to a bound, the busier this machine is."""
        return sum(not thread.name.startswith("http_") for thread in threading.enumerate())

    with serving(site) as url:
        with Stream(url) as stream:
            begun(stream)
        boots(url, 40)
        before = len(os.listdir("/proc/self/fd")), threads()
        for way in ("close", "reset", "half"):
            with ExitStack() as stack:
                streams = [stack.enter_context(Stream(url)) for _ in range(live.BROWSERS)]
                assert {stream.status for stream in streams} == {200}
                site.boot(scenes.bios_pxelinux, 0, **lady())
                boots(url, 40)
                assert all(next(stream.messages())[0] in ("machine", "reload") for stream in streams[::20])
                for stream in streams:
                    if way == "reset":
                        stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    elif way == "half":
                        stream.sock.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + 40
            while (left := len(os.listdir("/proc/self/fd"))) > before[0] + 3:
                assert time.monotonic() < deadline, f"{way}: {left} descriptors, {before[0]} before"
                time.sleep(0.1)
        assert threads() <= before[1] + 1
        boots(url, 4)


def test_the_server_stops_with_browsers_open(site: Site) -> None:
    with ExitStack() as stack:
        with serving(site) as url:
            stream = stack.enter_context(Stream(url))
            begun(stream)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert stream.file.read().endswith(b"0\r\n\r\n")  # an orderly end: the browser connects again


def test_a_browser_that_reads_nothing_is_cut() -> None:
    async def told() -> None:
        batches = iter(range(1000))

        def happened(seen: int | None) -> tuple[int, list[live.Message]]:
            number = next(batches)
            return number, [live.Message("machine", {"number": number, "of": n}) for n in range(100)]

        feed = live.Live(happened)
        slow, quick = feed.listen(), feed.listen()
        assert slow is not None
        assert quick is not None
        count = 0
        async for octets in quick:
            assert octets.startswith(b"event: machine\ndata: {" if count else b": netprov\n\n")
            count += 1
            if count == 5 * live.WAITING:
                break
        assert len(feed) == 1
        assert len(slow) == live.WAITING + 1
        assert len([octets async for octets in slow]) == 1 + live.WAITING
        quick.end()
        feed.close()
        assert feed.listen() is None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "POLL", 0.001)
        asyncio.run(told())


def test_nobody_looks_nothing_is_read() -> None:
    async def looked() -> None:
        asked: list[int | None] = []

        def happened(seen: int | None) -> tuple[int, list[live.Message]]:
            asked.append(seen)
            return 1, []

        feed = live.Live(happened)
        browser = feed.listen()
        assert browser is not None
        await asyncio.sleep(0.05)
        browser.end()
        await asyncio.sleep(0.05)
        count = len(asked)
        await asyncio.sleep(0.05)
        assert len(asked) == count > 0
        feed.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "POLL", 0.001)
        asyncio.run(looked())


def test_who_may_not_read_may_not_listen(guarded: Site) -> None:
    with serving(guarded) as url:
        with Stream(url) as stream:
            assert stream.status == 401
        with Stream(url, f"Authorization: Bearer {READ_TOKEN}") as stream:
            assert stream.status == 200
        for method in ("HEAD", "POST"):
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
            connection.request(method, "/events", headers={"Authorization": f"Bearer {READ_TOKEN}"})
            assert connection.getresponse().status == {"HEAD": 200, "POST": 405}[method]
            connection.close()


def test_a_new_journal_is_followed(site: Site) -> None:
    told = news.JournalNews(site.services)
    site.record(fail(LADY, "one", "lady"))
    seen, _ = told(None)
    assert seen > 0
    assert told(seen) == (seen, ())
