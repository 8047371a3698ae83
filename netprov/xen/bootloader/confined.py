"""Work done as another user, in a process of its own: what xl asks for by --runas (bootloader_restrict)."""

from __future__ import annotations

import ctypes
import json
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

from netprov.errors import ConfigError, PeerError
from netprov.xen.bootloader.messages import Message

Said = Mapping[str, object]

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_LONGEST = 1 << 20  # octets of what it says at its end


def run_as(uid: int, work: Callable[[], Said]) -> Said:
    """What `work` says, done as the user and group `uid` without any other right.

    It may use what is open here; it ends with this process. Raises PeerError where it does, or ends without a word.
    """
    read, write = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    child = os.fork()
    if not child:
        os.close(read)
        _child(uid, work, write, parent)
    try:
        os.close(write)
        with open(read, "rb") as pipe:
            octets = pipe.read(_LONGEST)
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)  # it has ended, unless somebody wants this process to
        _, status = os.waitpid(child, 0)
    try:
        said = json.loads(octets)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise PeerError(Message.CONFINED_ENDED.said(uid=uid, code=os.waitstatus_to_exitcode(status)))
    if "error" in said:
        raise PeerError(str(said["error"]))
    return said


def _child(uid: int, work: Callable[[], Said], write: int, parent: int) -> None:
    """Never returns: nothing of the parent's may be undone here."""
    code = 1
    try:
        _become(uid)
        if os.getppid() == parent:  # it may have ended before the kernel was told to end this one with it
            octets = json.dumps(_done(work)).encode()
            while octets:
                octets = octets[os.write(write, octets) :]
            code = 0
    finally:
        os._exit(code)


def _done(work: Callable[[], Said]) -> Said:
    try:
        return work()
    except (ConfigError, PeerError) as error:
        return {"error": str(error)}
    except (ImportError, LookupError) as error:  # LookupError: a codec
        return {"error": Message.CONFINED_UNREADABLE.said(uid=os.getuid(), why=error)}
    except OSError as error:
        return {"error": f"{error.filename or ''} {error.strerror or error}".strip()}


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
