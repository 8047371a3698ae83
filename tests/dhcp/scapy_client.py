"""Questions put together and answers read by scapy: a codec that is not ours. Run beside the client's interface."""

from __future__ import annotations

import socket
import time
from typing import Any

from scapy.all import BOOTP, DHCP, IP, UDP, Ether

MAC = "02:00:00:77:00:50"
PXE = [("vendor_class_id", b"PXEClient:Arch:00007:UNDI:003000"), (93, b"\0\7"), (97, b"\0" + bytes(range(16)))]


def _boot(kind: str, options: Any, **fields: Any) -> Any:
    chaddr = bytes.fromhex(MAC.replace(":", ""))
    return BOOTP(chaddr=chaddr, xid=0x4242, **fields) / DHCP(options=[("message-type", kind), *options, "end"])


def ask(kind: str, *options: Any, flags: int = 0x8000) -> dict[str, Any] | None:
    """Broadcasts a question from nowhere; the answer, taken apart, or None."""
    packet = Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255")
    packet = packet / UDP(sport=68, dport=67) / _boot(kind, options, flags=flags)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as sock:
        sock.bind(("cli0", 0))
        sock.sendall(bytes(packet))
        end = time.monotonic() + 3
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                answer = Ether(sock.recv(2000))
            except TimeoutError:
                break
            if UDP in answer and answer[UDP].sport == 67:
                return told(answer)
    return None


def ask_boot_server(ip: str, server: str) -> dict[str, Any]:
    """A REQUEST to port 4011 and its answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ip, 4011))
        sock.settimeout(5)
        sock.sendto(bytes(_boot("request", PXE, ciaddr=ip)), (server, 4011))
        data, peer = sock.recvfrom(2000)
    answer = IP(src=peer[0], dst=ip) / UDP(sport=peer[1], dport=4011) / BOOTP(data)
    return told(Ether() / answer)


def told(packet: Any) -> dict[str, Any]:
    options = {name: values for name, *values in (o for o in packet[DHCP].options if isinstance(o, tuple))}
    boot = packet[BOOTP]
    return {
        **{k: [v.decode("latin-1") if isinstance(v, bytes) else v for v in values] for k, values in options.items()},
        "yiaddr": boot.yiaddr,
        "siaddr": boot.siaddr,
        "file": boot.file.rstrip(b"\0").decode(),
        "to": [packet[Ether].dst, packet[IP].dst, packet[UDP].dport],
        "from": [packet[IP].src, packet[UDP].sport],
        "sums": [IP(bytes(packet[IP])).chksum == packet[IP].chksum],
    }
