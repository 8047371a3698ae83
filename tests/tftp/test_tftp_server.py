"""The running server, asked with literal packets."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import resource
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tftp_world import Client, World, error_of, options_of

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.files.paths import PathError
from netprov.inventory.model import TftpSettings
from netprov.journal.event import Kind
from netprov.tftp.session import Crowd
from netprov.tftp.source import About, Content

MakeWorld = Callable[..., World]


def put(world: World, name: str, data: bytes) -> bytes:
    path = world.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return data


# T1


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 100_000])
def test_t1_files_of_every_size(world: World, size: int) -> None:
    data = put(world, "f", os.urandom(size))
    with world.client() as client:
        assert client.get(b"f") == data
        port = client.sock.getsockname()[1]
    (done,) = world.told(Kind.TFTP_DONE)
    assert (done.size, done.name, done.stage) == (size, "f", "loader-file")
    assert (done.ip, done.peer) == ("127.0.0.1", f"127.0.0.1:{port}")


@pytest.mark.parametrize("size", [100, 5000])
@pytest.mark.parametrize("single_port", [False, True])
def test_t1_wrong_tid_gets_error_5_and_the_transfer_goes_on(
    make_world: MakeWorld, size: int, single_port: bool
) -> None:
    world = make_world(TftpSettings(single_port=single_port))
    data = put(world, "f", os.urandom(size))
    with world.client() as client, world.client() as intruder:
        first = client.rrq(b"f")
        for packet in (b"\0\4\0\1", b"\0\3\0\1xxx"):
            intruder.sock.sendto(packet, client.tid)
            assert error_of(intruder.hear())[0] == 5
        intruder.sock.sendto(b"\0\5\0\0go away\0", client.tid)  # an ERROR is never answered
        assert intruder.silent()
        received, block, packet = b"", 1, first
        while True:
            received += packet[4:]
            client.ack(block)
            if len(packet) < 516:
                break
            block, packet = block + 1, client.hear_block(block + 1)
        assert received == data
    world.told(Kind.TFTP_DONE)
    assert {event.reason for event in world.told(Kind.TFTP_DROP, 3)} == {Reason.TFTP_WRONG_TID}


def test_t1_late_packets_of_an_ended_transfer_are_no_strangers(world: World) -> None:
    put(world, "f", bytes(1000))
    with world.client() as client:
        client.get(b"f")
        world.told(Kind.TFTP_DONE)
        client.ack(2)
        assert client.silent()


def test_t1_data_lost_and_ack_lost(world: World) -> None:
    put(world, "f", b"x" * 700)
    with world.client() as client:
        first = client.rrq(b"f", b"tsize", b"0")
        client.ack(0)
        data = client.hear()
        assert client.hear() == data  # sent again: no ACK came
        client.ack(1)
        assert client.hear()[:4] == b"\0\3\0\2"
        assert client.hear()[:4] == b"\0\3\0\2"
        client.ack(2)
    assert first[:2] == b"\0\6"
    assert world.told(Kind.TFTP_DONE)[0].retransmits >= 2


def test_t1_the_last_ack_lost(world: World) -> None:
    put(world, "f", b"x" * 700)
    with world.client() as client:
        client.rrq(b"f")
        client.ack(1)
        client.hear()
    (done,) = world.told(Kind.TFTP_DONE)  # the port is closed, all blocks were sent
    assert done.size == 700


@pytest.mark.parametrize("mode", [b"octet", b"OCTET", b"OcTeT"])
def test_t1_mode_whatever_its_case(world: World, mode: bytes) -> None:
    put(world, "f", b"a\nb")
    with world.client() as client:
        assert client.get(b"f", mode=mode) == b"a\nb"


def test_t1_netascii(world: World) -> None:
    text = put(world, "f", b"x" * 511 + b"\n" + b"\r" * 300 + b"end\n")
    world.made["g"] = lambda: Content(b"a\nb\n")
    with world.client() as client:
        assert client.get(b"f", mode=b"netascii") == text.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
        assert client.get(b"g", mode=b"NetAscii") == b"a\r\nb\r\n"


REFUSED = [
    (b"\0\1f\0mail\0", 4, Reason.TFTP_MALFORMED), (b"\0\2f\0octet\0", 2, Reason.TFTP_WRITE),
    (b"\0\1\0octet\0", 4, Reason.TFTP_MALFORMED), (b"\0\1f\0octet", 4, Reason.TFTP_MALFORMED),
    (b"\0\1f", 4, Reason.TFTP_MALFORMED), (b"\0\1", 4, Reason.TFTP_MALFORMED), (b"\0\4\0\0", 5, Reason.TFTP_WRONG_TID),
    (b"\0\3\0\1abc", 5, Reason.TFTP_WRONG_TID),
]  # fmt: skip


@pytest.mark.parametrize(("datagram", "code", "reason"), REFUSED)
def test_t1_refused(world: World, datagram: bytes, code: int, reason: Reason) -> None:
    put(world, "f", b"x")
    with world.client() as client:
        assert error_of(client.ask(datagram))[0] == code
    assert world.told(Kind.TFTP_DROP)[0].reason is reason


SILENT = [b"", b"\0", b"\0\0", b"\0\0\0\0", b"\0\7", b"\xff\xff", b"\0\5", b"\0\5\0\0bye\0", b"\0\6",
          b"\0\6tsize\0000\0", b"\1\0f\0octet\0", b"\0\3", b"\0\4", b"\0\4\0", b"\xff" * 2000]  # fmt: skip


def test_t1_malformed_packets_while_a_transfer_runs(world: World) -> None:
    """None of them is answered, none ends the transfer; neither do they on its own port."""
    data = put(world, "f", os.urandom(512 * 60))
    with world.client() as client, world.client() as other:
        packet, received, block = client.rrq(b"f"), b"", 1
        while True:
            if block <= len(SILENT):
                other.sock.sendto(SILENT[block - 1], other.server)
                other.sock.sendto(SILENT[block - 1], client.tid)
                if SILENT[block - 1][:2] != b"\0\5":
                    client.say(SILENT[block - 1])
            received += packet[4:]
            client.ack(block)
            if len(packet) < 516:
                break
            block, packet = block + 1, client.hear_block(block + 1)
        assert received == data
        assert other.silent()
    (done,) = world.told(Kind.TFTP_DONE)
    assert dict(done.detail)["stray"] != "0"
    world.told(Kind.TFTP_DROP, len(SILENT))


# T3 to T6


def test_t3_oack_answers_only_what_was_asked(world: World) -> None:
    put(world, "f", bytes(3000))
    for asked, answered in [
        ((b"tsize", b"0"), {b"tsize": b"3000"}),
        ((b"blksize", b"1024"), {b"blksize": b"1024"}),
        ((b"TSize", b"0", b"unknown", b"1"), {b"TSize": b"3000"}),
        ((b"timeout", b"3", b"windowsize", b"4"), {b"timeout": b"3", b"windowsize": b"4"}),
    ]:
        with world.client() as client:
            assert options_of(client.rrq(b"f", *asked)) == answered
            client.say(b"\0\5\0\0stop\0")


def test_t3_no_option_that_we_know_is_no_oack(world: World) -> None:
    put(world, "f", b"abc")
    with world.client() as client:
        assert client.rrq(b"f", b"utimeout", b"1", b"blksize", b"abc", b"timeout", b"0") == b"\0\3\0\1abc"


def test_t3_a_long_request(world: World) -> None:
    name = "d/" * 200 + "f"
    data = put(world, name, b"deep")
    with world.client() as client:
        assert client.get(name.encode(), b"x" * 200, b"y" * 200) == data


def test_t4_refusal(world: World) -> None:
    put(world, "f", b"abc")
    before = len(os.listdir("/proc/self/fd"))
    with world.client() as client:
        answer = client.rrq(b"f", b"blksize", b"7")
        assert answer == b"\0\5\0\x08Failure to negotiate RFC2347 options\0"
    (refused,) = world.told(Kind.TFTP_REFUSE)
    assert refused.reason is Reason.TFTP_OPTION
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # a data port


def test_t5_a_tsize_probe_is_an_abort_and_no_failure(world: World) -> None:
    put(world, "f", bytes(100_000))
    for ending in (b"\0\5\0\x08User aborted the transfer\0", b"\0\5\0\0Aborted\0"):
        with world.client() as client:
            assert options_of(client.rrq(b"f", b"tsize", b"0", b"blksize", b"1408"))[b"tsize"] == b"100000"
            client.say(ending)
            assert client.silent()
    with world.client() as client:
        client.rrq(b"f", b"tsize", b"0")
    with world.client() as client:
        client.rrq(b"f")
        client.ack(1)
        client.hear()
        client.say(b"\0\5\0\3disk full\0")
    world.told(Kind.TFTP_FAIL)
    aborts = world.told(Kind.TFTP_ABORT, 2)
    assert {event.reason for event in aborts} == {Reason.TFTP_ABORTED}
    (failed,) = world.told(Kind.TFTP_FAIL)
    assert (failed.reason, dict(failed.detail)["error"]) == (Reason.TFTP_CLIENT_ERROR, "3 disk full")


def test_t6_a_window_and_a_gap(world: World) -> None:
    data = put(world, "f", os.urandom(1000 * 40 + 7))
    with world.client() as client:
        options_of(client.rrq(b"f", b"blksize", b"1000", b"windowsize", b"8"))
        client.ack(0)
        window = [client.hear_block(block) for block in range(1, 9)]
        client.ack(3)
        received, block = b"".join(packet[4:] for packet in window[:3]), 3
        while True:
            packet = client.hear_block(block + 1)
            received, block = received + packet[4:], block + 1
            if len(packet) < 1004:
                client.ack(block)
                break
            if (block - 3) % 8 == 0:
                client.ack(block)
    assert received == data
    (done,) = world.told(Kind.TFTP_DONE)
    assert dict(done.detail)["windowsize"] == "8"
    assert done.retransmits >= 5


def test_t7_rollover(world: World) -> None:
    data = put(world, "f", os.urandom(8 * 131_073))
    with world.client() as client:
        options_of(client.rrq(b"f", b"blksize", b"8", b"windowsize", b"64"))
        client.ack(0)
        received, block = bytearray(), 0
        while True:
            packet = client.hear_block(block + 1)
            received, block = received + packet[4:], block + 1
            if len(packet) < 12 or block % 64 == 0:
                client.ack(block & 0xFFFF)
            if len(packet) < 12:
                break
    assert bytes(received) == data


# T11, T12


@pytest.mark.parametrize("size", [10, 50_000])
def test_t11_single_port(make_world: MakeWorld, size: int) -> None:
    world = make_world(TftpSettings(single_port=True))
    data = put(world, "f", os.urandom(size))
    with world.client() as client:
        assert client.get(b"f", b"blksize", b"1024") == data
        assert client.tid[1] == world.port
        assert error_of(client.rrq(b"absent"))[0] == 1
        assert client.tid[1] == world.port


def spare_port() -> int:
    """A UDP port that nobody has, and that the kernel gives to nobody: below those of ip_local_port_range."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


