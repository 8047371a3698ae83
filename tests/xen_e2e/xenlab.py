"""A machine with Xen, in QEMU, its card on a lab's bridge; and what can be done in its dom0."""

from __future__ import annotations

import re
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
BOOT_TIMEOUT = 240.0
TIMEOUT = 180.0  # of a program in dom0, and of what a domU is to say
GUEST_LOG = "/var/log/xen/console/guest-{}.log"
LONGEST = 900.0  # of a domU's life
DOM0_MB = 1024

# -smap: QEMU 7.2's TCG raises false SMAP faults under Xen (dom0 dies before its first line).
# -rdtscp: its SVM does not know the instruction, which PVH guests use.
ACCEL = ("-accel", "tcg,tb-size=512", "-cpu", "max,-smap,-rdtscp")
XEN = (
    "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning "
    f"dom0_mem={DOM0_MB}M,max:{DOM0_MB}M dom0_max_vcpus=2"
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
        return ESCAPES.sub("", self.dom0.read(GUEST_LOG.format(self.name)))

    def wait_said(self, marker: str, timeout: float = TIMEOUT, count: int = 1) -> re.Match[str]:
        """The `count`-th match of the regular expression on its console; NotSeen tells what was there instead."""
        watch = self.dom0.channel.watch(GUEST_LOG.format(self.name), marker, count, self.xl, timeout)
        ended = watch.wait(timeout + 60)
        text = ESCAPES.sub("", ended.out)
        found = list(re.finditer(marker, text, re.MULTILINE))
        if len(found) >= count:
            return found[count - 1]
        when = f"within {timeout:.0f} s" if ended.code == 2 else "before it ended"
        raise NotSeen(self._explained(f"{self.name} did not say {marker!r} {when}"))

    def wait_gone(self, timeout: float = TIMEOUT) -> Ended:
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

    def create(self, name: str, config: str, *overrides: str) -> DomU:
        """`xl create` of a configuration, which stays until the domU is gone."""
        path = self.write(f"/etc/xen/{name}.cfg", config)
        return DomU(self, name, self.start("xl", "create", "-F", path, *overrides, timeout=LONGEST))

    def bootloader_log(self, domid: int | None = None) -> str:
        """What the bootloader of a domain showed on its terminal; None: the last one."""
        which = "$(ls -t bootloader.*.log | head -n 1)" if domid is None else f"bootloader.{domid}.log"
        return ESCAPES.sub("", self.run("sh", "-c", f"cd /var/log/xen && cat {which}").out)


@contextmanager
def xen(lab: Lab, image: Image, rundisk: Path, *, memory: int = 1792) -> Iterator[Dom0]:
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
        "qemu-system-x86_64", *ACCEL, "-machine", "q35", "-smp", "2", "-m", str(memory), "-nodefaults",
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
