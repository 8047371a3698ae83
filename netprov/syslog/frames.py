"""A TCP stream → syslog messages (RFC 6587)."""

from __future__ import annotations

from netprov.errors import PeerError
from netprov.syslog.message import MAX_OCTETS

_LONGEST = 1_000_000  # octets that a frame may claim; beyond, the stream is something else


class Frames:
    """Cuts one connection's octets into messages; of a longer one the first MAX_OCTETS are given.

    Both framings of RFC 6587, told apart by each frame's first octet: a digit counts octets (§3.4.1), anything else
    ends with a line feed, or the NUL of some senders (§3.4.2).
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._skip = 0  # octets of a counted frame that are still to come, and not wanted
        self._cut = False  # within a line whose beginning was given already

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes. Raises PeerError for a stream that is no syslog."""
        self._buffer += data
        found: list[bytes] = []
        while self._buffer:
            if self._skip:
                skipped = min(self._skip, len(self._buffer))
                self._skip -= skipped
                self._buffer = self._buffer[skipped:]
            elif not self._cut and self._buffer[:1].isdigit():
                if not self._counted(found):
                    break
            elif not self._line(found):
                break
        return [message for message in found if message.strip(b"\r\n\0 ")]

    def end(self) -> list[bytes]:
        """What stands there unended when the connection is closed."""
        left, self._buffer = self._buffer, b""
        return [left] if left.strip(b"\r\n\0 ") and not self._cut and not left[:1].isdigit() else []

    def _counted(self, found: list[bytes]) -> bool:
        head, blank, _ = self._buffer[:8].partition(b" ")
        if not blank:
            if len(head) >= 8 or not head.isdigit():
                raise PeerError("a frame that begins with a digit, and has no count of octets")
            return False
        if not head.isdigit() or not 0 < int(head) <= _LONGEST:
            raise PeerError("a frame with an impossible count of octets")
        length, begin = int(head), len(head) + 1
        kept = min(length, MAX_OCTETS)
        if len(self._buffer) < begin + kept:
            return False
        found.append(self._buffer[begin : begin + kept])
        self._buffer = self._buffer[begin + kept :]
        self._skip = length - kept
        return True

    def _line(self, found: list[bytes]) -> bool:
        ends = [at for at in (self._buffer.find(b"\n"), self._buffer.find(b"\0")) if at >= 0]
        if not ends:
            if len(self._buffer) < MAX_OCTETS:
                return False
            if not self._cut:
                found.append(self._buffer[:MAX_OCTETS])
            self._cut, self._buffer = True, b""
            return False
        if not self._cut:
            found.append(self._buffer[: min(*ends, MAX_OCTETS)])
        self._cut, self._buffer = False, self._buffer[min(ends) + 1 :]
        return True