@pytest.mark.parametrize("size", [10, 50_000])
def test_t11_port_range(make_world: MakeWorld, size: int) -> None:
    low = spare_port()
    world = make_world(TftpSettings(ports=(low, low)))
    data = put(world, "f", os.urandom(size))
    clients = [world.client() for _ in range(30)]
    for client in clients:
        client.rrq(b"f", b"tsize", b"0")
        assert client.tid[1] == low
    for client in clients:
        client.say(b"\0\5\0\0\0")
        with client:
            assert client.get(b"f") == data
            assert client.tid[1] == low


@pytest.mark.parametrize("size", [10, 50_000])
def test_t12_ipv6(make_world: MakeWorld, size: int) -> None:
    world = make_world(address="::1")
    data = put(world, "f", os.urandom(size))
    with world.client() as client:
        assert client.get(b"f", b"blksize", b"1400") == data
    (done,) = world.told(Kind.TFTP_DONE)
    assert (done.ip, dict(done.detail)["server"]) == ("::1", "::1")
    assert done.peer.startswith("[::1]:")


@pytest.mark.parametrize("size", [10, 50_000])
@pytest.mark.parametrize("single_port", [False, True])
def test_t12_the_reply_comes_from_the_address_asked(make_world: MakeWorld, size: int, single_port: bool) -> None:
    world = make_world(TftpSettings(single_port=single_port), bind="0.0.0.0")
    data = put(world, "f", os.urandom(size))
    for address in ("127.0.0.1", "127.0.0.77"):
        with Client((address, world.port)) as client:
            assert client.get(b"f") == data
            assert client.tid[0] == address
            error_of(client.rrq(b"absent"))
            assert client.tid[0] == address
        assert str(world.asked[-1][2]) == address


