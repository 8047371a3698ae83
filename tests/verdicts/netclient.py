"""A machine's side of a boot, in plain sockets and literal octets: nothing of the server under test is in it.

Run as `python netclient.py CODE` in a namespace; CODE sees every name here.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
import urllib.error
import urllib.request

SERVER = "10.77.0.1"
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
BIOS = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", 94: b"\1\2\1"}
UEFI = {60: b"PXEClient:Arch:00007:UNDI:003016", 93: b"\0\7", 94: b"\1\3\x10"}
ARM64 = {60: b"PXEClient:Arch:00011:UNDI:003016", 93: b"\0\x0b", 94: b"\1\3\x10"}
HTTP_IA32 = {60: b"HTTPClient:Arch:00015:UNDI:003016", 93: b"\0\x0f", 94: b"\1\3\x10"}
IPXE = {**BIOS, 77: b"iPXE", 175: b"\x13\1\1"}
NOBODY: dict[int, bytes] = {}


class Machine:
    """A machine with a MAC; `ip` is an address of this namespace's, from which it fetches."""

    def __init__(self, number: int, ip: str = "", device: str = "eth0") -> None:
        self.mac = bytes((0x52, 0x54, 0, 0x88, 0, number))
        self.ip = ip or f"10.77.0.{number}"
        self.device = device
        self.xid = number << 16

    # DHCP

    def ask(
        self,
        kind: int,
        options: dict[int, bytes],
        to: tuple[str, int] = ("255.255.255.255", 67),
        port: int = 68,
        patience: float = 3.0,
        ciaddr: str = "0.0.0.0",
        wants: str = "",
    ) -> dict[int, bytes]:
        """The answer's options, with 0 for yiaddr; {} for none. `wants`: the server that is to answer."""
        asked = b"".join(bytes((c, len(v))) + v for c, v in {53: bytes((kind,)), **options}.items())
        head = struct.pack(
            "!BBBBIHH4s12x16s192x4s",
            1,
            1,
            6,
            0,
            self.xid,
            0,
            0x8000,
            socket.inet_aton(ciaddr),
            self.mac,
            b"\x63\x82\x53\x63",
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode())
            sock.bind(("", port))
            sock.sendto(head + asked + b"\xff", to)
            end = time.monotonic() + patience
            while (left := end - time.monotonic()) > 0:
                sock.settimeout(left)
                try:
                    data = sock.recv(2000)
                except TimeoutError:
                    break
                got = parse(data)
                if struct.unpack("!I", data[4:8])[0] == self.xid and wants in ("", dotted(got.get(54, b""))):
                    return got
        return {}

    def address(self, options: dict[int, bytes], wants: str = "", client_id: bytes = b"") -> dict[int, bytes]:
        """DISCOVER to ACK."""
        self.xid += 1
        more = {**options, **({61: client_id} if client_id else {})}
        offer = self.ask(DISCOVER, more, wants=wants)
        assert offer, "no offer"
        chosen = {**more, 50: offer[0], 54: offer[54]}
        got = self.ask(REQUEST, chosen, wants=dotted(offer[54]))
        assert got, "no ACK"
        return got

    # TFTP

    def fetch(self, name: bytes, *options: bytes, pause: float = 0.0, stop_at: int = 0, patience: float = 5.0) -> bytes:
        """The file. `pause`: seconds before each ACK; `stop_at`: the block at which an ERROR is sent instead."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self.ip, 0))
            sock.settimeout(patience)
            sock.sendto(b"\0\1" + b"".join(field + b"\0" for field in (name, b"octet", *options)), (SERVER, 69))
            asked = dict(zip(options[::2], options[1::2], strict=True))
            size, window = int(asked.get(b"blksize", b"512")), int(asked.get(b"windowsize", b"1"))
            body, want = [], 1
            while True:
                packet, peer = sock.recvfrom(70000)
                if packet[1] == 6:
                    sock.sendto(b"\0\4\0\0", peer)
                    continue
                if packet[1] == 5:
                    raise FileNotFoundError(packet[4:-1])
                if packet[2:4] != (want & 0xFFFF).to_bytes(2, "big"):
                    continue
                body.append(packet[4:])
                last = len(packet) - 4 < size
                if want == stop_at:
                    sock.sendto(b"\0\4" + (want & 0xFFFF).to_bytes(2, "big"), peer)
                    sock.sendto(b"\0\5\0\4counter\0", peer)
                    return b"".join(body)
                if last or want % window == 0:
                    time.sleep(pause)
                    sock.sendto(b"\0\4" + (want & 0xFFFF).to_bytes(2, "big"), peer)
                if last:
                    return b"".join(body)
                want += 1

    def try_fetch(self, name: bytes, *options: bytes, patience: float = 0.5) -> None:
        """A fetch that is to fail."""
        try:
            self.fetch(name, *options, patience=patience)
        except (TimeoutError, FileNotFoundError, ConnectionRefusedError):
            return
        raise AssertionError(name)

    def size_of(self, name: bytes) -> None:
        """Ask for the size, and say no (edk2, before every fetch)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self.ip, 0))
            sock.settimeout(5)
            sock.sendto(b"\0\1" + name + b"\0octet\0tsize\0" + b"0\0", (SERVER, 69))
            packet, peer = sock.recvfrom(2000)
            assert packet[1] == 6
            sock.sendto(b"\0\5\0\x08User aborted the transfer\0", peer)
            time.sleep(0.1)

    # HTTP

    def get(self, path: str) -> str:
        class From(urllib.request.HTTPHandler):
            def http_open(handler, request):  # type: ignore[no-untyped-def]
                import http.client

                source = (self.ip, 0)
                return handler.do_open(
                    lambda host, **more: http.client.HTTPConnection(host, source_address=source, **more), request
                )

        url = path if path.startswith("http") else f"http://{SERVER}{path}"
        with urllib.request.build_opener(From).open(url, timeout=20) as answer:
            return str(answer.read().decode("latin-1"))

    def refused(self, path: str) -> None:
        try:
            self.get(path)
        except urllib.error.HTTPError:
            return
        raise AssertionError(path)

    def tls(self) -> None:
        context = ssl.create_default_context()
        with socket.create_connection((SERVER, 80), 5, (self.ip, 0)) as sock:
            try:
                context.wrap_socket(sock, server_hostname=SERVER)
            except ssl.SSLError:
                return
        raise AssertionError("TLS was answered")

    # longer ways

    def to_script(self, wants: str = "") -> str:
        """BIOS, PXELINUX, its configuration."""
        self.address(BIOS, wants)
        self.fetch(b"pxelinux.0")
        dashed = self.mac.hex("-").encode()
        return self.fetch(b"pxelinux.cfg/01-" + dashed).decode()

    def to_installer(self, wants: str = "") -> str:
        """… kernel and initrd; the URL of the installer's answers."""
        script = self.to_script(wants)
        self.fetch(b"k/vmlinuz", b"blksize", b"1428")
        self.fetch(b"k/initrd.img", b"blksize", b"1428", b"windowsize", b"16")
        return next(word for word in script.split() if "/autoinstall/" in word).partition("=")[2]


def parse(data: bytes) -> dict[int, bytes]:
    found, at = {0: data[16:20]}, 240
    while at < len(data) and data[at] != 255:
        if data[at]:
            found[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
            at += data[at + 1] + 1
        at += 1
    return found


def dotted(data: bytes) -> str:
    return socket.inet_ntoa(data) if len(data) == 4 else ""


if __name__ == "__main__":
    exec(sys.argv[1])
