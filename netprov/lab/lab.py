"""The lab: a namespace with a bridge, guests and stations on it, and whatever serves them."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from netprov.lab import netns
from netprov.lab.accel import Accelerators
from netprov.lab.bootdisk import write_disk
from netprov.lab.firmware import Firmware
from netprov.lab.guest import Guest

BRIDGE = "br0"
ADDRESS = "10.77.0.1"
NETWORK = "10.77.0.0/24"

_BRIDGE_MAC = "02:00:00:77:00:01"


@dataclass(frozen=True, slots=True)
class Station:
    """Another machine on the bridge: a namespace with one interface, `eth0`, for real clients or a second server."""

    lab: Lab
    namespace: str
    mac: str

    def spawn(self, command: Sequence[str], log: Path | None = None) -> subprocess.Popen[bytes]:
        return self.lab.spawn(command, log, self.namespace)

    def run(self, command: Sequence[str], timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        return self.lab.run(command, timeout, self.namespace)


@dataclass(slots=True)
class Lab:
    """One private network. Everything it starts ends with it; use it from the thread that made it (see `spawn`).

    `namespace` is its name, or "" where the lab is the namespace that this process itself is in (see `here`).
    """

    folder: Path
    accelerators: Accelerators
    namespace: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    stations: list[str] = field(default_factory=list)
    guests: list[Guest] = field(default_factory=list)
    why: Callable[[], str] | None = None  # what every guest's failure is to show as well
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def spawn(
        self,
        command: Sequence[str],
        log: Path | None = None,
        namespace: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program in the lab's namespace (or a station's), its output in `log`.

        It dies with the thread that starts it, so a killed test run leaves nothing running.
        """
        where = ["setpriv", "--pdeathsig", "KILL", *_inside(namespace or self.namespace)]
        log = log or self.folder / f"{Path(command[0]).name}-{next(self._numbers)}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*where, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def run(
        self, command: Sequence[str], timeout: float = 60.0, namespace: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end in the namespace, its output kept."""
        return subprocess.run(
            [*_inside(namespace or self.namespace), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def guest(
        self,
        firmware: Firmware,
        mac: str,
        *,
        disk: bool = False,
        memory: int | None = None,
        uuid: str = "",
        nic: str = "virtio-net-pci",
        reboots: bool = False,
        extra: Sequence[str] = (),
    ) -> Guest:
        """A guest, powered off, its card on the bridge. With `disk` a local disk that says when it is booted.

        `reboots`: a reset boots it again; without it QEMU ends there.
        """
        number = next(self._numbers)
        folder = self.folder / f"{firmware}-{number}"
        folder.mkdir()
        made = Guest(
            firmware=firmware,
            mac=mac,
            tap=self.tap(f"t{number}"),
            folder=folder,
            spawn=lambda command, log: self.spawn(command, log),
            accel=self.accelerators.arguments(firmware),
            memory=memory,
            disk=write_disk(folder / "disk.img") if disk else None,
            uuid=uuid,
            nic=nic,
            extra=extra,
            reboots=reboots,
            why=lambda: self.why() if self.why else "",
        )
        self.guests.append(made)
        return made

    def tap(self, name: str) -> str:
        self.ip("tuntap", "add", name, "mode", "tap")
        self.ip("link", "set", name, "master", BRIDGE, "up")
        return name

    def ip(self, *arguments: str) -> str:
        """iproute2's ip, on the lab's own namespace."""
        return netns.ip(*(("-n", self.namespace) if self.namespace else ()), *arguments)

    def station(self, label: str, mac: str, address: str = "") -> Station:
        """A station on the bridge; without an address ("10.77.0.2/24") it has to ask for one.

        Not in a lab `here`: names of namespaces are the machine's, and root's.
        """
        namespace, port = netns.name(label), f"v{next(self._numbers)}"
        netns.ip("netns", "add", namespace)
        self.stations.append(namespace)
        netns.ip("-n", self.namespace, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        netns.ip("-n", self.namespace, "link", "set", port, "master", BRIDGE, "up")
        netns.ip("-n", namespace, "link", "set", "eth0", "address", mac)
        if address:
            netns.ip("-n", namespace, "address", "add", address, "dev", "eth0")
        netns.ip("-n", namespace, "link", "set", "lo", "up")
        netns.ip("-n", namespace, "link", "set", "eth0", "up")
        return Station(self, namespace, mac)

    def stop(self, process: subprocess.Popen[bytes], patience: float = 10.0) -> int:
        """End a program as an operator would (SIGTERM), and by force after `patience` seconds."""
        process.terminate()
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # each leads a group: a server's workers end with it
        for process in self.processes:
            process.wait()
        for namespace in (*self.stations, self.namespace):
            if namespace:
                netns.delete(namespace)

    def _bridge(self) -> None:
        self.ip("link", "set", "lo", "up")
        # without a forwarding delay: a ROM gives up before a bridge that learns for 15 s lets its packets through
        # with an address of its own: else it is the lowest of its ports', changes as guests come and go, and packets to
        # the one before are lost
        self.ip("link", "add", BRIDGE, "address", _BRIDGE_MAC, "type", "bridge", "forward_delay", "0")
        self.ip("address", "add", f"{ADDRESS}/24", "dev", BRIDGE)
        self.ip("link", "set", BRIDGE, "up")


def _inside(namespace: str) -> list[str]:
    return ["ip", "netns", "exec", namespace] if namespace else []


@contextmanager
def lab(folder: Path, accelerators: Accelerators, label: str = "lab") -> Iterator[Lab]:
    """A lab with its bridge up at 10.77.0.1/24, taken down again however the block ends."""
    made = Lab(folder, accelerators, netns.name(label))
    netns.ip("netns", "add", made.namespace)
    try:
        made._bridge()
        yield made
    finally:
        made._close()


@contextmanager
def here(folder: Path, accelerators: Accelerators) -> Iterator[Lab]:
    """A lab in the network namespace this process is in, which must be a fresh one of its own (`unshare --net`): the
    kernel takes it away with its last process.
    """
    made = Lab(folder, accelerators, "")
    try:
        made._bridge()
        yield made
    finally:
        made._close()
