# ruff: noqa: E501 - a row of a table is a line
"""--pcap: captures made by scapy, and files that are none."""

from __future__ import annotations

import gzip
import os
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import CookedLinux, Dot1Q, Ether
from scapy.utils import PcapNgWriter, PcapWriter, wrpcap

from netprov.explain import answers as answers_module
from netprov.explain import capture as capture_module
from netprov.explain import captured as captured_module
from netprov.explain.capture import CaptureError, Tally, read
from netprov.state.leases import Lease
from netprov.state.state import open_state
from tests.explain.house import said, told
from tests.world import edit

LADY, DUKE, STRANGER = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:99"
BIOS = [(60, b"PXEClient:Arch:00000:UNDI:002001"), (93, b"\0\0"), (55, bytes((1, 3, 6, 43, 60, 66, 67)))]
PLAIN = [(55, bytes((1, 3, 6)))]


def dhcp(mac: str, kind: str = "discover", options: Sequence[tuple[Any, Any]] = BIOS, **fields: Any) -> Any:
    boot = BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), xid=fields.pop("xid", 7), flags=0x8000, **fields)
    return boot / DHCP(options=[("message-type", kind), *options, "end"])


def broadcast(mac: str, message: Any, *tags: int) -> Any:
    frame = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
    for tag in tags:
        frame /= Dot1Q(vlan=tag)
    return frame / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / message


def unicast(message: Any, source: str, to: str, sport: int = 67, dport: int = 67) -> Any:
    return (
        Ether(src="02:00:00:00:00:aa", dst="02:00:00:00:00:bb")
        / IP(src=source, dst=to)
        / UDP(sport=sport, dport=dport)
        / message
    )


def write(house: Path, *packets: Any, every: float = 1.0) -> str:
    for number, packet in enumerate(packets):
        packet.time = 1_700_000_000 + number * every
    wrpcap(str(house / "x.pcap"), list(packets))
    return str(house / "x.pcap")


