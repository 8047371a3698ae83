"""Which packets are a boot's, and the file that the command writes."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from click.testing import CliRunner
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapReader

from netprov.boot.reason import Reason
from netprov.cli import main
from netprov.dhcp.packet import ACK, BOOTREPLY, Packet, encode
from netprov.journal.boots import Boot, boot_of
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.journal.store import Store as Journal
from netprov.recorder.entry import Entry, What
from netprov.recorder.entry import encode as as_octets
from netprov.recorder.export import frames_of
from netprov.recorder.reader import Reader
from netprov.recorder.store import Store
from netprov.recorder.writer import Batch

from .tshark import assert_sound, rows

LADY, DUKE = "52:54:00:00:00:01", "52:54:00:00:00:02"
NOW = 1_800_000_000.0
OURS, HERS = ip_address("10.77.0.1").packed, ip_address("10.77.0.2").packed
EVERYBODY = b"\xff" * 4


def octets(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def dhcp(mac: str, at: float, giaddr: str = "0.0.0.0") -> list[Entry]:
    asked = encode(Packet(chaddr=octets(mac) + bytes(10), giaddr=ip_address(giaddr), options={53: b"\1"}), 548)
    said = encode(
        Packet(op=BOOTREPLY, chaddr=octets(mac) + bytes(10), yiaddr=ip_address(HERS), giaddr=ip_address(giaddr),
               options={53: bytes([ACK])}), 548,
    )  # fmt: skip
    relay = ip_address(giaddr).packed
    peer, port, to = (relay, 67, OURS) if any(relay) else (bytes(4), 68, EVERYBODY)
    back = relay if any(relay) else EVERYBODY
    return [
        Entry(at, What.DHCP_HEARD, peer, port, to, 67, asked, len(asked), 0, mac),
        Entry(at + 0.01, What.DHCP_SENT, back, port, OURS, 67, said, len(said), 0, mac, "10.77.0.2"),
    ]


def tftp(at: float, name: str = "pxelinux.0", port: int = 2070, ip: bytes = HERS) -> list[Entry]:
    asked = b"\0\1" + name.encode() + b"\0octet\0"
    return [
        Entry(at, What.TFTP_HEARD, ip, port, OURS, 69, asked, len(asked)),
        Entry(at + 0.01, What.TFTP_SENT, ip, port, OURS, 4001, b"\0\3\0\1", 104, 0x1234),
        Entry(at + 0.02, What.TFTP_HEARD, ip, port, OURS, 4001, b"\0\4\0\1", 4),
    ]


def happened(at: float, kind: Kind, mac: str = "", peer: str = "", seconds: float = 0.0, **facts: object) -> Event:
    return Event(at, kind, Reason.DHCP_OK, mac=mac, peer=peer, seconds=seconds, **facts)  # type: ignore[arg-type]


def a_boot(at: float = NOW, mac: str = LADY, port: int = 2070) -> Boot:
    return boot_of(
        mac,
        1,
        [
            happened(at, Kind.DHCP_ACK, mac, "0.0.0.0:68", ip="10.77.0.2"),
            happened(at + 1.0, Kind.TFTP_REQUEST, peer=f"10.77.0.2:{port}", name="pxelinux.0"),
            happened(at + 1.5, Kind.TFTP_DONE, peer=f"10.77.0.2:{port}", name="pxelinux.0", seconds=0.5),
        ],
    )


def record(path: Path, *entries: Entry) -> None:
    batch = Batch()
    for entry in entries:
        batch.take(entry, as_octets(entry))
    store = Store(path)
    store.add(batch.pieces(), 1 << 22)
    store.close()


def frames(path: Path, *boots: Boot):
    with Reader(path) as reader:
        return frames_of(boots, reader)


def test_a_boot_has_its_address_and_its_transfers(tmp_path):
    path = tmp_path / "capture.db"
    record(path, *dhcp(LADY, NOW), *tftp(NOW + 1.0))
    found = [Ether(frame.data) for frame in frames(path, a_boot())]
    assert [packet[UDP].dport for packet in found] == [67, 68, 69, 2070, 4001]
    assert {packet.src for packet in found if packet[UDP].dport in (67, 69, 4001)} == {LADY}
    assert found[1].dst == "ff:ff:ff:ff:ff:ff"
    assert found[3].dst == LADY


OTHERS = (
    ("another machine's DHCP", dhcp(DUKE, NOW + 0.5)),
    ("its own, of the boot before", dhcp(LADY, NOW - 60)),
    ("… and of the next", dhcp(LADY, NOW + 60)),
    ("the same address, yesterday another's", tftp(NOW - 86_400)),
    ("the same address, later another's", tftp(NOW + 600)),
    ("another port of the address", tftp(NOW + 1.0, port=2071)),
    ("another address", tftp(NOW + 1.0, ip=ip_address("10.77.0.3").packed)),
)


@pytest.mark.parametrize("others", [row[1] for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_what_is_another_boots_is_not_in_it(tmp_path, others):
    path = tmp_path / "capture.db"
    record(path, *dhcp(LADY, NOW), *tftp(NOW + 1.0), *others)
    assert len(frames(path, a_boot())) == 5


def test_a_transfer_that_nothing_more_was_heard_of_is_there(tmp_path):
    path = tmp_path / "capture.db"
    again = [Entry(NOW + 1.0 + n, What.TFTP_SENT, HERS, 2070, OURS, 4001, b"\0\3\0\1", 104, 1) for n in (1, 3, 7, 15)]
    record(path, *tftp(NOW + 1.0), *again)
    silent = boot_of(LADY, 1, [happened(NOW + 1.0, Kind.TFTP_REQUEST, LADY, "10.77.0.2:2070")])
    assert len(frames(path, silent)) == 7


def test_several_boots_are_in_the_order_of_time(tmp_path):
    path = tmp_path / "capture.db"
    record(path, *dhcp(LADY, NOW + 100), *tftp(NOW + 101), *dhcp(LADY, NOW), *tftp(NOW + 1.0))
    found = frames(path, a_boot(), a_boot(NOW + 100))
    assert len(found) == 10
    assert [frame.at for frame in found] == sorted(frame.at for frame in found)


def test_a_relays_packets_have_the_relays_link_address(tmp_path):
    path = tmp_path / "capture.db"
    record(path, *dhcp(LADY, NOW, "10.99.0.1"))
    asked, said = (Ether(frame.data) for frame in frames(path, a_boot()))
    assert (asked.src, said.dst) == ("02:00:0a:63:00:01",) * 2


def test_a_machine_that_is_known_by_its_address_alone(tmp_path):
    path = tmp_path / "capture.db"
    record(path, *tftp(NOW + 1.0))
    boot = boot_of("ip 10.77.0.2", 1, [happened(NOW + 1.0, Kind.TFTP_REQUEST, peer="10.77.0.2:2070")])
    assert Ether(frames(path, boot)[0].data).src == "02:00:0a:4d:00:02"


def test_ipv6(tmp_path):
    path = tmp_path / "capture.db"
    theirs, ours = ip_address("fd00::2").packed, ip_address("fd00::1").packed
    said = [
        Entry(e.at, e.what, theirs, e.port, ours, e.local_port, e.data, e.length, e.checksum) for e in tftp(NOW + 1.0)
    ]
    head = b"GET /x HTTP/1.1\r\nHost: [fd00::1]\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    said += [
        Entry(NOW + 2.0, What.HTTP_REQUEST, theirs, 5000, ours, 80, head, len(head)),
        Entry(NOW + 2.1, What.HTTP_ANSWER, theirs, 5000, ours, 80, answer, len(answer) + 3),
        Entry(NOW + 2.2, What.HTTP_DONE, theirs, 5000, ours, 80, b"", 0),
    ]
    record(path, *said)
    events = [
        happened(NOW + 1.0, Kind.TFTP_REQUEST, LADY, "[fd00::2]:2070"),
        happened(NOW + 2.2, Kind.HTTP_DONE, LADY, "fd00::2:5000", 0.2),
    ]
    out = tmp_path / "out.pcap"
    write(out, frames(path, boot_of(LADY, 1, events)))
    assert [row[0] for row in rows(out, "ipv6.src", only="tftp.opcode == 1")] == ["fd00::2"]
    assert rows(out, "http.request.uri", only="http.request") == [("/x",)]
    assert rows(out, "http.response.code", only="http.response") == [("200",)]


def write(path: Path, found) -> None:
    from netprov.recorder import pcap

    file = io.BytesIO()
    pcap.write(file, found)
    path.write_bytes(file.getvalue())


def test_a_script_is_put_together_from_its_text_and_its_packets(tmp_path):
    path = tmp_path / "capture.db"
    text = b"#!ipxe\n" + b"kernel vmlinuz\n" * 60  # 907 octets, two blocks of 512
    blocks = [
        Entry(NOW + 1.0 + n / 100, What.TFTP_SENT, HERS, 2070, OURS, 4001, b"\0\3" + n.to_bytes(2, "big"), size, 7)
        for n, size in ((1, 516), (2, 399), (2, 399))
    ]
    script = Entry(NOW + 1.005, What.TFTP_SCRIPT, HERS, 2070, OURS, 4001, text, 512)
    record(path, tftp(NOW + 1.0)[0], script, *blocks)
    out = tmp_path / "out.pcap"
    found = frames(path, a_boot())
    write(out, found)
    assert_sound(out)
    data = [bytes(Ether(frame.data)[UDP].payload)[4:] for frame in found[1:]]
    assert data[0] + data[1] == text
    assert data[1] == data[2]
    assert all(frame.length == len(frame.data) for frame in found)


def test_heads_that_are_garbage_do_no_harm(tmp_path):
    path = tmp_path / "capture.db"
    said = [
        Entry(NOW + 1.0, What.HTTP_ANSWER, HERS, 5000, OURS, 80, b"\xff\0\r\n", 4),
        Entry(NOW + 1.1, What.HTTP_REQUEST, HERS, 5000, OURS, 80, b"", 0),
        Entry(NOW + 1.2, What.HTTP_DONE, HERS, 5000, OURS, 80, b"", 0),
        Entry(NOW + 1.3, What.TFTP_SENT, HERS, 5000, OURS, 69, b"", 0),
        Entry(NOW + 1.3, What.DHCP_HEARD, HERS, 5000, OURS, 67, b"\1", 1, 0, LADY),
    ]
    record(path, *said)
    events = [
        happened(NOW + 1.0, Kind.HTTP_DONE, LADY, "10.77.0.2:5000"),
        happened(NOW + 1.3, Kind.TFTP_REQUEST, LADY, "10.77.0.2:5000"),
        happened(NOW + 1.3, Kind.HTTP_DONE, LADY, "nonsense"),
        happened(NOW + 1.3, Kind.HTTP_DONE, LADY, "10.77.0.2:port"),
    ]
    out = tmp_path / "out.pcap"
    write(out, frames(path, boot_of(LADY, 1, events)))
    assert rows(out, "frame.number")


# the command


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "netprov.yaml").write_text(
        "server: {state: state, capture: 4M}\n"
        "distros: {d: {kernel: 'http://10.77.0.1/vmlinuz', initrd: ['http://10.77.0.1/initrd']}}\n"
        "profiles: {web: {distro: d}}\n"
        f"systems:\n  lady: {{profile: web, interfaces: {{eth0: {{mac: '{LADY}'}}}}}}\n"
        f"  duke: {{profile: web, interfaces: {{eth0: {{mac: '{DUKE}'}}}}}}\n"
    )
    (tmp_path / "state").mkdir()
    at = time.time() - 100
    journal = Journal(tmp_path / "state" / "journal.db")
    for mac in (LADY, DUKE):
        journal.add([Placed(event, mac, 1) for event in a_boot(at, mac).events], 1000, 0.0)
    journal.close()
    record(tmp_path / "state" / "capture.db", *dhcp(LADY, at), *tftp(at + 1.0, port=2070))
    return tmp_path


def timeline(*words: str):
    return CliRunner().invoke(main, ["timeline", *words])


def test_the_command_writes_a_file_that_scapy_reads(place):
    done = timeline("lady", "--pcap", "out.pcap")
    assert done.exit_code == 0, done.output
    assert done.output == f"out.pcap: 5 packets of the boot of {LADY}\n"
    with PcapReader("out.pcap") as reader:
        assert len(list(reader)) == 5


def test_it_writes_to_a_pipe(place):
    command = [sys.executable, "-m", "netprov", "timeline", LADY, "--pcap", "-"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert done.stdout[:4] == b"\xd4\xc3\xb2\xa1"
    assert b"5 packets" in done.stderr


REFUSED = (
    (("lady", "--pcap", "/no/such/folder/out.pcap"), "/no/such/folder/out.pcap cannot be written: No such file"),
    (("lady", "--pcap", "."), ". cannot be written: Is a directory"),
    (("lady", "--pcap", "/dev/full"), "/dev/full cannot be written: No space left on device"),
    (("lady", "--pcap", "x", "--follow"), "--pcap goes with neither --follow nor --json"),
    (("lady", "--pcap", "x", "--json"), "--pcap goes with neither --follow nor --json"),
    (("nobody", "--pcap", "x"), "neither the inventory nor the journal knows 'nobody'"),
    (("52:54:00:00:00:99", "--pcap", "x"), "this machine has not contacted this server yet"),
)


@pytest.mark.parametrize(("words", "says"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_what_cannot_be_written_is_told(place, words, says):
    done = timeline(*words)
    assert done.exit_code != 0
    assert says in " ".join(done.output.split())
    assert not Path("x").exists()


def test_a_boot_without_packets_is_told_why(place):
    (place / "state" / "capture.db").unlink()
    done = timeline("lady", "--pcap", "x")
    assert done.exit_code == 1
    assert "no packets are kept yet: there is no " in done.output
    record(place / "state" / "capture.db", *dhcp("52:54:00:00:00:99", NOW))
    assert "no packets are kept (any more)" in timeline("lady", "--pcap", "x").output
    config = place / "netprov.yaml"
    config.write_text(config.read_text().replace(", capture: 4M", ""))
    assert "write server: {capture: 64M} in netprov.yaml" in timeline("lady", "--pcap", "x").output


@pytest.mark.parametrize("content", [b"no database\n" * 400, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_record_is_told(place, content):
    for file in (place / "state").glob("capture.db*"):
        file.unlink()
    (place / "state" / "capture.db").write_bytes(content)
    done = timeline("lady", "--pcap", "x")
    assert done.exit_code == 1
    assert "state/capture.db: the recorded packets cannot be read" in done.output


SIZES = (("64M", 64 << 20), ("1G", 1 << 30), ("off", 0), ("false", 0), ("0", 0))


@pytest.mark.parametrize(("written", "octets"), SIZES)
def test_the_setting(tmp_path, written, octets):
    from netprov.inventory.load import load

    config = tmp_path / "netprov.yaml"
    config.write_text(f"server: {{capture: {written}}}\n")
    assert load(config).settings.server.capture == octets


@pytest.mark.parametrize(("written", "says"), [("1K", "less than 1M"), ("many", "is not a size"), ("-5M", "is not a")])
def test_the_setting_is_refused(tmp_path, written, says):
    (tmp_path / "netprov.yaml").write_text(f"server: {{capture: {written}}}\n")
    done = CliRunner().invoke(main, ["timeline", "-c", str(tmp_path / "netprov.yaml")])
    assert done.exit_code == 1
    assert says in done.output
