"""Network namespaces of this process, and the end of those a killed one left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

PREFIX = "netprov"
NAME = re.compile(rf"{PREFIX}-(\d+)-(\d+)-")


def ip(*arguments: str) -> str:
    """Run iproute2's ip; what it complains of is the exception's text."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def started(pid: int) -> int:
    """When a process started, in clock ticks since boot, 0 when there is none. With its pid it names it for good."""
    try:
        # the name in parentheses may hold spaces; field 22 counts from its end
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def name(label: str) -> str:
    """A namespace's name that tells whose it is."""
    return f"{PREFIX}-{os.getpid()}-{started(os.getpid())}-{label}"


def names() -> list[str]:
    return [line.split()[0] for line in ip("netns", "list").splitlines() if line.startswith(PREFIX)]


def delete(namespace: str) -> None:
    """End every process in it, then it: a namespace lives on unnamed while a process is in it."""
    for pid in map(int, ip("netns", "pids", namespace).split()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    ip("netns", "delete", namespace)


def delete_stale() -> list[str]:
    """The namespaces of runs that are gone, deleted."""
    stale = []
    for namespace in names():
        match = NAME.match(namespace)
        if match and started(int(match[1])) != int(match[2]):
            with suppress(RuntimeError):  # another run may be cleaning up as well
                delete(namespace)
                stale.append(namespace)
    return stale
