"""A machine with Xen, in QEMU, its card on a lab's bridge; and what can be done in its dom0."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from netprov.lab.console import ESCAPES, Console, NotSeen
from netprov.lab.lab import Lab

from .channel import PORT, Channel, Ended, Running
from .dom0 import Image

MAC = "52:54:00:77:00:01"
BOOT_TIMEOUT = 400.0
TIMEOUT = 300.0  # of a program in dom0
GUEST_LOG = "/var/log/xen/console/guest-{}.log"
LONGEST = 1800.0  # of a domU's life, on a machine with much else to do
DOM0_MB = 1024
MEMORY = 1792  # MB: dom0, Xen, and the domUs of the scenarios that are played at once

# QEMU 7.2's TCG raises false SMAP faults under Xen (dom0 dies before its first line); its SVM does not know rdtscp,
# which PVH guests use; and it loses registers where Xen saves them by xsave (programs of dom0 die now and then).
# Not with more than one processor: with two PVH guests end in triple faults.
WITHOUT = ("smap", "rdtscp", "xsave", "xsaveopt", "avx", "avx2", "f16c", "fma")
ACCEL = ("-accel", "tcg,tb-size=512", "-cpu", ",-".join(("max", *WITHOUT)), "-smp", "1")
XEN = (
    "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning "
    f"dom0_mem={DOM0_MB}M,max:{DOM0_MB}M dom0_max_vcpus=1"
)
LINUX = "console=hvc0 panic=5 net.ifnames=0 quiet"


@dataclass(frozen=True, slots=True)
class DomU:
    """A domU, from its `xl create` to its end."""

    dom0: Dom0
    name: str
    xl: Running

    def said(self) -> str:
        """All that it has said on its console, in every boot of it."""
        return guest_said(self.dom0, self.name)

    def wait_gone(self, timeout: float = LONGEST) -> Ended:
        """What xl said, once the domU has ended; NotSeen when it does not."""
        try:
            return self.xl.wait(timeout)
        except TimeoutError:
            raise NotSeen(self._explained(f"{self.name} is still there after {timeout:.0f} s")) from None

    def destroy(self) -> Ended:
        return self.dom0.run("xl", "destroy", self.name)

    def _explained(self, text: str) -> str:
        xl = self.xl.future.result().said if self.xl.future.done() else ""
        tail = "\n".join(self.said().splitlines()[-40:])
        return f"{text}; its console:\n{tail}\n\nxl:\n{xl}\n{self.dom0.bootloader_log()}\n{self.dom0.why()}"


def guest_said(dom0: Dom0, name: str) -> str:
    return ESCAPES.sub("", dom0.read(GUEST_LOG.format(name)))


@dataclass(slots=True)
class Dom0:
    """A running dom0."""

    process: subprocess.Popen[bytes]
    console: Console
    channel: Channel
    why: Callable[[], str] = field(default=lambda: "")

    def start(self, *command: str, content: bytes = b"", timeout: float = TIMEOUT) -> Running:
        """A program in dom0, with `content` on its standard input; it is killed after `timeout` seconds."""
        return self.channel.start(list(command), content, timeout)

    def run(self, *command: str, content: bytes = b"", timeout: float = TIMEOUT) -> Ended:
        return self.start(*command, content=content, timeout=timeout).wait(timeout + 60)

    def sh(self, script: str, timeout: float = TIMEOUT) -> str:
        """What a shell script prints. It is to end well."""
        ended = self.run("bash", "-c", script, timeout=timeout)
        assert ended.code == 0, f"{script}: {ended.code}\n{ended.said}"
        return ended.out

    def write(self, path: str, content: str | bytes) -> str:
        octets = content.encode() if isinstance(content, str) else content
        ended = self.run("sh", "-c", 'mkdir -p "$(dirname "$0")" && cat >"$0"', path, content=octets)
        assert ended.code == 0, ended.said
        return path

    def read(self, path: str) -> str:
        """A file's text; "" where it is not there."""
        return self.run("cat", path).out

    def create(self, name: str, config: str, *environment: str) -> DomU:
        """`xl create` of a configuration, which stays until the domU is gone; `environment` has words like "X=1"."""
        path = self.write(f"/etc/xen/{name}.cfg", config)
        return DomU(self, name, self.start("env", *environment, "xl", "create", "-F", path, timeout=LONGEST))

    def bootloader_log(self, domid: int | None = None) -> str:
        """What the bootloader of a domain showed on its terminal; None: the last one."""
        which = "$(ls -t bootloader.*.log | head -n 1)" if domid is None else f"bootloader.{domid}.log"
        return ESCAPES.sub("", self.run("sh", "-c", f"cd /var/log/xen && cat {which}").out)


@contextmanager
def xen(lab: Lab, image: Image, rundisk: Path, *, memory: int = MEMORY) -> Iterator[Dom0]:
    """Boots Xen and dom0; `memory` (MB) is all of it. In dom0, xenbr0 is one network with the lab's bridge; xenbr1 is
    one of its own. NotSeen tells dom0's console when it does not come up."""
    socket, console = lab.folder / "agent", Console(lab.folder / "com1.log")
    command = _command(image, rundisk, socket, console.path, lab.tap("xen0"), memory)
    log = lab.folder / "qemu-xen.log"
    process = lab.spawn(command, log)
    try:
        channel = Channel(socket, 20.0)
        try:
            channel.ready.result(BOOT_TIMEOUT)
        except (TimeoutError, ConnectionError):
            text = f"dom0 is not up: {log.read_text()}\n{console.tail()}"
            raise NotSeen(text) from None
        made = Dom0(process, console, channel)
        yield made
        _halt(made)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _halt(dom0: Dom0) -> None:
    dom0.channel.send({"halt": True})
    try:
        dom0.process.wait(30)
    except subprocess.TimeoutExpired:
        raise NotSeen(f"dom0 does not switch off:\n{dom0.console.tail()}") from None
    finally:
        dom0.channel.close()


def _command(image: Image, rundisk: Path, socket: Path, console: Path, tap: str, memory: int) -> Sequence[str]:
    return [
        "qemu-system-x86_64", *ACCEL, "-machine", "q35", "-m", str(memory), "-nodefaults",
        "-display", "none", "-monitor", "none", "-no-reboot", "-serial", f"file:{console}",
        # QEMU starts Xen by multiboot; its modules are separated by commas
        "-kernel", str(image.xen), "-append", XEN, "-initrd", f"{image.kernel} {LINUX},{image.initrd}",
        # what is written is thrown away with QEMU: the image in the cache stays as it is
        "-drive", f"file={image.disk},format=raw,if=none,id=d0,snapshot=on", "-device", "virtio-blk-pci,drive=d0",
        "-drive", f"file={rundisk},format=raw,if=none,id=d1,readonly=on", "-device", "virtio-blk-pci,drive=d1",
        "-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no",
        "-device", f"virtio-net-pci,netdev=n0,mac={MAC},romfile=",
        "-chardev", f"socket,id=c0,path={socket},server=on,wait=off",
        "-device", "virtio-serial-pci", "-device", f"virtserialport,chardev=c0,name={PORT}",
    ]  # fmt: skip
