"""Files by TFTP (tftpy) and by HTTP (the standard library), as the machine fetches them."""

from __future__ import annotations

import hashlib
import http.client
import logging
import socket
import ssl
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from netprov.boot.names import PREVIEW
from netprov.errors import PeerError
from netprov.simulate.stop import UNHEARD, Stop

KEPT = 1 << 20
"""Octets of a file that are kept; of what is longer only size and checksum count. No loader reads a longer script."""

RETRIES = 3  # of a TFTP packet; firmware repeats itself as often

_CHUNK = 1 << 16
_NOT_FOUND = 1  # TFTP's error code
_OURS_FAILED, _TEMPLATE = (0, 500), "G23"  # "not defined, see the message": a script that cannot be made

Resolve = Callable[[str], IPv4Address]
"""The address of a host name, as the network's own DNS server knows it. Raises PeerError."""


class Refused(Stop):
    """The server says no. `code`: TFTP's error code or the HTTP status."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text, _TEMPLATE if code in _OURS_FAILED else "", code)

    @property
    def missing(self) -> bool:
        """Whether there is no such file: loaders go on to their next name then."""
        return self.code in (_NOT_FOUND, 404, 410)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file. `data` is its beginning, KEPT octets at most; `details` what was negotiated."""

    size: int
    sha256: str
    seconds: float
    data: bytes
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