def test_t12_ipv4_on_an_ipv6_socket(make_world: MakeWorld) -> None:
    world = make_world(address="::", bind="::")
    for size in (10, 50_000):
        data = put(world, "f", os.urandom(size))
        with Client(("127.0.0.1", world.port)) as client:
            assert client.get(b"f") == data
    assert world.told(Kind.TFTP_DONE, 2)[0].ip == "127.0.0.1"


# T13 to T15


def test_t13_a_file_replaced_in_mid_transfer(world: World) -> None:
    data = put(world, "f", os.urandom(1_000_000))
    with world.client() as client:
        packet, received, block = client.rrq(b"f"), b"", 1
        (world.root / "new").write_bytes(bytes(2000))
        os.replace(world.root / "new", world.root / "f")
        while len(packet) == 516:
            received += packet[4:]
            client.ack(block & 0xFFFF)
            block, packet = block + 1, client.hear_block(block + 1)
        client.ack(block & 0xFFFF)
        assert received + packet[4:] == data
        assert client.get(b"f") == bytes(2000)


def test_t13_a_file_written_in_place_ends_with_an_error(world: World) -> None:
    put(world, "f", os.urandom(2_000_000))
    with world.client() as client:
        packet, block = client.rrq(b"f"), 1
        (world.root / "f").write_bytes(bytes(2_000_000))
        os.utime(world.root / "f", ns=(1, 1))
        while packet[:2] == b"\0\3":
            client.ack(block & 0xFFFF)
            block, packet = block + 1, client.hear_block(block + 1)
        assert error_of(packet) == (0, "the file changed while it was sent")
    assert "changed" in world.told(Kind.TFTP_FAIL)[0].text


