"""Exchange after exchange, each a new client behind a relay at 10.77.0.2; prints each one that was acknowledged."""

from __future__ import annotations

import socket
import sys
from ipaddress import IPv4Address

from dhcp_world import mac_number, question

from netprov.dhcp.packet import ACK, DISCOVER, REQUEST, Packet, parse

RELAY, SERVER = IPv4Address("10.77.0.2"), ("10.77.0.1", 67)


def ask(sock: socket.socket, kind: int, n: int, options: dict[int, bytes]) -> Packet:
    sock.sendto(question(kind, mac_number(n), options, giaddr=RELAY, xid=n), SERVER)
    while True:
        packet = parse(sock.recv(2000))
        if packet.xid == n:
            return packet


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((str(RELAY), 67))
        sock.settimeout(0.5)
        for n in range(int(sys.argv[1]), int(sys.argv[1]) + 4000):
            try:
                offer = ask(sock, DISCOVER, n, {})
                ack = ask(sock, REQUEST, n, {50: offer.yiaddr.packed, 54: offer.options[54]})
            except TimeoutError:
                return
            if ack.type == ACK:
                print(n, ack.yiaddr, flush=True)


if __name__ == "__main__":
    main()
