"""What a transfer sends, as octets to be read by position: memory, a file, a file as netascii."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from typing import Protocol

from netprov.errors import PeerError
from netprov.files.opened import Identity
from netprov.tftp import netascii
from netprov.tftp.codec import Code

PIECE = 1 << 20  # octets read at once where a whole file is gone through


class Body(Protocol):
    """`size` octets. `key` names the content for a cache of frames; None: content that nobody else will ask for."""

    @property
    def size(self) -> int: ...

    @property
    def key(self) -> Hashable | None: ...

    def fill(self, views: Sequence[memoryview], offset: int) -> None:
        """Fill `views` one after the other with the octets from `offset` on.

        Raises PeerError (code 0) where the file can no longer be read as it was when it was opened.
        """

    def close(self) -> None: ...


class MemoryBody:
    __slots__ = ("data", "key", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.key: Hashable | None = None

    def fill(self, views: Sequence[memoryview], offset: int) -> None:
        _deal(self.data[offset : offset + sum(map(len, views))], views)

    def close(self) -> None:
        pass


class FileBody:
    """An open file; it is closed with the body. A file replaced meanwhile goes on being read as it was opened."""

    __slots__ = ("_fd", "_identity", "key", "size")

    def __init__(self, fd: int, identity: Identity) -> None:
        self._fd = fd
        self._identity = identity
        self.size = identity.size
        self.key: Hashable | None = identity

    def fill(self, views: Sequence[memoryview], offset: int) -> None:
        try:
            octets = os.preadv(self._fd, views, offset)
        except OSError as problem:
            raise PeerError(f"the file cannot be read: {problem.strerror}", Code.UNDEFINED) from None
        if octets != sum(map(len, views)) or Identity.of(self._fd) != self._identity:
            raise PeerError("the file changed while it was sent", Code.UNDEFINED)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class NetasciiBody:
    """An open file as netascii, converted as it is read, so that a big file needs no second copy.

    Where each piece begins in the file is known once the piece before was made: a transfer goes forward, and back only
    to where it was. That is why its frames are not for a cache. Making the body reads the file once, to know the size.
    """

    __slots__ = ("_raw", "_starts", "key", "size")

    def __init__(self, fd: int, identity: Identity) -> None:
        self._raw = FileBody(fd, identity)
        self._starts: dict[int, tuple[int, bool]] = {0: (0, False)}
        self.size = sum(netascii.encoded_size(self._read(at, PIECE)) for at in range(0, identity.size, PIECE))
        self.key: Hashable | None = None

    def _read(self, offset: int, octets: int) -> bytes:
        piece = bytearray(max(0, min(octets, self._raw.size - offset)))
        self._raw.fill([memoryview(piece)], offset)
        return bytes(piece)

    def fill(self, views: Sequence[memoryview], offset: int) -> None:
        octets = sum(map(len, views))
        start, begun = self._starts[offset]
        raw = self._read(start, octets + 1)
        skip = 1 if begun else 0
        _deal(netascii.encoded(raw)[skip : skip + octets], views)
        used, half = netascii.prefix(raw, skip + octets)
        self._starts[offset + octets] = (start + used, half)

    def close(self) -> None:
        self._raw.close()


def _deal(data: bytes, views: Sequence[memoryview]) -> None:
    at = 0
    for view in views:
        view[:] = data[at : at + len(view)]
        at += len(view)