PATHS = [
    (b"../outside", 2, Reason.TFTP_OUTSIDE), (b"..\\outside", 2, Reason.TFTP_OUTSIDE),
    (b"d/../../outside", 2, Reason.TFTP_OUTSIDE), (b"../root-private/f", 2, Reason.TFTP_OUTSIDE),
    (b"link", 2, Reason.TFTP_OUTSIDE), (b"%2e%2e/outside", 1, Reason.TFTP_NOT_FOUND),
    (b"/etc/passwd", 1, Reason.TFTP_NOT_FOUND), (b"//etc/passwd", 1, Reason.TFTP_NOT_FOUND),
    (b"\xc0\xae\xc0\xae/outside", 1, Reason.TFTP_NOT_FOUND), (b"C:\\boot.ini", 1, Reason.TFTP_NOT_FOUND),
    (b"x" * 1900, 1, Reason.TFTP_NOT_FOUND), (b"d", 1, Reason.TFTP_NOT_FOUND), (b"absent", 1, Reason.TFTP_NOT_FOUND),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "reason"), PATHS)
def test_t14_paths(world: World, name: bytes, code: int, reason: Reason) -> None:
    put(world, "d/f", b"x")
    (world.root.parent / "outside").write_text("secret")
    (world.root / "link").symlink_to("../outside")
    with world.client() as client:
        assert error_of(client.rrq(name))[0] == code
    (refused,) = world.told(Kind.TFTP_REFUSE)
    assert refused.reason is reason
    refused.name.encode()  # no surrogates leave the room
    refused.text.encode()


@pytest.mark.parametrize("name", [b"\\EFI\\BOOT\\BOOTX64.EFI", b"efi/boot/bootx64.efi", b"/EFI/boot\\BootX64.efi"])
def test_t15_case_and_backslashes(world: World, name: bytes) -> None:
    data = put(world, "EFI/Boot/bootx64.efi", b"MZ")
    with world.client() as client:
        assert client.get(name) == data


# rendered files


def test_rendered_before_static_and_its_facts_in_the_events(world: World) -> None:
    put(world, "boot.ipxe", b"static")
    about = About(stage="script", system="lady", mac="00:16:3e:11:11:11", detail=(("template", "menu"),))
    world.made["boot.ipxe"] = lambda: Content(b"#!ipxe\n", about)
    with world.client() as client:
        assert client.get(b"boot.ipxe", b"tsize", b"0") == b"#!ipxe\n"
    (done,) = world.told(Kind.TFTP_DONE)
    assert (done.stage, done.system, done.mac) == ("script", "lady", "00:16:3e:11:11:11")
    assert dict(done.detail)["template"] == "menu"
    assert [str(part) for part in world.asked[0]] == ["boot.ipxe", "127.0.0.1", "127.0.0.1"]


