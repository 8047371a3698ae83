"""`netprov serve` in a lab's namespace, and netprov's own commands to look at it with."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from netprov.lab import netns
from netprov.lab.lab import ADDRESS, BRIDGE, NETWORK, Lab

NETPROV = (sys.executable, "-m", "netprov")
WORKERS = ("journal", "dhcp", "tftp", "http")  # in the order in which they are started
PATIENCE = 60.0  # seconds; a busy machine takes several to start Python five times

# A kernel that many guests keep from its processor misses the ticks by which it tests its timer ("IO-APIC + timer
# doesn't work!"); whatever it panics of, it is to end there and not hang (QEMU runs with -no-reboot).
TCG = {"no_timer_check": True, "panic": "1"}

DISTROS = {
    "probe": {
        "breed": "probe", "kernel": "probe/x86_64/vmlinuz", "initrd": "probe/x86_64/initrd.img",
        "autoinstall": "probe.ks", "kernel_options": {"console": "ttyS0", **TCG},
    },
    "probe-arm64": {
        "breed": "probe", "arch": "aarch64", "kernel": "probe/arm64/vmlinuz", "initrd": "probe/arm64/initrd.img",
        "autoinstall": "probe.ks", "kernel_options": {"console": "ttyAMA0"},
    },
}  # fmt: skip
PROFILES = {"probe": {"distro": "probe"}, "probe-arm64": {"distro": "probe-arm64"}}


def configuration(
    folder: Path,
    root: Path,
    systems: Mapping[str, Any],
    *,
    distros: Mapping[str, Any] = {},
    profiles: Mapping[str, Any] = {},
    server: Mapping[str, Any] = {},
    dhcp: Mapping[str, Any] = {},
    usual: bool = True,
) -> Path:
    """A netprov.yaml in `folder`: what differs from the usual lab is given. Returns its path.

    `usual`: with the probe's distros and profiles, whose files `root` must have.
    """
    path = folder / "netprov.yaml"
    subnet = {"subnet": NETWORK, "range": "10.77.0.100-10.77.0.199", "router": ADDRESS, "dns": ADDRESS}
    text = yaml.safe_dump({
        "server": {"interfaces": [BRIDGE], "address": ADDRESS, "state": "state", **server},
        "dhcp": {"mode": "full", "subnets": [subnet], **dhcp},
        "tftp": {"root": str(root)},
        "distros": {**(DISTROS if usual else {}), **distros},
        "profiles": {**(PROFILES if usual else {}), **profiles}, "systems": dict(systems),
    }, sort_keys=False)  # fmt: skip
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)  # at once, as editors do: the server may be watching
    return path


@dataclass(slots=True)
class Served:
    """A running server of one lab.

    `troubled`: the verdicts that its machines' boots may have, by system, MAC or "ip ADDRESS". Every other boot is to
    have none: tests/conftest.py sees to that after the module, whatever its tests look at.
    """

    to_judge: ClassVar[list[Served]] = []

    lab: Lab
    config: Path
    log: Path
    troubled: dict[str, Set[str]] = field(default_factory=dict)
    process: subprocess.Popen[bytes] = field(init=False)
    _workers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lab.why = self.why
        self.to_judge.append(self)
        self.start()

    def start(self) -> None:
        """Start it (again), on the state it had; returns once it serves."""
        self._workers.clear()
        before = self.said("netprov: serves ")
        self.process = self.lab.spawn([*NETPROV, "serve", "-c", str(self.config)], self.log)
        self.until(lambda: self.said("netprov: serves ") > before, "the server serves")

    def stop(self) -> None:
        """End it as an operator does; it is to end well."""
        assert self.lab.stop(self.process, PATIENCE) == 0, self.log.read_text()

    def said(self, pattern: str) -> int:
        """How often the server's console says the regular expression."""
        return len(re.findall(pattern, self.log.read_text())) if self.log.exists() else 0

    def wait_said(self, pattern: str, count: int = 1) -> None:
        self.until(lambda: self.said(pattern) >= count, f"{pattern!r} is said {count} times")

    def until(self, holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not holds():
            assert self.process.poll() is None, f"the server ended:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}\n{self.why()}"
            time.sleep(0.05)

    def workers(self) -> dict[str, int]:
        """The process of each worker, by name. Ask after each death: a new process takes the dead one's name."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        pids = [int(pid) for pid in children]
        gone = [name for name, pid in self._workers.items() if pid not in pids] if self._workers else WORKERS
        self._workers |= dict(zip(gone, [pid for pid in pids if pid not in self._workers.values()], strict=True))
        return dict(self._workers)

    def until_gone(self, pids: Iterable[int]) -> None:
        """Until these processes have ended, the server itself being dead."""
        deadline = time.monotonic() + PATIENCE
        while left := [pid for pid in pids if netns.started(pid)]:
            assert time.monotonic() < deadline, f"still there: {left}\n{self.log.read_text()}"
            time.sleep(0.05)

    def netprov(self, *arguments: str, check: bool = True) -> str:
        """What a netprov command prints; run outside of the namespace, as none needs the server."""
        command = [*NETPROV, *arguments, "-c", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert not check or done.returncode == 0, f"netprov {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def boots(self, machine: str, last: int = 1) -> list[dict[str, Any]]:
        """The timeline of a machine's last boots, oldest first."""
        boots: list[dict[str, Any]] = json.loads(self.netprov("timeline", machine, "--last", str(last), "--json"))
        return boots

    def done(self, machine: str) -> list[str]:
        """The stages that the machine's last boot has behind it, in the order in which it had them."""
        boots = self.boots(machine)
        return [stage["stage"] for stage in boots[-1]["stages"] if stage["state"] == "done"] if boots else []

    def wait_done(self, machine: str, stages: Sequence[str]) -> None:
        """Until the timeline has these stages: the journal writes them a moment after the machine had them."""
        self.until(lambda: self.done(machine) == list(stages), f"{machine} passed {', '.join(stages)}", 15)

    def status(self, system: str) -> str:
        """The state of a system's install; "" before anything happened to it."""
        row = json.loads(self.netprov("system", "status", system, "--json"))[0]
        return str(row["state"] or "")

    def get(self, url: str) -> bytes:
        """What the server answers to a machine of the lab."""
        script = f"import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen({url!r}, timeout=30).read())"
        done = self.lab.run([sys.executable, "-c", script])
        assert done.returncode == 0, done.stderr
        return done.stdout.encode()

    def sha256(self, url: str) -> str:
        return hashlib.sha256(self.get(url)).hexdigest()

    def why(self) -> str:
        """For who reads a failure: every boot, the last one of each machine stage by stage, and the server's log."""
        shown = [f"netprov timeline\n{self.netprov('timeline', check=False)}"]
        names = sorted({boot["system"] or boot["machine"] for boot in self._all()})
        shown += [f"netprov timeline {name}\n{self.netprov('timeline', name, check=False)}" for name in names]
        return "\n".join([*shown, "server log", self.log.read_text()[-8000:]])

    def _all(self) -> list[dict[str, Any]]:
        said = self.netprov("timeline", "--json", check=False)
        boots: list[dict[str, Any]] = json.loads(said) if said.startswith("[") else []
        return boots
