"""What a check makes of peers that answer oddly, and of the other servers that the journal tells of."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from netprov.boot.reason import Reason
from netprov.check import rivals
from netprov.check.answers import answers
from netprov.check.client import Reply, tftp_read, unheard
from netprov.check.ports import sockets
from netprov.check.probe import Asked, Errand, Offer, Probed
from netprov.check.recorded import Recorded
from netprov.check.subject import Finding, Subject, look
from netprov.journal.event import Event, Kind
from tests.world import edit


@contextmanager
def udp(answers: Sequence[bytes]) -> Iterator[int]:
    """A server that gives one answer to each packet, in this order; at the end, its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)

        def serve() -> None:
            for answer in answers:
                try:
                    peer = sock.recvfrom(2000)[1]
                    sock.sendto(answer, peer)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield sock.getsockname()[1]


FULL = b"\0\3\0\1" + bytes(512)
TFTP = [
    # what the server says, what is made of it
    ([b"\0\3\0\1" + bytes(100)], Reply.DATA),
    ([FULL, b"\0\3\0\2"], Reply.DATA),
    ([b"\0\6blksize\x001428\0tsize\x0010\0", b"\0\3\0\1" + bytes(10)], Reply.DATA),
    ([b"\0\6blksize\0many\0", b"\0\3\0\1" + bytes(10)], Reply.DATA),
    ([b"\0\6blksize", b"\0\3\0\1" + bytes(10)], Reply.DATA),
    ([b"\0\5\0\1no such file\0"], Reply.ERROR),
    ([b"\0\5"], Reply.ERROR),
    ([b""], Reply.ERROR),
    ([b"\xff" * 50], Reply.ERROR),
    ([FULL] * 20, Reply.DATA),  # without end
    ([FULL], Reply.STUCK),
]


@pytest.mark.parametrize(("said", "expected"), TFTP)
def test_tftp_servers(said: Sequence[bytes], expected: Reply) -> None:
    with udp(said) as port:
        assert tftp_read("127.0.0.1", port, "pxelinux.0", 0.5) is expected


HTTP = [
    # what the server says, how that is told
    (b'HTTP/1.0 200 OK\r\n\r\n{"status": "ok"}', ""),
    (b"HTTP/1.0 200 OK\r\n\r\n[]", "another web server answers there"),
    (b"HTTP/1.0 200 OK\r\n\r\nhello", "something other than HTTP answers there"),
    (b"HTTP/1.0 404 Not Found\r\n\r\n", "another web server answers there (status 404 for /healthz)"),
    (b"HTTP/1.0 503 Busy\r\n\r\n", "the server cannot read its state (status 503)"),
    (b"SSH-2.0-OpenSSH\r\n", "something other than HTTP answers there"),
    (b"\xff" * 100, "something other than HTTP answers there"),
]


@pytest.mark.parametrize(("said", "expected"), HTTP)
def test_http_servers(said: bytes, expected: str) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()

        def serve() -> None:
            connection = sock.accept()[0]
            with connection:
                connection.recv(4096)
                connection.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert unheard("127.0.0.1", sock.getsockname()[1]) == expected
        thread.join(5)


# other servers


def seen(
    site: Path, mode: str, *, events: Sequence[Event] = (), probed: Sequence[Probed] = (), server: int = 0
) -> Subject:
    if mode != "proxy":
        edit(site, "dhcp: {", f"dhcp: {{mode: {mode}, subnets: [{{subnet: 10.9.0.0/24}}], ")
    made = look(site / "netprov.yaml", probing=False)
    subject = Subject(made.config, made.loaded, made.place, server, bool(server))
    subject.__dict__["recorded"] = Recorded(rivals=tuple(events))
    subject.__dict__["probed"] = tuple(probed)
    return subject


def told(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(one.id, str(one.severity)) for one in findings if one.severity != "note"]


def heard(server: str, kind: str) -> Event:
    detail = (("server", server), ("server_mac", "52:54:00:00:00:99"), ("interface", "lo"), ("type", kind))
    return Event(time.time(), Kind.SERVER, Reason.DHCP_RIVAL, f"another DHCP server, {server}, did", detail=detail)