def test_rendered_errors(world: World) -> None:
    def nothing() -> Content:
        raise PeerError("no script for this machine", 1)

    def broken() -> Content:
        raise ZeroDivisionError("secret detail")

    world.made.update(nothing=nothing, broken=broken)
    with world.client() as client:
        assert error_of(client.rrq(b"nothing")) == (1, "no script for this machine")
        assert error_of(client.rrq(b"broken")) == (0, "internal error")
        put(world, "f", b"x")
        assert client.get(b"f") == b"x"
    refused = world.told(Kind.TFTP_REFUSE, 2)
    assert [event.reason for event in refused] == [Reason.TFTP_NOT_FOUND, Reason.TEMPLATE_ERROR]
    assert "ZeroDivisionError" in refused[1].text


def test_a_slow_template_holds_nobody_up(world: World) -> None:
    go = threading.Event()

    def slow() -> Content:
        go.wait(10)
        return Content(b"at last")

    world.made["slow"] = slow
    data = put(world, "f", os.urandom(20_000))
    with world.client() as waiting, world.client() as other:
        waiting.sock.sendto(b"\0\1slow\0octet\0", waiting.server)
        waiting.sock.sendto(b"\0\1slow\0octet\0", waiting.server)  # it asks again: it is made only once
        assert other.get(b"f") == data
        go.set()
        assert waiting.hear() == b"\0\3\0\1at last"
        waiting.ack(1)
        assert waiting.silent()
    assert len([name for name, _, _ in world.asked if name == "slow"]) <= 2


def test_a_broken_journal_stops_nothing(make_world: MakeWorld) -> None:
    world = make_world()

    def full(event: object) -> None:
        raise OSError("no space left")

    world.server._record_to = full  # type: ignore[assignment]
    put(world, "f", b"x")
    with world.client() as client:
        assert client.get(b"f") == b"x"


# who asks again, who asks too much, who never answers


def test_a_repeated_request_is_the_same_transfer(world: World) -> None:
    put(world, "f", bytes(5000))
    with world.client() as client:
        first = client.rrq(b"f", b"tsize", b"0")
        tid = client.tid
        assert client.rrq(b"f", b"tsize", b"0") == first
        assert client.tid == tid
    assert len([event for event in world.events if event.kind is Kind.TFTP_REQUEST]) == 1


@pytest.mark.parametrize("size", [100, 5000])
def test_a_new_request_from_a_known_address_restarts(world: World, size: int) -> None:
    data = put(world, "f", os.urandom(size))
    put(world, "g", os.urandom(5000))
    with world.client() as client:
        client.rrq(b"g")
        client.ack(1)
        client.hear()
        assert client.get(b"f") == data
        assert client.get(b"f") == data
    assert "asked again" in world.told(Kind.TFTP_FAIL)[0].text


FULL = [
    PathError("too many files are open", Reason.TFTP_BUSY),
    OSError(errno.EMFILE, "full"),
    OSError(errno.ENFILE, ""),
]


@pytest.mark.parametrize("problem", FULL)
@pytest.mark.parametrize("rendered", [False, True])
def test_silent_while_no_file_can_be_opened(
    world: World, monkeypatch: pytest.MonkeyPatch, rendered: bool, problem: Exception
) -> None:
    """Firmware asks again by itself, and gives up at an ERROR."""

    def full(*_: object) -> Content:
        raise problem

    data = put(world, "f", bytes(600))
    with world.client() as client:
        if rendered:
            world.made["f"] = full
        else:
            monkeypatch.setattr(world, "open", full)
        client.sock.sendto(b"\0\1f\0octet\0", client.server)
        assert client.silent(0.2)
        assert world.told(Kind.TFTP_DROP)[0].reason is Reason.TFTP_BUSY
        world.made.clear()
        monkeypatch.undo()
        assert client.get(b"f") == data


# (soft limit, hard limit, the soft limit then, transfers at once)
DESCRIPTORS = [(1024, 524288, 16704, 8192), (1024, 1024, 1024, 352), (330, 340, 340, 10), (100, 200, 200, 1)]


