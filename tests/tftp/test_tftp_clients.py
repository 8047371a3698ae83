"""Clients that others wrote, on loopback: what their users have."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tftpy
from tftp_world import World

from netprov.inventory.model import TftpSettings
from netprov.journal.event import Kind

MakeWorld = Callable[..., World]
SIZES = [0, 1, 512, 1428 * 3, 700_001]


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def curl(world: World, name: str, to: Path) -> None:
    run("curl", "-s", "-o", to.name, f"tftp://127.0.0.1:{world.port}/{name}", cwd=to.parent)


def curl_blksize(world: World, name: str, to: Path) -> None:
    url = f"tftp://127.0.0.1:{world.port}/{name}"
    run("curl", "-s", "--tftp-blksize", "1428", "-o", to.name, url, cwd=to.parent)


def curl_no_options(world: World, name: str, to: Path) -> None:
    url = f"tftp://127.0.0.1:{world.port}/{name}"
    run("curl", "-s", "--tftp-no-options", "-o", to.name, url, cwd=to.parent)


def hpa(world: World, name: str, to: Path) -> None:
    run("tftp", "-m", "binary", "127.0.0.1", str(world.port), "-c", "get", name, to.name, cwd=to.parent)


def hpa_netascii(world: World, name: str, to: Path) -> None:
    run("tftp", "-m", "netascii", "127.0.0.1", str(world.port), "-c", "get", name, to.name, cwd=to.parent)


def atftp(world: World, name: str, to: Path) -> None:
    run("atftp", "--get", "-r", name, "-l", to.name, "127.0.0.1", str(world.port), cwd=to.parent)


def atftp_all_options(world: World, name: str, to: Path) -> None:
    words = [f"--option={option}" for option in ("blksize 1428", "windowsize 8", "tsize 0", "timeout 2")]
    run("atftp", *words, "--get", "-r", name, "-l", to.name, "127.0.0.1", str(world.port), cwd=to.parent)


def busybox(world: World, name: str, to: Path) -> None:
    run("busybox", "tftp", "-g", "-r", name, "-l", to.name, "127.0.0.1", str(world.port), cwd=to.parent)


def busybox_blksize(world: World, name: str, to: Path) -> None:
    words = ("busybox", "tftp", "-g", "-b", "65464", "-r", name, "-l", to.name, "127.0.0.1", str(world.port))
    run(*words, cwd=to.parent)


def tftpy_client(world: World, name: str, to: Path) -> None:
    tftpy.TftpClient("127.0.0.1", world.port, options={"blksize": 1428, "tsize": 0}).download(name, str(to))


CLIENTS = [curl, curl_blksize, curl_no_options, hpa, hpa_netascii, atftp, atftp_all_options, busybox, busybox_blksize,
           tftpy_client]  # fmt: skip


@pytest.mark.parametrize("single_port", [False, True], ids=["ports", "single_port"])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_real_client(make_world: MakeWorld, tmp_path: Path, client: Callable[..., None], single_port: bool) -> None:
    world = make_world(TftpSettings(single_port=single_port))
    sizes = SIZES
    if client in (curl, curl_blksize):
        sizes = SIZES[1:]  # curl takes an answer of tsize 0 for a fault
    for size in sizes:
        data = os.urandom(size)
        (world.root / f"f{size}").write_bytes(data)
        client(world, f"f{size}", tmp_path / f"got{size}")
        got = tmp_path / f"got{size}"
        assert (got.read_bytes() if got.exists() else b"") == data, size  # curl makes no file of an empty one
    assert len(world.told(Kind.TFTP_DONE, len(sizes))) == len(sizes)
    assert not [event for event in world.events if event.kind in (Kind.TFTP_FAIL, Kind.TFTP_DROP)]


def test_not_found_as_users_see_it(world: World, tmp_path: Path) -> None:
    said = run("tftp", "127.0.0.1", str(world.port), "-c", "get", "absent", cwd=tmp_path)
    assert "Error code 1: no such file" in said.stdout
    assert run("curl", "-s", f"tftp://127.0.0.1:{world.port}/absent", cwd=tmp_path).returncode == 68
    with pytest.raises(tftpy.TftpException, match="not found"):
        tftpy.TftpClient("127.0.0.1", world.port).download("absent", str(tmp_path / "x"))


def test_put_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    said = run("tftp", "127.0.0.1", str(world.port), "-c", "put", "evil", cwd=tmp_path)
    assert "Error code 2" in said.stdout
    assert list(world.root.iterdir()) == []


def test_t8_100_mb_at_1428(world: World, tmp_path: Path) -> None:
    piece = os.urandom(1 << 20)
    with (world.root / "big").open("wb") as file:
        for _ in range(100):
            file.write(piece)
    curl_blksize(world, "big", tmp_path / "got")
    assert run("cmp", str(world.root / "big"), "got", cwd=tmp_path).returncode == 0


def test_t9_200_at_once(world: World, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (world.root / "f").write_bytes(data)

    def get(_: int) -> bool:
        with world.client() as client:
            return client.get(b"f", b"blksize", b"1408", b"tsize", b"0") == data

    with ThreadPoolExecutor(200) as pool:
        assert all(pool.map(get, range(200)))
    assert len(world.told(Kind.TFTP_DONE, 200)) == 200