def answers(house: Path, *packets: Any, every: float = 1.0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told(house, "--pcap", write(house, *packets, every=every))["answers"]
    return found


CASES = [
    # the packets, and of the last one: its machine's system, whether a reply goes out, a word of what is said
    ([broadcast(LADY, dhcp(LADY))], "lady", True, "offers 10.0.0.14 (declared) and pxelinux.0"),
    ([broadcast(DUKE, dhcp(DUKE), 5)], "duke", True, "offers 10.0.0.15 (declared)"),
    ([broadcast(DUKE, dhcp(DUKE), 100, 5)], "duke", True, "offers 10.0.0.15 (declared)"),
    (
        [unicast(dhcp(STRANGER, giaddr="10.0.0.7"), "10.0.0.7", "10.0.0.1")],
        "",
        True,
        "offers 10.0.0.100 and pxelinux.0",
    ),
    ([unicast(dhcp(STRANGER, giaddr="10.0.0.7"), "10.0.0.7", "192.0.2.9")], "", True, "offers 10.0.0.100"),
    (
        [unicast(dhcp(STRANGER, giaddr="192.0.2.1"), "192.0.2.1", "10.0.0.1")],
        "",
        False,
        "no declared subnet fits relay 192.0.2.1",
    ),
    ([broadcast(LADY, dhcp(LADY)), broadcast(LADY, dhcp(LADY))], "lady", True, "as packet 1"),
    ([broadcast(LADY, dhcp(LADY, options=PLAIN))], "lady", True, "offers 10.0.0.14 (declared)"),
    (
        [broadcast(LADY, dhcp(LADY, "request", [("server_id", "10.0.0.1"), ("requested_addr", "10.0.0.14"), *BIOS]))],
        "lady",
        True,
        "gives 10.0.0.14",
    ),
    (
        [broadcast(LADY, dhcp(LADY, "request", [("server_id", "10.0.0.9"), ("requested_addr", "10.0.0.80")]))],
        "lady",
        False,
        "the client chose 10.0.0.9",
    ),
    (
        [broadcast(LADY, dhcp(LADY, "request", [("server_id", "10.0.0.1"), ("requested_addr", "10.0.0.80")]))],
        "lady",
        True,
        "its address is 10.0.0.14",
    ),
    (
        [unicast(dhcp(LADY, "request", PLAIN, ciaddr="10.0.0.14"), "10.0.0.14", "10.0.0.1", 68)],
        "lady",
        True,
        "gives 10.0.0.14",
    ),
    (
        [unicast(dhcp(LADY, "request", PLAIN, ciaddr="10.0.0.14"), "10.0.0.14", "10.0.0.9", 68)],
        None,
        False,
        "sent to 10.0.0.9 alone, which is not this server",
    ),
    ([unicast(dhcp(LADY, "request"), "10.0.0.14", "10.0.0.1", 4011, 4011)], "lady", True, "sends pxelinux.0"),
    (
        [unicast(dhcp(LADY, "inform", PLAIN, ciaddr="10.0.0.14"), "10.0.0.14", "10.0.0.255", 68)],
        "lady",
        True,
        "informs 10.0.0.14",
    ),
    ([broadcast(LADY, b"no dhcp at all")], "", False, "too few for a BOOTP packet"),
]


@pytest.mark.parametrize(("packets", "system", "replies", "says"), CASES)
def test_packets(house: Path, packets: list[Any], system: str | None, replies: bool, says: str) -> None:
    answer = answers(house, *packets)[-1]
    assert (answer["reply"] is not None) == replies
    assert says in answer["says"]
    assert system is None or answer["system"] == system
    if replies and not answer["like"]:
        assert answer["why"]
        assert answer["why"][0]["text"]


def test_vlans_relays_and_origins_are_shown(house: Path) -> None:
    tagged, relayed = answers(
        house, broadcast(DUKE, dhcp(DUKE), 100, 5), unicast(dhcp(STRANGER, giaddr="10.0.0.7"), "10.0.0.7", "10.0.0.1")
    )
    assert tagged["vlans"] == [100, 5]
    assert (relayed["relay"], relayed["reply"]["to"]) == ("10.0.0.7", "10.0.0.7:67")
    text = said(house, "--pcap", str(house / "x.pcap")).output
    for part in (
        "firmware, bios, VLAN 100.5",
        "relay 10.0.0.7",
        "matched system duke by MAC",
        "netprov.yaml:17",
        "67 bootfile-name       pxelinux.0",
    ):
        assert part in text


def test_one_machine_of_many(house: Path) -> None:
    packets = [broadcast(LADY, dhcp(LADY)), broadcast(STRANGER, dhcp(STRANGER)), broadcast(DUKE, dhcp(DUKE))]
    file = write(house, *packets)
    for name in ("lady", LADY, "10.0.0.14"):
        found = told(house, name, "--pcap", file)
        assert [answer["system"] for answer in found["answers"]] == ["lady"]
        assert "2 questions of other machines" in found["summary"]
    assert [answer["mac"] for answer in told(house, STRANGER, "--pcap", file)["answers"]] == [STRANGER]
    assert said(house, "nobody", "--pcap", file).exit_code == 1


def test_what_others_ask_counts(house: Path) -> None:
    """The only address of the range is another's by then."""
    edit(house, "range: 10.0.0.100-10.0.0.200", "range: 10.0.0.100")
    file = write(house, broadcast(STRANGER, dhcp(STRANGER)), broadcast(LADY, dhcp("52:54:00:00:00:98")))
    (answer,) = told(house, "52:54:00:00:00:98", "--pcap", file)["answers"]
    assert "all 1 addresses of its ranges are in use" in answer["says"]
    (late,) = told(house, "52:54:00:00:00:98", "--pcap", write(house, *_two(), every=61.0))["answers"]
    assert "offers 10.0.0.100" in late["says"]


def _two() -> list[Any]:
    return [broadcast(STRANGER, dhcp(STRANGER)), broadcast(LADY, dhcp("52:54:00:00:00:98"))]


def test_loader_loop(house: Path) -> None:
    """A loader given three times within a minute: no fourth time, as the server has it."""
    edit(house, "mode: full", "mode: proxy")
    rounds = []
    for xid in range(4):
        rounds += [
            broadcast(LADY, dhcp(LADY, xid=xid)),
            broadcast(LADY, dhcp(LADY, "request", [("server_id", "10.0.0.9"), *BIOS], xid=xid)),
        ]
    found = [answer for answer in answers(house, *rounds) if answer["type"] == "discover"]
    assert [answer["reply"] is not None for answer in found] == [True, True, False, False]
    assert found[-1]["reason"] == "loader-loop"


def test_other_servers_and_other_protocols(house: Path) -> None:
    theirs = unicast(dhcp(LADY, "offer", [("server_id", "10.0.0.9")], op=2), "10.0.0.9", "255.255.255.255", 67, 68)
    file = write(
        house,
        broadcast(LADY, dhcp(LADY)),
        theirs,
        unicast(b"\0\1x\0octet\0", "10.0.0.14", "10.0.0.1", 2000, 69),
        Ether() / b"arp",
    )
    found = told(house, "--pcap", file)
    assert (found["packets"], found["servers"]) == (4, {"10.0.0.9": 1})
    assert "2 packets of other protocols" in found["summary"]
    assert not found["warnings"]
    none = told(house, "--pcap", write(house, Ether() / b"arp"))
    assert "no machine's DHCP packet is in it" in none["warnings"][0]


def test_leases_and_what_if(house: Path) -> None:
    with open_state(str(house / "state")) as state:
        state.leases.commit(
            [Lease(IPv4Address("10.0.0.100"), "52:54:00:00:00:50", expires=time.time() + 900, subnet="10.0.0.0/24")]
        )
        file = write(
            house,
            broadcast(
                STRANGER,
                dhcp(STRANGER, "request", [("server_id", "10.0.0.1"), ("requested_addr", "10.0.0.101"), *PLAIN]),
            ),
        )
        (answer,) = told(house, "--pcap", file)["answers"]
        assert "gives 10.0.0.101" in answer["says"]
        assert len(list(state.leases.all())) == 1  # nothing is given by it
    (other,) = told(house, "--pcap", file, "--what-if", "dhcp.mode=reserved")["answers"]
    assert other["reply"] is None
    assert (
        told(house, "--pcap", write(house, broadcast(LADY, dhcp(LADY))), "--server", "10.0.0.77")["answers"][0][
            "reply"
        ]["options"][1]["value"]
        == "10.0.0.77"
    )


LINKS = [(113, CookedLinux(proto=0x800) / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / dhcp(LADY)),
         (101, IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / dhcp(LADY)),
         (228, IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / dhcp(LADY))]  # fmt: skip


@pytest.mark.parametrize(("link", "packet"), LINKS)
def test_link_types(house: Path, link: int, packet: Any) -> None:
    with PcapWriter(str(house / "l.pcap"), linktype=link) as writer:
        writer.write(bytes(packet))
    assert told(house, "--pcap", str(house / "l.pcap"))["answers"][0]["system"] == "lady"


def test_sll2_and_unknown_links(house: Path) -> None:
    inner = bytes(IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / dhcp(LADY))
    head = struct.pack("!HHIHBB8s", 0x0800, 0, 2, 1, 4, 6, bytes(8))
    for link, ok in ((276, True), (105, False)):
        with PcapWriter(str(house / "l.pcap"), linktype=link) as writer:
            writer.write(head + inner)
        found = told(house, "--pcap", str(house / "l.pcap"))
        assert bool(found["answers"]) == ok
        assert ok or "link type that is not known here (105)" in found["warnings"][0]


def test_pcapng_and_gzip(house: Path) -> None:
    with PcapNgWriter(str(house / "x.pcapng")) as writer:
        packet = broadcast(LADY, dhcp(LADY))
        packet.time = 1_700_000_000.25
        writer.write(packet)
    found = told(house, "--pcap", str(house / "x.pcapng"))["answers"]
    assert (found[0]["system"], round(found[0]["at"], 2)) == ("lady", 1_700_000_000.25)
    (house / "x.gz").write_bytes(gzip.compress((house / "x.pcapng").read_bytes()))
    assert told(house, "--pcap", str(house / "x.gz"))["answers"][0]["system"] == "lady"


def test_packet_cut_short_by_the_capture(house: Path) -> None:
    data = bytes(broadcast(LADY, dhcp(LADY)))
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 1)
    (house / "cut.pcap").write_bytes(header + struct.pack("<IIII", 1, 0, 96, len(data)) + data[:96])
    (answer,) = told(house, "--pcap", str(house / "cut.pcap"))["answers"]
    assert answer["reply"] is None
    assert f"left out {len(data) - 96} octets of it: capture whole packets (tcpdump -s 0)" in answer["says"]


