"""Blocks ready to send: DATA header and octets, made once for all who fetch the same file with the same blksize."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Hashable

from netprov.tftp.body import Body
from netprov.tftp.codec import Op

CHUNK_OCTETS = 1 << 20
CHUNK_BLOCKS = 512  # one preadv (IOV_MAX is 1024), and under a millisecond in which the loop does nothing else
CACHE_OCTETS = 64 << 20


class FrameCache:
    """The chunks last used, `limit` octets in all. A chunk that a transfer still holds lives on without the cache."""

    def __init__(self, limit: int = CACHE_OCTETS) -> None:
        self._limit = limit
        self._octets = 0
        self._chunks: OrderedDict[Hashable, memoryview] = OrderedDict()

    @property
    def octets(self) -> int:
        return self._octets

    def get(self, key: Hashable) -> memoryview | None:
        chunk = self._chunks.get(key)
        if chunk is not None:
            self._chunks.move_to_end(key)
        return chunk

    def put(self, key: Hashable, chunk: memoryview) -> None:
        self._chunks[key] = chunk
        self._octets += len(chunk)
        while self._octets > self._limit:
            _, oldest = self._chunks.popitem(last=False)
            self._octets -= len(oldest)


class Frames:
    """The blocks of one body. They count from 1 without wrapping; the number in the header wraps to 0 after 65535.

    `stride` is the octets from one frame to the next, `blocks` how many there are: the last is short, and empty where
    the size is a multiple of blksize (RFC 1350 §2).
    """

    __slots__ = ("_body", "_cache", "_chunk", "_chunk_blocks", "_first", "blksize", "blocks", "size", "stride")

    def __init__(self, body: Body, blksize: int, cache: FrameCache) -> None:
        self._body = body
        self._cache = cache
        self.blksize = blksize
        self.stride = blksize + 4
        self.size = body.size
        self.blocks = body.size // blksize + 1
        self._chunk_blocks = max(1, min(CHUNK_BLOCKS, CHUNK_OCTETS // self.stride))
        self._first = 0  # the first block of the chunk in hand; 0: none
        self._chunk = memoryview(b"")

    def runs(self, first: int, count: int) -> list[memoryview]:
        """Blocks `first` … `first + count - 1` as runs of whole frames. Raises PeerError as Body.fill."""
        stride = self.stride
        at = first - self._first
        if self._first and at >= 0 and at + count <= self._chunk_blocks:
            return [self._chunk[at * stride : (at + count) * stride]]
        runs = []
        while count > 0:
            index, at = divmod(first - 1, self._chunk_blocks)
            self._hold(index)
            here = min(count, self._chunk_blocks - at)
            runs.append(self._chunk[at * stride : (at + here) * stride])
            first, count = first + here, count - here
        return runs

    def _hold(self, index: int) -> None:
        first = index * self._chunk_blocks + 1
        if first == self._first:
            return
        key = None if self._body.key is None else (self._body.key, self.blksize, index)
        chunk = self._cache.get(key) if key is not None else None
        if chunk is None:
            chunk = self._frame(first)
            if key is not None:
                self._cache.put(key, chunk)
        self._first, self._chunk = first, chunk

    def _frame(self, first: int) -> memoryview:
        count = min(self._chunk_blocks, self.blocks - first + 1)
        offset = (first - 1) * self.blksize
        octets = min(count * self.blksize, self.size - offset)
        buffer = bytearray(octets + 4 * count)
        view = memoryview(buffer)
        stride = self.stride
        for at in range(count):
            struct.pack_into("!HH", buffer, at * stride, Op.DATA, (first + at) & 0xFFFF)
        self._body.fill([view[at * stride + 4 : (at + 1) * stride] for at in range(count)], offset)
        return view.toreadonly()

    def close(self) -> None:
        self._chunk = memoryview(b"")
        self._first = 0
        self._body.close()
