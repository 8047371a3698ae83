"""Who reads the files: the user that the server's workers run as."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reader:
    """`known`: this process can act as that user, and so say what they may."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    known: bool = True


def reader(user: str, server: int) -> Reader:
    """Of a running server its worker's user, else the one it will become: `server.user`, or who runs this."""
    return _of_worker(server) or _of_name(user) or Reader(_name(os.geteuid()), os.geteuid(), os.getegid())


def _of_worker(server: int) -> Reader | None:
    try:
        child = Path(f"/proc/{server}/task/{server}/children").read_text().split()[0] if server else ""
        lines = Path(f"/proc/{child}/status").read_text().splitlines() if child else []
    except (OSError, IndexError):
        return None
    facts = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    if "Uid" not in facts or "Gid" not in facts:
        return None
    uid, gid = int(facts["Uid"].split()[1]), int(facts["Gid"].split()[1])
    return Reader(_name(uid), uid, gid, tuple(map(int, facts.get("Groups", "").split())), _may_be(uid))


def _of_name(user: str) -> Reader | None:
    try:
        entry = pwd.getpwnam(user) if user and os.geteuid() == 0 else None
    except KeyError:
        return None
    return Reader(user, entry.pw_uid, entry.pw_gid) if entry is not None else None


def _may_be(uid: int) -> bool:
    return os.geteuid() in (0, uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextmanager
def acting_as(who: Reader) -> Iterator[None]:
    """Within the block this process has the rights of `who` to files, where it can take them."""
    if os.geteuid() != 0 or who.uid == 0:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    os.setgroups(who.groups)
    os.setegid(who.gid)
    os.seteuid(who.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)
