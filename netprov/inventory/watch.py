"""Notices edits of the files and folders the inventory was read from (inotify(7), timerfd_create(2)).

Editors write a file in several ways: in place, or under another name that is then renamed; Kubernetes swaps a link two
folders up. So the folders are watched for the names that matter, those of the links on the way to a file included.
A burst of edits counts as one: nothing is reported until it has been quiet for a moment, so that a `git pull` of a
hundred files is read once, when it is done.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass

from netprov.inventory.source import SUFFIXES

QUIET_NS = 150_000_000
LONGEST_BURST_NS = 2_000_000_000
"""After so long it is reported although the edits go on."""

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW, _IGNORED, _ISDIR = 0x400, 0x800, 0x2000, 0x4000, 0x8000, 0x40000000
_WANTED = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_WHOLE = _DELETE_SELF | _MOVE_SELF | _UNMOUNT | _OVERFLOW
_EVENT = struct.Struct("iIII")
_TIMERSPEC = struct.Struct("qqqq")
_MAX_LINKS = 40  # the kernel's own limit (path_resolution(7))
_DEFAULTS = ("inventory", "autoinstall", "pxelinux.cfg.templates")  # folders that count once they are there


@dataclass(slots=True)
class _Folder:
    """A folder watched for `names`; for its YAML files and folders too, where the inventory is all that is in it."""

    path: str
    names: set[str]
    every: bool = False


class Watcher:
    """Watches `files`. `fileno()` is readable when `changed()` has something to do; there is no thread.

    Raises OSError where the kernel grants no (further) inotify instance or watch.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._epoll = select.epoll()
        self._timer = self._inotify = -1
        self._watched: dict[int, _Folder] = {}
        self._files: set[str] = set()
        self._began = 0  # of the burst, monotonic; 0: there is none
        self._reported = time.time_ns()
        try:
            self._timer = self._call("timerfd_create", 1, os.O_NONBLOCK | os.O_CLOEXEC)  # 1: CLOCK_MONOTONIC
            self._epoll.register(self._timer, select.EPOLLIN)
            self.update(files)
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        for descriptor in (self._timer, self._inotify):
            if descriptor >= 0:
                os.close(descriptor)
        self._timer = self._inotify = -1
        self._epoll.close()

    def update(self, files: Iterable[str]) -> None:
        """Watches these from now on: call it after each reload. What changed while they were read is reported again."""
        files = tuple(files)
        fresh = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            folders = self._add_all(fresh, files)
        except OSError:
            os.close(fresh)
            raise
        missed = self._inotify >= 0 and (self._drain() or any(map(self._is_news, set(files) - self._files)))
        if self._inotify >= 0:
            self._epoll.unregister(self._inotify)  # closing does not, where a forked worker holds it open too
            os.close(self._inotify)
        self._inotify, self._watched, self._files = fresh, folders, set(files)
        self._epoll.register(fresh, select.EPOLLIN)
        if missed:
            self._arm()

    def changed(self) -> bool:
        """Whether there were edits, and they are over. Never blocks; call it when `fileno()` is readable."""
        if self._drain():
            now = time.monotonic_ns()
            self._began = self._began or now
            if now - self._began < LONGEST_BURST_NS:
                self._arm()
        try:
            os.read(self._timer, 8)
        except BlockingIOError:
            return False
        self._began = 0
        self._reported = time.time_ns()
        return True

    def _is_news(self, file: str) -> bool:
        """Whether a file that was not watched until now changed since the last report: nobody would have noticed."""
        try:
            return os.stat(file).st_ctime_ns > self._reported
        except OSError:
            return False

    def _add_all(self, inotify: int, files: tuple[str, ...]) -> dict[int, _Folder]:
        names: dict[str, set[str]] = {}
        for file in files:
            for folder, name in _hops(file):
                names.setdefault(folder, set()).add(name)
        if files:
            names[os.path.dirname(os.path.abspath(files[0]))].update(_DEFAULTS)
        every = {file for file in files if os.path.isdir(file)}
        folders: dict[int, _Folder] = {}
        for folder in every | names.keys():
            try:
                watch = self._call("inotify_add_watch", inotify, os.fsencode(folder), _WANTED)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.ENOMEM):  # the limits of inotify(7); else it is not there
                    raise
                continue
            known = folders.setdefault(watch, _Folder(folder, set()))
            known.names.update(names.get(folder, ()))
            known.every = known.every or folder in every
        return folders

    def _drain(self) -> bool:
        """Reads every event that has come; whether one of them matters."""
        matters = False
        while True:
            try:
                data = os.read(self._inotify, 65536)
            except BlockingIOError:
                return matters
            at = 0
            while at < len(data):
                watch, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                name = os.fsdecode(data[at - length : at].rstrip(b"\0"))
                matters = matters or self._matters(self._watched.get(watch), mask, name)

    @staticmethod
    def _matters(folder: _Folder | None, mask: int, name: str) -> bool:
        if mask & _WHOLE:
            return True
        if mask & _IGNORED or folder is None:
            return False
        yaml = folder.every and not name.startswith(".") and (bool(mask & _ISDIR) or name.endswith(SUFFIXES))
        if not yaml and name not in folder.names:
            return False
        # a file just created is empty and about to be written; a link or a folder comes whole
        path = os.path.join(folder.path, name)
        return not mask & _CREATE or bool(mask & _ISDIR) or os.path.islink(path)

    def _arm(self) -> None:
        spec = _TIMERSPEC.pack(0, 0, 0, QUIET_NS)
        self._call("timerfd_settime", self._timer, 0, spec, None)

    def _call(self, function: str, *arguments: object) -> int:
        result: int = getattr(self._libc, function)(*arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"{function}: {os.strerror(code)}")
        return result


def _hops(file: str) -> list[tuple[str, str]]:
    """(folder, name) of the file, and of every link on the way to it: what, renamed, makes it another file."""
    hops = []
    waiting = [os.path.abspath(file)]
    for _ in range(_MAX_LINKS):
        if not waiting:
            break
        path = waiting.pop()
        hops.append(os.path.split(path))
        here = "/"
        parts = path.split("/")[1:]
        for i, part in enumerate(parts):
            here = os.path.join(here, part)
            if os.path.islink(here):
                hops.append(os.path.split(here))
                with contextlib.suppress(OSError):  # gone since
                    target = os.path.join(os.path.dirname(here), os.readlink(here), *parts[i + 1 :])
                    waiting.append(os.path.normpath(target))
                break
    return hops