def test_padding_cut_off_is_no_loss(house: Path) -> None:
    data = bytes(broadcast(LADY, dhcp(LADY)))
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    (house / "fcs.pcap").write_bytes(header + struct.pack("<IIII", 1, 0, len(data), len(data) + 4) + data)
    assert told(house, "--pcap", str(house / "fcs.pcap"))["answers"][0]["reply"]


@pytest.mark.parametrize("kind", ["pcap", "pcapng", "gz"])
def test_file_cut_short(house: Path, kind: str) -> None:
    packets = [broadcast(LADY, dhcp(LADY)), broadcast(DUKE, dhcp(DUKE))]
    whole = Path(write(house, *packets)).read_bytes()
    if kind == "pcapng":
        with PcapNgWriter(str(house / "x.pcapng")) as writer:
            for packet in packets:
                writer.write(packet)
        whole = (house / "x.pcapng").read_bytes()
    if kind == "gz":
        big = Path(
            write(
                house,
                *[broadcast(LADY, dhcp(os.urandom(6).hex(":"), options=[(61, os.urandom(200))])) for _ in range(20)],
            )
        )
        whole = gzip.compress(big.read_bytes())
    (house / "short").write_bytes(whole[: len(whole) - 100])
    result = said(house, "--pcap", str(house / "short"))
    assert result.exit_code == 0, result.output
    assert "the capture is read up to packet" in result.output
    assert "cut short" in result.output or "damaged" in result.output or "malformed" in result.output


