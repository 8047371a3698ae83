#!/usr/bin/env python3
"""The domU bootloader side by side with what pypxeboot was made of, in namespaces of its own (root).

    bench/pxeboot.py [--rounds N] [--kernel MB] [--initrd MB]

Prints medians of interleaved rounds: what the interpreter and the imports cost; from answered DHCP to the hand-over of
kernel and initrd, netprov-pxeboot from netprov over HTTP against udhcpc and tftp-hpa's client from dnsmasq over TFTP.
Both write the files to the disk. The wall clock of a shared machine varies by a factor of two: run it when it is quiet.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "xen"))

from kernels import PV_NOTES, bzimage, elf, packed  # noqa: E402 - a kernel that Xen would take, as the tests make them

DOM0, SERVER, GUEST = (f"npb{os.getpid()}{letter}" for letter in "dsg")
MAC = "00:16:3e:11:11:11"
CONFIG = """\
server: {{interfaces: [eth0], address: 10.79.0.1, state: {folder}/state}}
dhcp: {{mode: full, subnets: [{{subnet: 10.79.0.0/24, range: 10.79.0.10-10.79.0.250}}]}}
tftp: {{root: {folder}/root}}
distros: {{d: {{breed: debian, kernel: vmlinuz, initrd: [initrd]}}}}
profiles: {{p: {{distro: d, install: always}}}}
systems: {{lady: {{profile: p, interfaces: {{eth0: {{mac: "{mac}"}}}}}}}}
"""
BOUND = '#!/bin/sh\n[ "$1" != bound ] || ip address add $ip/$mask dev $interface\n'


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def inside(namespace: str, *words: str) -> list[str]:
    return ["ip", "netns", "exec", namespace, *words]


def make_networks() -> None:
    for name in (DOM0, SERVER, GUEST):
        run("ip", "netns", "add", name)
    run("ip", "-n", DOM0, "link", "add", "xenbr0", "type", "bridge", "forward_delay", "0")
    run("ip", "-n", DOM0, "link", "set", "xenbr0", "up")
    for port, namespace in (("uplink", SERVER), ("guest", GUEST)):
        run("ip", "-n", DOM0, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        run("ip", "-n", DOM0, "link", "set", port, "master", "xenbr0", "up")
    run("ip", "-n", GUEST, "link", "set", "eth0", "address", MAC)
    run("ip", "-n", SERVER, "address", "add", "10.79.0.1/24", "dev", "eth0")
    run("ip", "-n", SERVER, "link", "set", "eth0", "up")
    run("ip", "-n", SERVER, "link", "set", "lo", "up")


def make_files(folder: Path, kernel_mb: int, initrd_mb: int) -> None:
    root = folder / "root"
    (root / "pxelinux.cfg").mkdir(parents=True)
    payload = packed(elf(PV_NOTES, before=os.urandom(kernel_mb * 1_000_000)), "gzip")
    (root / "vmlinuz").write_bytes(bzimage(payload))
    (root / "initrd").write_bytes(os.urandom(initrd_mb * 1_000_000))
    (root / "pxelinux.cfg" / f"01-{MAC.replace(':', '-')}").write_text("DEFAULT vmlinuz initrd=initrd\n")
    (folder / "netprov.yaml").write_text(CONFIG.format(folder=folder, mac=MAC))
    (folder / "bound").write_text(BOUND)
    (folder / "bound").chmod(0o755)


def serving(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    log = (folder / "log").open("ab")
    return subprocess.Popen(inside(SERVER, *words), stdout=log, stderr=log)


def netprov_serving(folder: Path) -> subprocess.Popen[bytes]:
    (folder / "log").write_bytes(b"")
    process = serving(folder, sys.executable, "-m", "netprov", "serve", "-c", str(folder / "netprov.yaml"))
    while b"netprov: serves" not in (folder / "log").read_bytes():
        if process.poll() is not None:
            sys.exit((folder / "log").read_text())
        time.sleep(0.05)
    return process


def dnsmasq_serving(folder: Path) -> subprocess.Popen[bytes]:
    process = serving(
        folder, "dnsmasq", "-k", "-p", "0", "-C", "/dev/null", "--user=root", "--interface=eth0", "--bind-interfaces",
        "--no-ping", "--dhcp-authoritative", f"--dhcp-leasefile={folder}/leases", f"--pid-file={folder}/pid",
        "--dhcp-range=10.79.0.10,10.79.0.250,1h", "--dhcp-boot=pxelinux.0", "--enable-tftp",
        f"--tftp-root={folder}/root",
    )  # fmt: skip
    time.sleep(0.5)
    return process


def netprov_boot(folder: Path) -> float:
    """Seconds from the address to the answer."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    words = inside(
        DOM0, sys.executable, "-m", "netprov.xen.bootloader.pxeboot", f"--output={out}/answer",
        "--output-format=simple0", f"--output-directory={out}", f"mac={MAC}", "/dev/null",
    )  # fmt: skip
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    began, said = 0.0, ""
    for line in process.stderr:
        said += line
        if "getting cfg for IP" in line:
            began = time.monotonic()
    process.wait()
    took = time.monotonic() - began
    if process.returncode or not began:
        sys.exit(said)
    return took


