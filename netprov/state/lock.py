"""One netprov server a state folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from netprov.errors import ConfigError, Origin, Problem


class StateLock:
    """Holds a state folder for one server until closed, or until the process and the workers it forked have ended.

    The kernel releases the lock with the last of them, so a kill -9 leaves nothing to clean up.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> StateLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def lock_state(folder: Path) -> StateLock:
    """Take the lock of `folder`, which is made where it is missing.

    Two servers on one state would give one address to two machines. Commands that only read or arm an install need no
    lock. Raises ConfigError where another server holds it, or the folder cannot be used.
    """
    file = folder / "lock"
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise _refused(file, f"{error.strerror}; make the folder and give it to the user netprov runs as") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        os.close(fd)
        if not isinstance(error, BlockingIOError):
            raise _refused(file, f"{error.strerror}; name a folder on a local disk") from None
        which = f" (process {holder})" if holder.isdigit() else ""
        raise _refused(
            file, f"another netprov server{which} uses this state; stop it, or give this one a server.state of its own"
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return StateLock(fd)


def holder(folder: Path) -> int:
    """The process that holds the lock of `folder`; 0 where none does, or this user may not know.

    Asked of /proc/locks: to try the lock would keep a server that starts just then from having it.
    """
    file = folder / "lock"
    try:
        pid, inode = file.read_text("ascii").strip(), str(file.stat().st_ino)
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        return 0
    # "1: FLOCK  ADVISORY  WRITE 10544 00:2f:1234567 0 EOF"; the device is the file system's own number, not st_dev
    held = any(row[1] == "FLOCK" and row[4] == pid and row[5].rpartition(":")[2] == inode for row in locks)
    return int(pid) if held else 0


def _refused(file: Path, text: str) -> ConfigError:
    return ConfigError(Problem(Origin(str(file)), "server.state", text))