A, B, OURS = "10.9.0.2", "10.9.0.3", "127.0.0.1"
OVERHEARD = [
    # dhcp.mode, what was heard of whom, what is found
    ("full", [], []),
    ("full", [(OURS, "offer")], []),
    ("full", [(A, "offer")], ["rival-heard"]),
    ("full", [(A, "offer"), (A, "offer"), (A, "nak")], ["rival-heard", "rival-heard"]),
    ("reserved", [(A, "ack")], ["rival-heard"]),
    ("full", [(A, "proxy")], ["rival-proxy"]),
    ("proxy", [(A, "offer"), (A, "ack")], []),  # the one that gives the addresses
    ("proxy", [(A, "offer"), (B, "ack")], ["rival-heard", "rival-heard"]),
    ("proxy", [(A, "proxy")], ["rival-proxy"]),
    ("off", [(A, "offer")], []),
]


@pytest.mark.parametrize(("mode", "events", "expected"), OVERHEARD)
def test_g15_servers_overheard(site: Path, mode: str, events: list[tuple[str, str]], expected: list[str]) -> None:
    subject = seen(site, mode, events=[heard(*event) for event in events])
    assert told(rivals.rivals(subject)) == [(id, "warning") for id in expected]


def offer(server: str, file: str = "") -> Offer:
    return Offer(server, "52:54:00:00:00:99", "10.9.0.60", 24, file)


ASKED = [
    # dhcp.mode, who offered, what is found
    ("full", [], []),
    ("full", [offer(OURS)], []),
    ("full", [offer(OURS), offer(A)], [("rival-dhcp", "error")]),
    ("reserved", [offer(A)], [("rival-dhcp", "warning")]),
    ("proxy", [], [("dhcp-absent", "error")]),
    ("proxy", [offer(A)], []),
    ("proxy", [offer(A), offer(B)], [("rival-dhcp", "warning")]),
    ("proxy", [offer(A, "pxelinux.0")], [("rival-boot-file", "warning")]),
]


@pytest.mark.parametrize(("mode", "offers", "expected"), ASKED)
def test_g15_servers_asked_for(site: Path, mode: str, offers: list[Offer], expected: list[tuple[str, str]]) -> None:
    subject = seen(site, mode, probed=[Probed("lo", "02:00:00:00:00:01", True, tuple(offers))])
    assert told(rivals.rivals(subject)) == expected


def test_what_was_met_is_not_told_twice(site: Path) -> None:
    subject = seen(site, "full", events=[heard(A, "offer")], probed=[Probed("lo", "x", True, (offer(A),))])
    assert told(rivals.rivals(subject)) == [("rival-dhcp", "error")]


def test_an_interface_where_nothing_could_be_asked(site: Path) -> None:
    subject = seen(site, "proxy", probed=[Probed("lo", "x", problem="lo is down: ip link set lo up")])
    ((_, finding)) = rivals.rivals(subject)
    assert (finding.id, finding.severity) == ("rival-not-asked", "note")
    assert "lo is down" in finding.text


def test_results_pass_through_a_pipe() -> None:
    import json
    from dataclasses import asdict

    probed = Probed("br0", "02:00:00:00:00:01", True, (offer(A, "x"),), (Asked("tftp", 69, "silent"),))
    assert Probed.of(json.loads(json.dumps(asdict(probed)))) == probed
    assert Errand("br0", True).server == ""


def test_nothing_is_asked_without_leave(site: Path) -> None:
    subject = seen(site, "proxy")
    assert not list(answers(subject))
    texts = [finding.text for finding in rivals.rivals(subject)]
    assert texts == ["netprov did not look for other DHCP servers: --no-probe"]


def test_not_asked_without_rights(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = seen(site, "proxy", server=1)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "only root can" in next(rivals.rivals(subject)).text


def test_sockets_are_seen() -> None:
    with socket.socket(socket.AF_INET6) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("::1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        found = {(one.protocol, one.port, str(one.address)) for one in sockets()}
        assert {("tcp", tcp.getsockname()[1], "::1"), ("udp", udp.getsockname()[1], "127.0.0.1")} <= found
