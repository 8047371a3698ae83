"""Work done as another user: its rights, its words, and that it ends with whoever wanted it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from netprov.errors import PeerError
from netprov.xen.bootloader.confined import run_as

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
UID = 20_000


def test_rights(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    descriptor = os.open(secret, os.O_RDWR)

    def work() -> Mapping[str, object]:
        try:
            secret.read_bytes()
            could = True
        except PermissionError:
            could = False
        os.write(descriptor, b"by descriptor")
        status = Path("/proc/self/status").read_text()
        lines = dict(line.split(":", 1) for line in status.splitlines())
        return {"ids": os.getresuid() + os.getresgid(), "groups": os.getgroups(), "could": could,
                "capabilities": lines["CapEff"].strip(), "new": lines["NoNewPrivs"].strip()}  # fmt: skip

    said = run_as(UID, work)
    os.close(descriptor)
    assert said == {"ids": [UID] * 6, "groups": [], "could": False, "capabilities": "0" * 16, "new": "1"}
    assert secret.read_text() == "by descriptor"
    assert os.geteuid() == 0


def raising(error: BaseException) -> Mapping[str, object]:
    raise error


ENDS = [
    (lambda: raising(PeerError("no such script")), "^no such script$"),
    (lambda: raising(FileNotFoundError(2, "No such file", "/x")), "^/x No such file$"),
    (lambda: raising(ImportError("No module named 'zlib'")), "own modules .No module named 'zlib'"),
    (lambda: raising(LookupError("unknown encoding: idna")), "unknown encoding: idna"),
    (lambda: raising(SystemExit(0)), "ended with 1 and said nothing"),
    (lambda: os.kill(os.getpid(), signal.SIGKILL) or {}, "ended with -9 and said nothing"),
]


@pytest.mark.parametrize(("work", "error"), ENDS, ids=range(len(ENDS)))
def test_ends(work: object, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        run_as(UID, work)  # type: ignore[arg-type]


def test_it_ends_with_whoever_wanted_it() -> None:
    """As where xl destroys the domain: the handler's exception goes through run_as."""
    heard, said = os.pipe()
    children: list[int] = []

    class Stop(BaseException):
        pass

    def stop(_number: int, _frame: object) -> None:
        raise Stop

    def work() -> Mapping[str, object]:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.write(said, str(os.getpid()).encode())
        time.sleep(60)
        return {}

    def destroy() -> None:
        children.append(int(os.read(heard, 20)))
        os.kill(os.getpid(), signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, stop)
    destroyer = threading.Thread(target=destroy)
    destroyer.start()
    try:
        with pytest.raises(Stop):
            run_as(UID, work)
    finally:
        os.write(said, b"0")  # where nothing was said, the thread is to end all the same
        destroyer.join()
        signal.signal(signal.SIGALRM, before)
        os.close(heard)
        os.close(said)
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)