@pytest.mark.parametrize(("soft", "hard", "raised", "total"), DESCRIPTORS)
def test_the_file_limit_is_raised_for_all_transfers(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int, total: int
) -> None:
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    world = make_world()
    assert limits[-1] == (raised, hard)
    put(world, "f", bytes(5000))
    with contextlib.ExitStack() as stack:
        answered = 0
        for _ in range(min(total, 12) + 1):
            client = stack.enter_context(world.client())
            client.sock.sendto(b"\0\1f\0octet\0", client.server)
            answered += not client.silent(0.1)
        assert answered == min(total, 13)


def test_limits_of_one_client_and_of_all(make_world: MakeWorld) -> None:
    world = make_world(crowd=Crowd(total=6, client=4, trusted=64))
    put(world, "f", bytes(5000))
    clients = [world.client("127.0.0.1") for _ in range(5)] + [world.client("127.0.0.2") for _ in range(3)]
    answers = []
    for client in clients:
        client.sock.sendto(b"\0\1f\0octet\0", client.server)
        answers.append(not client.silent(0.1))
    assert answers == [True] * 4 + [False] + [True] * 2 + [False]
    assert {event.reason for event in world.told(Kind.TFTP_DROP, 2)} == {Reason.TFTP_BUSY}
    clients[0].say(b"\0\5\0\0\0")
    world.told(Kind.TFTP_ABORT)
    with clients[4] as late:
        assert len(late.get(b"f")) == 5000
    for client in clients:
        client.sock.close()


def test_amplification_beyond_the_trusted_crowd(make_world: MakeWorld) -> None:
    """Requests in forged numbers: the victim gets each opening packet once."""
    world = make_world(crowd=Crowd(trusted=0))
    put(world, "f", bytes(5000))
    with world.client() as client:
        client.rrq(b"f", b"tsize", b"0")
        assert client.silent(1.5)
    assert world.told(Kind.TFTP_FAIL)[0].reason is Reason.TFTP_TIMEOUT


def test_a_flood_of_garbage_does_not_flood_the_journal(world: World) -> None:
    put(world, "f", b"x")
    with world.client() as client:
        for _ in range(2000):
            client.sock.sendto(b"\0\7", client.server)
        assert client.get(b"f") == b"x"
    assert len([event for event in world.events if event.kind is Kind.TFTP_DROP]) <= 150


# stopping


def test_stop_drains(make_world: MakeWorld) -> None:
    world = make_world()
    data = put(world, "f", os.urandom(5000))
    with world.client() as client, world.client() as late:
        packet, received, block = client.rrq(b"f"), b"", 1
        world.server.stop(8.0)
        time.sleep(0.05)
        late.sock.sendto(b"\0\1f\0octet\0", late.server)
        while True:
            received += packet[4:]
            client.ack(block)
            if len(packet) < 516:
                break
            block, packet = block + 1, client.hear_block(block + 1)
        assert received == data
        world.thread.join(5)
        assert not world.thread.is_alive()
        assert late.silent()


@pytest.mark.parametrize("single_port", [False, True])
def test_stop_ends_what_does_not_drain(make_world: MakeWorld, single_port: bool) -> None:
    before = len(os.listdir("/proc/self/fd"))
    world = make_world(TftpSettings(single_port=single_port))
    put(world, "f", bytes(5000))
    with world.client() as client:
        client.rrq(b"f")
        world.stop(0.05)
        assert error_of(client.hear()) == (0, "the server stops")
    assert world.told(Kind.TFTP_FAIL)
    assert len(os.listdir("/proc/self/fd")) == before


def test_update_is_for_new_requests(world: World) -> None:
    put(world, "f", bytes(5000))
    world.settings = TftpSettings(blksize=600, windowsize=2)
    with world.client() as client:
        answer = options_of(client.rrq(b"f", b"blksize", b"1400", b"windowsize", b"16"))
    assert answer == {b"blksize": b"600", b"windowsize": b"2"}


def test_nothing_is_left_open(make_world: MakeWorld, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    world = make_world()
    put(world, "f", bytes(5000))
    world.made["m"] = lambda: Content(b"x")
    for name, mode in ((b"f", b"octet"), (b"f", b"netascii"), (b"m", b"octet")):
        with world.client() as client:
            client.get(name, mode=mode)
    for options in ((b"blksize", b"0"), (b"tsize", b"0")):
        with world.client() as client:
            client.rrq(b"f", *options, mode=b"netascii")
    world.stop()
    assert len(os.listdir("/proc/self/fd")) == before
