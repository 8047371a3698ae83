"""From a requested name to an open file beneath a root, never outside it. TFTP and HTTP both come through here.

The kernel resolves the name where it can (openat2 with RESOLVE_BENEATH: no race with who moves symbolic links about);
otherwise, and for absolute links that point back into the root, a walk from one folder's descriptor to the next.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct

from netprov.boot.reason import Reason
from netprov.errors import PeerError

NAME_MAX = 4096  # octets; Linux' PATH_MAX
LINKS_MAX = 40  # symbolic links followed for one name, as the kernel's own limit

SYS_OPENAT2 = 437  # the same on every architecture but alpha
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_BENEATH = 0x08

READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # O_NONBLOCK: a FIFO must not hold the server
FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class PathError(PeerError):
    """The name gives no file. `reason` says why; the protocol's own code is the room's to choose.

    `stage` is what the file would have been to a boot (Event.stage), where who resolves the name knows it.
    """

    def __init__(self, text: str, reason: Reason, stage: str = "") -> None:
        super().__init__(text)
        self.reason = reason
        self.stage = stage


def open_beneath(root_fd: int, name: str) -> int:
    """A descriptor, open for reading, of the regular file that `name` means beneath the folder `root_fd`.

    Slashes at the front do not count: the root is the client's whole world. Symbolic links may lead anywhere within the
    root. A name that is not there exactly is looked for as Windows and EFI write it: `\\` for `/`, any case.

    Octets that are not UTF-8 are surrogate escapes. Raises PathError: TFTP_NOT_FOUND, TFTP_OUTSIDE, TFTP_UNREADABLE,
    or TFTP_BUSY where the process has no descriptor left.
    """
    relative = _relative(name)
    try:
        return _open_file(root_fd, relative)
    except FileNotFoundError:
        try:
            return _open_file(root_fd, _folded(root_fd, relative))
        except OSError as problem:
            raise _path_error(problem) from None
    except OSError as problem:
        raise _path_error(problem) from None


def _relative(name: str) -> str:
    if "\0" in name:
        raise PathError("a file name with a NUL in it", Reason.TFTP_NOT_FOUND)
    relative = name.lstrip("/")
    try:
        octets = len(os.fsencode(relative))
    except UnicodeEncodeError:  # a lone surrogate that stands for no octet
        raise PathError("a file name that is not text", Reason.TFTP_NOT_FOUND) from None
    if not octets or octets > NAME_MAX:
        raise PathError(f"a file name of {octets} octets", Reason.TFTP_NOT_FOUND)
    return relative


NO_SUCH_FILE = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL,
    errno.ENXIO,  # a socket
)  # fmt: skip


def _path_error(problem: OSError) -> PathError:
    if problem.errno == errno.EXDEV:
        return PathError("the name leads outside the served folder", Reason.TFTP_OUTSIDE)
    if problem.errno in NO_SUCH_FILE:
        return PathError("no such file", Reason.TFTP_NOT_FOUND)
    if problem.errno in (errno.EACCES, errno.EPERM):
        return PathError("the file may not be read", Reason.TFTP_UNREADABLE)
    if problem.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return PathError("too many files are open", Reason.TFTP_BUSY)
    return PathError(f"the file cannot be read: {problem.strerror}", Reason.TFTP_UNREADABLE)


def _open_file(root_fd: int, relative: str) -> int:
    fd = resolve(root_fd, relative, READ)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a regular file")
    except OSError:
        os.close(fd)
        raise
    return fd


def resolve(root_fd: int, relative: str, flags: int) -> int:
    """Open `relative` beneath `root_fd`. Raises OSError, with EXDEV where it leads outside."""
    try:
        return openat2(root_fd, relative, flags)
    except OSError as problem:
        if problem.errno not in (errno.ENOSYS, errno.EXDEV, errno.EPERM):  # EPERM: seccomp of an old container
            raise
    return walk(root_fd, relative, flags)


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def openat2(root_fd: int, relative: str, flags: int) -> int:
    """openat2(2) with RESOLVE_BENEATH. Raises OSError: EXDEV outside, ENOSYS before Linux 5.6."""
    how = struct.pack("=QQQ", flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
    path = os.fsencode(relative)
    while True:
        fd = int(_libc.syscall(SYS_OPENAT2, ctypes.c_int(root_fd), path, how, ctypes.c_size_t(len(how))))
        if fd >= 0:
            return fd
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):  # EAGAIN: something was renamed meanwhile
            raise OSError(number, os.strerror(number), relative)


def walk(root_fd: int, relative: str, flags: int) -> int:
    """The same, one part of the name after the other, each from its folder's descriptor and never through a link.

    An absolute link counts from the root where it points into the root's own path.
    """
    folders = [os.dup(root_fd)]
    todo = relative.split("/")[::-1]
    links = 0
    try:
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if len(folders) == 1:
                    raise OSError(errno.EXDEV, "leads outside", relative)
                os.close(folders.pop())
                continue
            target = _link(folders[-1], part)
            if target is None:
                if not any(rest not in ("", ".") for rest in todo):
                    if todo and todo[0] == "":
                        flags |= os.O_DIRECTORY  # a slash at the end
                    return os.open(part, flags | os.O_NOFOLLOW, dir_fd=folders[-1])
                folders.append(os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=folders[-1]))
                continue
            links += 1
            if links > LINKS_MAX:
                raise OSError(errno.ELOOP, "too many links", relative)
            if target.startswith("/"):
                target = _within(root_fd, target)
                while len(folders) > 1:
                    os.close(folders.pop())
            todo.extend(target.split("/")[::-1])
        return os.open(".", flags, dir_fd=folders[-1])
    finally:
        for fd in folders:
            os.close(fd)


def _link(folder: int, part: str) -> str | None:
    """Where `part` points, None where it is no link. Raises FileNotFoundError."""
    try:
        return os.readlink(part, dir_fd=folder)
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            return None
        raise


def _within(root_fd: int, target: str) -> str:
    """An absolute link's target as seen from the root. Raises OSError (EXDEV)."""
    try:
        root = os.readlink(f"/proc/self/fd/{root_fd}")
    except OSError:
        root = ""
    path = os.path.normpath(target) if ".." not in target.split("/") else ""
    if root and path == root:
        return "."
    if root and path.startswith(root.rstrip("/") + "/"):
        return path[len(root.rstrip("/")) + 1 :]
    raise OSError(errno.EXDEV, "leads outside", target)


def _folded(root_fd: int, relative: str) -> str:
    """The name that is there for `relative` with `\\` as `/` and any case. Raises FileNotFoundError.

    Of several that differ in case alone the first in sorting order is taken, so that the answer does not depend on the
    folder's order on disk.
    """
    found: list[str] = []
    for part in relative.replace("\\", "/").split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            part = _present(root_fd, "/".join(found) or ".", part)
        found.append(part)
    if not found:
        raise FileNotFoundError(errno.ENOENT, "no such file", relative)
    return "/".join(found)


def _present(root_fd: int, folder: str, part: str) -> str:
    try:
        fd = resolve(root_fd, folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # a folder that may be passed but not listed
        raise FileNotFoundError(errno.ENOENT, "no such file", part) from None
    try:
        names = os.listdir(fd)
    finally:
        os.close(fd)
    if part in names:
        return part
    wanted = part.casefold()
    for name in sorted(names):
        if name.casefold() == wanted:
            return name
    raise FileNotFoundError(errno.ENOENT, "no such file", part)