class _Sink:
    """Where tftpy writes to: a checksum, and the beginning of the file."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        self._kept = bytearray()
        self.size = 0
        self.closed = False
        self._began = time.monotonic()

    def write(self, data: bytes) -> int:
        self._sum.update(data)
        self._kept += data[: KEPT - len(self._kept)]
        self.size += len(data)
        return len(data)

    def close(self) -> None:
        self.closed = True

    def fetched(self, details: Mapping[str, str]) -> Fetched:
        seconds = time.monotonic() - self._began
        return Fetched(self.size, self._sum.hexdigest(), seconds, bytes(self._kept), details)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches for one machine. `timeout` in seconds is how long a server may stay silent.

    With `preview` netprov's servers are told that nothing is to be written down; others pass that over.
    """

    timeout: float
    preview: bool
    resolve: Resolve

    def tftp(self, server: str, name: str, blksize: int, port: int = 69) -> Fetched:
        """Raises Refused for the server's ERROR, PeerError for silence and all else that ends it."""
        from tftpy import TftpClient
        from tftpy.TftpPacketTypes import TftpPacketDAT, TftpPacketERR, TftpPacketOACK
        from tftpy.TftpShared import TftpException

        logging.getLogger("tftpy").setLevel(logging.CRITICAL)
        sink = _Sink()
        details: dict[str, str] = {}
        errors: list[Refused] = []
        heard: list[bool] = []

        def look(packet: Any) -> None:
            match packet:
                case TftpPacketOACK():
                    heard.append(True)
                    details.update((name, str(value)) for name, value in packet.options.items())
                case TftpPacketERR():
                    said = (packet.errmsg or b"").rstrip(b"\0").decode("utf-8", "replace")
                    text = f"{name}: {server} says: {said or 'nothing'} (TFTP error {packet.errorcode})"
                    errors.append(Refused(text, packet.errorcode))
                case TftpPacketDAT():
                    heard.append(True)

        options = {"tsize": 0, "blksize": blksize, **({PREVIEW: 1} if self.preview else {})}
        client = TftpClient(str(self._address(server)), port, options)
        # tftpy means bytes by a file that it can write to, and locks none
        client.flock = False
        try:
            client.download(name, sink, look, timeout=max(0.2, self.timeout / (RETRIES + 1)), retries=RETRIES)
        except (TftpException, OSError, ValueError, struct.error) as error:  # the latter of tftpy's own on garbage
            raise errors[0] if errors else self._ended(server, sink.size, bool(heard), error) from None
        if "tsize" in details and int(details["tsize"]) != sink.size:
            raise Stop(f"{server} announced {details['tsize']} octets of {name} and sent {sink.size}", "G26")
        return sink.fetched({"blksize": "512", **details})

    def http(self, url: str, data: bytes | None = None) -> Fetched:
        """GET, or POST where there are `data`. Raises Refused for a status that is not 2xx, PeerError for all else."""
        parts, port = _split(url)
        host = parts.hostname or ""
        headers = {"User-Agent": "netprov-simulate", "Host": parts.netloc.rpartition("@")[2]}
        if self.preview:
            headers[PREVIEW] = "1"
        at_port = f":{port}" if port is not None else ""
        place = urlunsplit(parts._replace(netloc=f"{self._address(host)}{at_port}")) if parts.scheme == "http" else url
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        sink = _Sink()
        try:
            with opener.open(urllib.request.Request(place, data, headers), timeout=self.timeout) as response:
                while chunk := response.read(_CHUNK):
                    sink.write(chunk)
                promised = response.headers.get("Content-Length")
                status = str(response.status)
        except urllib.error.HTTPError as error:
            said = error.read(2000).decode("utf-8", "replace").strip()
            first = f": {said.splitlines()[0][:300]}" if said and not said.startswith("<") else ""
            raise Refused(f"{url}: HTTP status {error.code} {error.reason}{first}", error.code) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            said = f"{reason or type(error).__name__}"
            if sink.size:
                raise Stop(f"{parts.netloc} fell silent after {sink.size} octets: {said}", "G19") from None
            sign = "G18" if isinstance(reason, ssl.SSLError) else UNHEARD
            raise Stop(f"{parts.netloc} does not answer: {said}", sign) from None
        if promised is not None and promised.isdigit() and int(promised) != sink.size:
            raise Stop(f"{parts.netloc} promised {promised} octets and sent {sink.size}", "G19")
        return sink.fetched({"HTTP": status})

    def get(self, place: str, blksize: int) -> Fetched:
        """A URL of HTTP or TFTP. Raises as those do."""
        parts, port = _split(place)
        match parts.scheme:
            case "http" | "https":
                return self.http(place)
            case "tftp":
                return self.tftp(parts.hostname or "", unquote(parts.path).lstrip("/"), blksize, port or 69)
        raise PeerError(f"{place}: a simulated machine fetches by TFTP and HTTP only")

    def _address(self, host: str) -> IPv4Address:
        try:
            return IPv4Address(host)
        except ValueError:
            return self.resolve(host)

    def _ended(self, server: str, size: int, heard: bool, error: Exception) -> PeerError:
        """Why a TFTP transfer ended that the server did not refuse."""
        from tftpy.TftpShared import TftpTimeout

        if isinstance(error, OSError):
            return Stop(f"the TFTP server {server} cannot be reached: {error.strerror or error}", UNHEARD)
        if not isinstance(error, TftpTimeout):
            return PeerError(f"the TFTP server {server} sent invalid data, after {size} octets: {error}")
        if heard:
            text = f"the TFTP server {server} fell silent after {size} octets"
            return Stop(f"{text}: a firewall between may drop TFTP's data ports", "G5")
        return Stop(
            f"the TFTP server {server} did not answer within {self.timeout:g} s: is that the right next-server "
            "(siaddr, option 66), is TFTP running there, and does a firewall let UDP 69 and the replies from other "
            "ports pass?",
            UNHEARD,
        )


def _split(url: str) -> tuple[SplitResult, int | None]:
    """The URL's parts and its port. Raises PeerError."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise PeerError(f"{url} is not a URL: {error}") from None


def by_dns(servers: tuple[IPv4Address, ...], timeout: float) -> Resolve:
    """Asks the DNS servers that DHCP told of (option 6), in their order."""

    def resolve(name: str) -> IPv4Address:
        from scapy.layers.dns import DNS, DNSQR

        if not name:
            raise PeerError("the URL names no host")
        if not servers:
            raise PeerError(f"{name} is a host name, and DHCP named no DNS server (option 6)")
        question = bytes(DNS(rd=1, qd=DNSQR(qname=name)))
        for server in servers:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(timeout / len(servers))
                try:
                    sock.sendto(question, (str(server), 53))
                    answer = DNS(sock.recv(4096))
                except OSError:
                    continue
            found = [answer.an[i].rdata for i in range(answer.ancount) if answer.an[i].type == 1]
            if found:
                return IPv4Address(found[0])
            raise PeerError(f"the DNS server {server} knows no address for {name}")
        raise PeerError(f"no DNS server of {', '.join(map(str, servers))} answered for {name}")

    return resolve
