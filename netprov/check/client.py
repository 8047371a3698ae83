"""What a client meets at our sockets: a loader read by TFTP, a page asked for by HTTP. No codec of the server's is
used."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time
import urllib.error
import urllib.request
from enum import StrEnum

from netprov.boot.arch import FIRST
from netprov.boot.names import CHECK
from netprov.files.root import LOADERS
from netprov.inventory.model import Inventory

TIMEOUT = 2.0
"""Seconds that an answer may take; a request is repeated once in them."""

_BLOCKS = 8  # of a loader: enough to see that the data flows
_RRQ, _DATA, _ACK, _ERROR, _OACK = 1, 3, 4, 5, 6
_IP_RECVERR = 11  # ip(7): hears of a closed port without being connected to one


class Reply(StrEnum):
    """What came of a read by TFTP."""

    DATA = "it sends the file"
    ERROR = "it answers that there is no such file, or that it may not"
    SILENT = "no answer came"
    CLOSED = "nothing listens there (port unreachable)"
    STUCK = "it fell silent after its first packet: something drops TFTP's data ports"
    UNREACHABLE = "there is no route to it"


def loader_in(inventory: Inventory) -> str:
    """A boot loader that is in place under tftp.root."""
    names = tuple(FIRST)
    folder = inventory.settings.tftp.root / LOADERS
    return next((name for name in names if (folder / name).is_file()), names[0])


def tftp_read(server: str, port: int, name: str, timeout: float = TIMEOUT) -> Reply:
    """Reads the beginning of `name` from `server`, in a way that netprov's servers know to be no machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        words = (name, "octet", "tsize", "0", "blksize", "1428", CHECK, "1")
        request = struct.pack("!H", _RRQ) + b"".join(word.encode() + b"\0" for word in words)
        try:
            return _conversation(sock, request, (server, port), timeout)
        except ConnectionRefusedError:
            return Reply.CLOSED
        except OSError:
            return Reply.UNREACHABLE


def _conversation(sock: socket.socket, packet: bytes, to: tuple[str, int], timeout: float) -> Reply:
    heard, got, full = False, 0, 512
    while got < _BLOCKS:
        answer = _exchange(sock, packet, to, timeout)
        if answer is None:
            return Reply.STUCK if heard else Reply.SILENT
        data, to = answer
        code, number = struct.unpack_from("!HH", data) if len(data) >= 4 else (_ERROR, 0)
        if code == _OACK:
            number, full = 0, _blksize(data)
        elif code != _DATA:
            return Reply.ERROR
        got += code == _DATA
        heard = True
        packet = struct.pack("!HH", _ACK, number)
        if code == _DATA and len(data) < 4 + full:
            sock.sendto(packet, to)
            return Reply.DATA
    sock.sendto(struct.pack("!HH", _ERROR, 0) + b"enough\0", to)
    return Reply.DATA


def _blksize(oack: bytes) -> int:
    words = oack[2:].lower().split(b"\0")
    told = dict(zip(words[::2], words[1::2], strict=False)).get(b"blksize", b"")
    return int(told) if told.isdigit() and len(told) < 6 else 512


def _exchange(
    sock: socket.socket, packet: bytes, to: tuple[str, int], timeout: float
) -> tuple[bytes, tuple[str, int]] | None:
    for wait in (timeout / 3, timeout * 2 / 3):
        sock.sendto(packet, to)
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data, sender = sock.recvfrom(4096)
            except TimeoutError:
                break
            if sender[0] == to[0]:
                return data, sender
    return None


def unheard(server: str, port: int, timeout: float = TIMEOUT) -> str:
    """Why a client would say that no netprov answers HTTP there; "" where one does."""
    url = f"http://{server}:{port}/healthz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as response:
            answer = json.loads(response.read(4096))
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return "the server cannot read its state (status 503)"
        return f"another web server answers there (status {error.code} for /healthz)"
    except TimeoutError:
        return "no answer came"
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, TimeoutError):
            return "no answer came"
        return f"it cannot be reached: {getattr(reason, 'strerror', None) or reason}"
    except (OSError, http.client.HTTPException, ValueError):
        return "something other than HTTP answers there"
    known = isinstance(answer, dict) and answer.get("status") == "ok"
    return "" if known else "another web server answers there"