BAD = [
    (b"", "an empty file"), (b"\xd4\xc3\xb2\xa1", "neither pcap nor pcapng"), (b"server: {}\n" * 9, "neither pcap nor pcapng"),
    (b"\x0a\x0d\x0d\x0a" + b"\xff" * 40, "neither pcap nor pcapng"), (b"\x1f\x8b\x08nonsense", "neither pcap nor pcapng"),
    (gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "neither pcap nor pcapng"), (b"\x7fELF" + bytes(100), "neither pcap nor pcapng"),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "says"), BAD)
def test_no_capture(house: Path, octets: bytes, says: str) -> None:
    (house / "bad").write_bytes(octets)
    result = said(house, "--pcap", str(house / "bad"))
    assert result.exit_code == 1
    assert says in result.output


def test_no_file(house: Path) -> None:
    os.mkfifo(house / "fifo")
    for name, says in (("nosuch", "no such file"), ("images", "not a regular file"), ("fifo", "not a regular file")):
        result = said(house, "--pcap", str(house / name))
        assert result.exit_code == 1
        assert says in result.output


def test_huge_is_read_as_a_stream(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured_module, "MOST", 5)
    file = write(house, *[broadcast(LADY, dhcp(f"52:54:00:00:01:{n:02x}")) for n in range(9)])
    found = told(house, "--pcap", file)
    assert len(found["answers"]) == 5
    assert "only the first" in found["warnings"][0]
    monkeypatch.setattr(capture_module, "MOST_OCTETS", 1000)
    assert "the rest was not read" in str(told(house, "--pcap", file)["warnings"])


def test_many_answers_are_not_all_shown_whole(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_module, "DETAILED", 2)
    shown = said(
        house, "--pcap", write(house, *[broadcast(LADY, dhcp(f"52:54:00:00:01:{n:02x}")) for n in range(5)])
    ).output
    assert shown.count("DISCOVER 52:54:00:00:01:") == 5
    assert shown.count("OFFER to") == 2
    assert "name a machine to see its own" in shown


def test_record_that_claims_too_much(house: Path) -> None:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    (house / "claims").write_bytes(header + struct.pack("<IIII", 1, 0, 0xFFFFFFF0, 0xFFFFFFF0) + b"x" * 100)
    assert "the capture is read up to packet" in said(house, "--pcap", str(house / "claims")).output


HOSTILE = ["\x1b[31mred\x1b[0m", "a\nb\r\nc", "<script>alert(1)</script>", "‮right", "[bold]x[/bold]", "x" * 250]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_client_sent_is_escaped(house: Path, text: str) -> None:
    octets = text.encode()[:250]
    file = write(house, broadcast(LADY, dhcp(LADY, options=[(12, octets), (61, octets), (77, octets), *BIOS])))
    shown = said(house, "--pcap", file).output
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "‮" not in shown
    told(house, "--pcap", file)


@given(
    st.binary(max_size=400),
    st.sampled_from(
        [
            b"",
            b"\xd4\xc3\xb2\xa1",
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a",
            b"\x4d\x3c\xb2\xa1\2\0\4\0" + bytes(8) + b"\0\0\1\0\1\0\0\0",
        ]
    ),
)
def test_any_octets(tmp_path_factory: pytest.TempPathFactory, octets: bytes, magic: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzzed"
    file.write_bytes(magic + octets)
    with suppress(CaptureError):  # nothing else is raised
        assert all(one.datagram is not None for one in read(file, Tally()))
