"""What was committed is there, whoever dies; two servers do not share a state."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from netprov.errors import ConfigError
from netprov.state.leases import Lease
from netprov.state.lock import lock_state
from netprov.state.state import open_state

COMMITS = """
import sys
from ipaddress import IPv4Address
from netprov.state.leases import Lease
from netprov.state.state import open_state
state = open_state(sys.argv[1])
first = int(sys.argv[2])
for n in range(10**6):
    batch = [Lease(IPv4Address(first + n * 4 + k), "52:54:00:00:00:01", expires=1.0) for k in range(4)]
    state.leases.commit(batch)
    print(*(int(lease.ip) for lease in batch), flush=True)
"""


def test_s1_kill_9_loses_no_committed_lease(tmp_path: Path) -> None:
    printed: set[int] = set()
    for start in range(3):  # over a database that was killed before, too
        first = 0x0A000000 + start * 0x10000
        process = subprocess.Popen(
            [sys.executable, "-c", COMMITS, str(tmp_path), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            for _ in range(60):
                printed.update(map(int, process.stdout.readline().split()))
        finally:
            process.send_signal(signal.SIGKILL)
        printed.update(n for line in process.stdout for n in map(int, line.split()) if line.endswith("\n"))
        process.stdout.close()
        process.wait()
        with open_state(str(tmp_path)) as state:
            stored = {int(lease.ip) for lease in state.leases.all()}
        assert printed <= stored
    assert len(printed) >= 3 * 60 * 4


FULL_DISK = """
import os, sys
from ipaddress import IPv4Address
from netprov.state.failure import StateError
from netprov.state.leases import Lease
from netprov.state.state import open_state
folder = sys.argv[1]
state = open_state(folder)
stored, refused = 0, ""
for n in range(4000):
    try:
        state.leases.commit([Lease(IPv4Address(n), "m", hostname="h" * 200)])
        stored += 1
    except StateError as error:
        refused = str(error)
        break
assert "no room" in refused, refused
assert len(state.leases.all()) == stored > 0
os.remove(folder + "/ballast")
state.leases.commit([Lease(IPv4Address(9999), "m")])
assert len(state.leases.all()) == stored + 1
print("went on")
"""


def test_s3_a_full_disk_refuses_and_goes_on_when_it_clears(tmp_path: Path) -> None:
    script = f"""
    mount -t tmpfs -o size=512k none {tmp_path}
    dd if=/dev/zero of={tmp_path}/ballast bs=1k count=128 status=none
    exec {sys.executable} -c "$0" {tmp_path}
    """
    done = subprocess.run(["unshare", "-m", "sh", "-ec", script, FULL_DISK], capture_output=True, text=True, timeout=60)
    assert done.stdout == "went on\n", done.stderr


def test_s4_a_second_server_is_refused(tmp_path: Path) -> None:
    with lock_state(tmp_path / "state"):
        with pytest.raises(ConfigError, match=f"process {os.getpid()}.*server.state of its own"):
            lock_state(tmp_path / "state")
        open_state(str(tmp_path / "state")).close()  # a command works beside it
    lock_state(tmp_path / "state").close()


def test_s4_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    code = "import sys, time; from pathlib import Path; from netprov.state.lock import lock_state\n"
    code += "lock = lock_state(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ConfigError):
            lock_state(tmp_path)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    lock_state(tmp_path).close()


def test_s4_workers_hold_the_lock_too(tmp_path: Path) -> None:
    """A supervisor that was killed leaves workers that still answer: no second server may start beside them."""
    lock = lock_state(tmp_path)
    go, wait = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(go[1], b"x")
        os.close(wait[1])
        os.read(wait[0], 1)
        os._exit(0)
    os.read(go[0], 1)
    lock.close()
    with pytest.raises(ConfigError):
        lock_state(tmp_path)
    os.close(wait[1])
    os.waitpid(child, 0)
    for fd in (*go, wait[0]):
        os.close(fd)
    lock_state(tmp_path).close()


def test_the_lock_file_is_not_inherited_by_programs(tmp_path: Path) -> None:
    with lock_state(tmp_path) as lock:
        assert fcntl.fcntl(lock._fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


def test_a_state_survives_fork(tmp_path: Path) -> None:
    """Parent and children use the State opened before the fork, at once; the database stays sound and complete."""
    state = open_state(str(tmp_path))
    state.leases.commit([Lease(IPv4Address(1), "parent")])
    context = multiprocessing.get_context("fork")

    def work(first: int) -> None:
        for n in range(40):
            state.leases.commit([Lease(IPv4Address(first + n), "child")])

    children = [context.Process(target=work, args=(1000 * n,)) for n in (1, 2)]
    for child in children:
        child.start()
    work(5000)
    state.close()  # the parent's last connection goes first: it must not take the children's log away
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    with open_state(str(tmp_path)) as again:  # quick_check runs here
        assert len(again.leases.all()) == 1 + 3 * 40
