"""A machine of each hostile string, by real packets: run in a station's namespace, with its plan as the argument.

Prints, as JSON, the address that each machine was given.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from typing import Any
from urllib.parse import quote_from_bytes

from scapy.all import BOOTP, DHCP, IP, UDP, Ether

CLASS = b"PXEClient:Arch:00000:UNDI:002001"
ROOM = 230  # octets of an option, so that four of them fit into a packet


def exchange(kind: str, mac: str, text: bytes, **fields: Any) -> Any | None:
    """Broadcast a DHCP question with `text` in every option that holds text; the answer, or None."""
    extra = fields.pop("extra", [])
    options = [
        ("message-type", kind),
        (12, text[:ROOM]),
        (60, CLASS + text[: ROOM - len(CLASS)]),
        (61, b"\0" + text[:ROOM]),
        (77, text[:ROOM]),
        (93, b"\0\0"),
        *extra,
        "end",
    ]
    xid = int.from_bytes(os.urandom(4))
    boot = BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), xid=xid, flags=0x8000, **fields) / DHCP(options=options)
    frame = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as sock:
        sock.bind(("eth0", 0))
        sock.sendall(bytes(frame / boot))
        end = time.monotonic() + (10 if fields.get("wait", True) else 0.2)
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                answer = Ether(sock.recv(2000))
            except TimeoutError:
                return None
            if BOOTP in answer and answer[BOOTP].op == 2 and answer[BOOTP].xid == xid:
                return answer[BOOTP]
    return None


def lease(mac: str, text: bytes, server: str) -> str:
    offer = exchange("discover", mac, text)
    assert offer is not None, f"{mac} gets no offer"
    extra = [("requested_addr", offer.yiaddr), ("server_id", server)]
    assert exchange("request", mac, text, extra=extra) is not None, f"{mac} gets no lease"
    return str(offer.yiaddr)


def stranger(mac: str, text: bytes) -> None:
    """A machine that nobody declared, and nobody answers."""
    named = (12, text[:ROOM]), (60, CLASS + text[: ROOM - len(CLASS)])
    options = [("message-type", "discover"), *named, (93, b"\0\0"), "end"]
    boot = BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), xid=7, flags=0x8000) / DHCP(options=options)
    frame = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as sock:
        sock.bind(("eth0", 0))
        sock.sendall(bytes(frame / boot))


def tftp(ip: str, server: str, text: bytes) -> None:
    """Ask for a file of this name, and in this mode."""
    name = text.replace(b"\0", b"")[:400]
    raw = b"\0\1" + text[:400] + b"\0octet\0" + text[:50]
    for packet in (b"\0\1" + name + b"\0octet\0", b"\0\1x\0" + name + b"\0", raw):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((ip, 0))
            sock.settimeout(2)
            sock.sendto(packet, (server, 69))
            try:
                sock.recv(1000)
            except TimeoutError:
                continue


def http(ip: str, server: str, head: bytes, body: bytes = b"") -> bytes:
    with socket.create_connection((server, 80), 20, (ip, 0)) as sock:
        sock.sendall(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        answer = b""
        try:
            while part := sock.recv(65536):
                answer += part
        except OSError:
            pass
    return answer


def line_of(text: bytes) -> bytes:
    """What of `text` can stand in a header's line."""
    return text.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")


def fetch(ip: str, server: str, mac: str, text: bytes) -> None:
    agent = b"Host: x\r\nUser-Agent: " + line_of(text)[:4000] + b"\r\nReferer: " + line_of(text)[:4000] + b"\r\n"
    quoted = quote_from_bytes(text[:2000], safe="").encode()
    http(ip, server, b"GET /" + text + b" HTTP/1.1\r\n" + agent)
    http(ip, server, b"GET /files/" + quoted + b" HTTP/1.1\r\n" + agent)
    http(ip, server, b"GET /machines/" + quoted + b"?q=" + quoted + b" HTTP/1.1\r\n" + agent)
    http(ip, server, b"GET /autoinstall/" + quoted + b"?token=" + quoted + b" HTTP/1.1\r\n" + agent)
    http(ip, server, line_of(text)[:100] + b" / HTTP/1.1\r\n" + agent)
    # a server may refuse what has control characters in its head; the rest comes through
    agent = b"Host: x\r\nUser-Agent: " + bytes(octet for octet in text[:4000] if 0x20 <= octet < 0x7F) + b"\r\n"
    path = b"/ipxe/" + mac.replace(":", "-").encode() + b"?serial=" + quoted + b"&uuid=" + quoted
    script = http(ip, server, b"GET " + path + b" HTTP/1.1\r\n" + agent)
    token = re.search(rb"token=([\w-]+)", script)
    assert token is not None, script
    http(ip, server, b"GET /autoinstall/" + b"h" + b"?token=" + token[1] + b" HTTP/1.1\r\n" + agent)
    note = b"status=failed&note=" + quoted
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    answer = http(ip, server, b"POST /api/v1/callback/" + token[1] + b" HTTP/1.1\r\n" + agent + form, note)
    assert b"failed" in answer, answer


def syslog(ip: str, server: str, text: bytes) -> None:
    lines = (b"<27>Nov 23 15:00:01 prog: " + text, b"<27>1 - " + text + b" x - - - " + text, text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ip, 0))
        for line in lines:
            sock.sendto(line, (server, 514))
    with socket.create_connection((server, 514), 20, (ip, 0)) as sock:
        for line in lines:
            sock.sendall(b"%d %s" % (len(line), line))
        sock.sendall(b"<27>prog: " + text + b"\n")


def main(plan: dict[str, Any]) -> None:
    found = {}
    for name, machine in plan["machines"].items():
        text, server = bytes.fromhex(machine["text"]), plan["server"]
        stranger(machine["stranger"], text)
        ip = found[name] = lease(machine["mac"], text, server)
        subprocess.run(["ip", "address", "add", f"{ip}/24", "dev", "eth0"], check=True)
        tftp(ip, server, text)
        syslog(ip, server, text)
        fetch(ip, server, machine["mac"], text)
        subprocess.run(["ip", "address", "delete", f"{ip}/24", "dev", "eth0"], check=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
