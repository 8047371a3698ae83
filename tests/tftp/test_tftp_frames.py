"""Blocks made once: T1's short and empty last block, netascii, T13, and the bound of the cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.files.opened import Identity
from netprov.tftp import netascii
from netprov.tftp.body import FileBody, MemoryBody, NetasciiBody
from netprov.tftp.frames import CHUNK_BLOCKS, FrameCache, Frames


def opened(path: Path) -> FileBody:
    fd = os.open(path, os.O_RDONLY)
    return FileBody(fd, Identity.of(fd))


def content(frames: Frames, window: int = 1) -> bytes:
    """The file as a receiver would put it together, each header checked on the way."""
    parts, block = [], 1
    while block <= frames.blocks:
        count = min(window, frames.blocks - block + 1)
        for run in frames.runs(block, count):
            for at in range(0, len(run), frames.stride):
                frame = bytes(run[at : at + frames.stride])
                assert frame[:4] == b"\0\3" + (block & 0xFFFF).to_bytes(2, "big")
                parts.append(frame[4:])
                block += 1
    assert all(len(part) == frames.blksize for part in parts[:-1])
    assert len(parts[-1]) < frames.blksize
    return b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 512 * CHUNK_BLOCKS, 512 * CHUNK_BLOCKS + 1, 700_000])
@pytest.mark.parametrize("window", [1, 7, 64])
def test_t1_every_size_ends_with_a_short_block(tmp_path: Path, size: int, window: int) -> None:
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    for body in (opened(tmp_path / "f"), MemoryBody(data)):
        frames = Frames(body, 512, FrameCache())
        assert frames.blocks == size // 512 + 1
        assert content(frames, window) == data
        frames.close()


def test_t7_the_number_wraps_to_zero(tmp_path: Path) -> None:
    data = os.urandom(8 * 131_073)
    (tmp_path / "f").write_bytes(data)
    frames = Frames(opened(tmp_path / "f"), 8, FrameCache())
    assert content(frames, 64) == data
    assert bytes(frames.runs(65536, 1)[0][:4]) == b"\0\3\0\0"
    frames.close()


def test_frames_are_made_once_for_all(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(os.urandom(5000))
    cache = FrameCache()
    first, second = Frames(opened(tmp_path / "f"), 512, cache), Frames(opened(tmp_path / "f"), 512, cache)
    assert first.runs(1, 1)[0].obj is second.runs(2, 1)[0].obj
    assert first.runs(1, 1)[0].obj is not Frames(opened(tmp_path / "f"), 1024, cache).runs(1, 1)[0].obj


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    cache = FrameCache(limit=3 << 20)
    for number in range(6):
        (tmp_path / str(number)).write_bytes(os.urandom(2 << 20))
        frames = Frames(opened(tmp_path / str(number)), 1468, cache)
        assert len(content(frames, 16)) == 2 << 20
        frames.close()
        assert cache.octets <= 3 << 20


def test_t13_a_file_replaced_goes_on_as_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "f"
    old = os.urandom(2 << 20)
    path.write_bytes(old)
    cache = FrameCache()
    frames = Frames(opened(path), 512, cache)
    frames.runs(1, 1)
    (tmp_path / "new").write_bytes(bytes(2 << 20))
    os.replace(tmp_path / "new", path)
    assert content(frames) == old
    assert content(Frames(opened(path), 512, cache)) == bytes(2 << 20)


@pytest.mark.parametrize("change", [lambda f: f.truncate(600_000), lambda f: f.write(b"x" * 4)])
def test_t13_a_file_written_in_place_is_not_mixed(tmp_path: Path, change: Callable[[object], object]) -> None:
    path = tmp_path / "f"
    path.write_bytes(os.urandom(2 << 20))
    os.utime(path, ns=(1, 1))
    frames = Frames(opened(path), 512, FrameCache())
    frames.runs(1, 1)
    with path.open("r+b") as file:
        change(file)
    with pytest.raises(PeerError, match="changed"):
        content(frames)


TEXT = st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"\0", b"a", b"bc" * 5]), max_size=200).map(b"".join)


@settings(deadline=None)
@given(TEXT, st.integers(8, 40), st.integers(1, 5))
def test_t1_netascii_across_block_edges(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, blksize: int, window: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "netascii"
    path.write_bytes(text)
    fd = os.open(path, os.O_RDONLY)
    body = NetasciiBody(fd, Identity.of(fd))
    assert body.size == len(netascii.encoded(text)) == netascii.encoded_size(text)
    frames = Frames(body, blksize, FrameCache())
    frames._chunk_blocks = 3  # many edges of chunks
    try:
        sent = content(frames, window)
    finally:
        frames.close()
    assert sent == netascii.encoded(text)
    assert netascii.decoded(sent) == text


@pytest.mark.parametrize(
    ("raw", "wire"),
    [(b"", b""), (b"a\n", b"a\r\n"), (b"\r", b"\r\0"), (b"\r\n", b"\r\0\r\n"), (b"\0", b"\0"), (b"\n\n", b"\r\n\r\n")],
)
def test_t1_netascii(raw: bytes, wire: bytes) -> None:
    assert netascii.encoded(raw) == wire
    assert netascii.decoded(wire) == raw