def tftp_boot(folder: Path) -> float:
    """Likewise: the configuration, the kernel and the initrd, one after the other, as pypxeboot did."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    run("ip", "-n", GUEST, "link", "set", "eth0", "up")
    run(*inside(GUEST, "udhcpc", "-n", "-q", "-f", "-i", "eth0", "-s", f"{folder}/bound"))
    began = time.monotonic()
    for name in (f"pxelinux.cfg/01-{MAC.replace(':', '-')}", "vmlinuz", "initrd"):
        place = out / name.rpartition("/")[2]
        run(*inside(GUEST, "tftp", "-m", "binary", "10.79.0.1", "-c", "get", name, str(place)))
        if place.stat().st_size != (folder / "root" / name).stat().st_size:
            sys.exit(f"tftp: {name} came in part")
    took = time.monotonic() - began
    # netprov-pxeboot has that MAC address, too: the bridge must not look for it here meanwhile
    run("ip", "-n", GUEST, "address", "flush", "dev", "eth0")
    run("ip", "-n", GUEST, "link", "set", "eth0", "down")
    return took


def starting(words: list[str]) -> tuple[float, float]:
    """Wall clock and CPU seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start_up(rounds: int) -> None:
    program = Path(sys.executable).with_name("netprov-pxeboot")
    bare = [starting([sys.executable, "-c", "pass"]) for _ in range(rounds)]
    ours = [starting([str(program), "--help"]) for _ in range(rounds)]
    for name, found in (("interpreter alone", bare), ("interpreter and imports", ours)):
        wall, cpu = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{name:48} {wall:6.2f} s   (CPU {cpu:.2f} s)", flush=True)


BOOTS: dict[str, tuple[Callable[[Path], subprocess.Popen[bytes]], Callable[[Path], float]]] = {
    "netprov-pxeboot, netprov over HTTP": (netprov_serving, netprov_boot),
    "udhcpc + tftp-hpa, dnsmasq over TFTP": (dnsmasq_serving, tftp_boot),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="The domU bootloader against udhcpc and tftp-hpa.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kernel", type=int, default=10, metavar="MB")
    parser.add_argument("--initrd", type=int, default=40, metavar="MB")
    options = parser.parse_args()
    start_up(max(5, options.rounds))
    took: dict[str, list[float]] = {name: [] for name in BOOTS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            make_networks()
            make_files(folder, options.kernel, options.initrd)
            for _ in range(options.rounds):
                for what, (serve, boot) in BOOTS.items():
                    server = serve(folder)
                    try:
                        took[what].append(boot(folder))
                    finally:
                        server.terminate()
                        server.wait()
        finally:
            for namespace in (DOM0, SERVER, GUEST):
                subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)
    print(f"from answered DHCP to {options.kernel} MB of kernel and {options.initrd} MB of initrd in place:")
    medians = [statistics.median(values) for values in took.values()]
    for what, median in zip(took, medians, strict=True):
        print(f"{what:48} {median:6.2f} s   ({(options.kernel + options.initrd) / median:.0f} MB/s)")
    print(f"ratio{medians[1] / medians[0]:50.1f}")


if __name__ == "__main__":
    main()
