"""netprov-probe: the distribution's signed kernel and an initramfs that does what an installer does on the network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from netprov.bootimages import cpio, kernel
from netprov.bootimages.packages import Archive, Package
from netprov.bootimages.placed import FileState, Placed, read_lock, state_of, write_atomic, write_lock
from netprov.errors import ConfigError, Problem

FOLDER = "probe"
LOCK = "probe.lock.json"
KERNEL, INITRD = "vmlinuz", "initrd.img"
BUSYBOX = "busybox-static"


class Arch(StrEnum):
    """The machines a probe is built for, as a distro's `arch` says it."""

    X86_64 = "x86_64"
    ARM64 = "arm64"


DEBIAN_ARCH: Mapping[Arch, str] = {Arch.X86_64: "amd64", Arch.ARM64: "arm64"}

# The first that the sources offer: Debian's cloud flavour is the smallest with virtio and is signed like the others;
# linux-image-virtual is Ubuntu's.
KERNELS: Mapping[Arch, tuple[str, ...]] = {
    Arch.X86_64: ("linux-image-cloud-amd64", "linux-image-virtual", "linux-image-amd64"),
    Arch.ARM64: ("linux-image-cloud-arm64", "linux-image-virtual", "linux-image-arm64"),
}

# Network cards of virtual machines, and what the reports need. What a kernel has built in, or not at all, is skipped.
MODULES = (
    "virtio_pci",
    "virtio_mmio",
    "virtio_net",
    "xen_netfront",
    "vmxnet3",
    "e1000",
    "e1000e",
    "af_packet",
    "efivarfs",
)

SCRIPTS: Mapping[str, Path] = {
    "init": Path(__file__).with_name("probe_init.sh"),
    "bin/probe_dhcp": Path(__file__).with_name("probe_dhcp.sh"),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe in place: two files to boot, and the versions they were built of."""

    arch: Arch
    kernel: Path
    initrd: Path
    version: str


def build(root: Path, arch: Arch, archive: Archive, progress: Callable[[str], None] = lambda text: None) -> Probe:
    """The probe for `arch` under `root`/probe/ARCH; built only when its packages or its recipe changed.

    The same packages and recipe give the same bytes. Raises ConfigError: a package cannot be had, or has no kernel.
    """
    folder, debian = root / FOLDER / arch, DEBIAN_ARCH[arch]
    parts = _parts_offered(archive, arch)
    lock = read_lock(folder / LOCK)
    if any(state_of(folder / name, lock.get(name), parts.version) is not FileState.OK for name in (KERNEL, INITRD)):
        archive.refresh(debian)  # a kernel of last month's list is not in the archive any more
        parts = _parts_offered(archive, arch)
        progress(f"netprov-probe for {arch}: {parts.version}")
        with ExitStack() as stack:
            packages = [stack.enter_context(archive.open(name, debian)) for name in parts.packages]
            vmlinuz, modules = _kernel_of(packages)
            busybox = stack.enter_context(archive.open(BUSYBOX, debian)).file(["bin/busybox", "usr/bin/busybox"])
            files = {KERNEL: vmlinuz.read_bytes(), INITRD: initramfs(busybox.read_bytes(), modules)}
        placed = {name: _put(folder / name, content, parts, debian) for name, content in files.items()}
        write_lock(folder / LOCK, placed)
    return Probe(arch, folder / KERNEL, folder / INITRD, parts.version)


def status(root: Path, arch: Arch) -> FileState:
    """How the probe for `arch` stands against its lock file and this recipe; packages are not asked for."""
    folder = root / FOLDER / arch
    lock = read_lock(folder / LOCK)
    states = [state_of(folder / name, lock.get(name), None) for name in (KERNEL, INITRD)]
    worst = next((state for state in states if state is not FileState.OK), FileState.OK)
    if worst is FileState.OK and not lock[INITRD].version.endswith(f"recipe {_recipe()}"):
        return FileState.OUTDATED
    return worst


def initramfs(busybox: bytes, modules: Sequence[kernel.Module]) -> bytes:
    """busybox, the two scripts, and the modules in the order to load them."""
    order = "".join(f"{module.name}.ko\n" for module in modules)
    entries = [cpio.folder(name) for name in ("bin", "dev", "etc", "lib", "lib/modules", "proc", "sys", "tmp")]
    entries += [cpio.node("dev/console", 5, 1), cpio.node("dev/null", 1, 3), cpio.file("bin/busybox", busybox, 0o755)]
    entries += [cpio.file(name, script.read_bytes(), 0o755) for name, script in SCRIPTS.items()]
    entries += [cpio.file(f"lib/modules/{module.name}.ko", module.content) for module in modules]
    entries += [cpio.file("lib/modules/order", order.encode())]
    return cpio.compressed(cpio.newc(entries))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a probe would be built of: the package of the kernel, then those of its modules where they are apart."""

    packages: tuple[str, ...]
    version: str


def _parts_offered(archive: Archive, arch: Arch) -> Parts:
    debian = DEBIAN_ARCH[arch]
    packages = _kernel_packages(archive, arch)
    names = (packages[0], BUSYBOX)
    found = {name: record.get("Version", "") for name, record in archive.offered(names, debian).items()}
    found |= archive.installed(names, debian)
    version = ", ".join(f"{name} {found.get(name, '')}" for name in names)
    return Parts(packages, f"{version}, recipe {_recipe()}")


def _kernel_packages(archive: Archive, arch: Arch) -> tuple[str, ...]:
    """The names in KERNELS are empty packages that depend on the newest real one."""
    debian = DEBIAN_ARCH[arch]
    offered = archive.offered(KERNELS[arch], debian)
    if not offered:
        archive.refresh(debian)
        offered = archive.offered(KERNELS[arch], debian)
    for name in KERNELS[arch]:
        depends = offered.get(name, {}).get("Depends", "")
        if match := re.search(r"\blinux-image-(?:unsigned-)?(\d[^\s,(]*)", depends):
            modules = (f"linux-modules-{match[1]}",)
            return match[0], *(modules if archive.offered(modules, debian) else ())
    text = f"the apt sources of this machine offer none for {debian}: run apt-get update, or add a source that has one"
    raise ConfigError(Problem(None, " or ".join(KERNELS[arch]), text))


def _kernel_of(packages: Sequence[Package]) -> tuple[Path, list[kernel.Module]]:
    """The kernel and its modules, out of packages as `Parts` names them."""
    release = packages[0].name.removeprefix("linux-image-").removeprefix("unsigned-")
    folders = (kernel.modules_folder(package.tree, release) for package in packages)
    modules = next((folder for folder in folders if folder is not None), None)
    if modules is None:
        text = f"{' and '.join(package.name for package in packages)} have no modules of {release}"
        raise ConfigError(Problem(None, "netprov-probe", text))
    return packages[0].file([f"boot/vmlinuz-{release}"]), kernel.with_dependencies(modules, MODULES)


def _recipe() -> str:
    """What this program puts into a probe, as a short digest: a new netprov builds anew."""
    texts = [script.read_bytes() for script in SCRIPTS.values()]
    return hashlib.sha256(b"\0".join([*texts, " ".join(MODULES).encode()])).hexdigest()[:12]


def _put(path: Path, content: bytes, parts: Parts, arch: str) -> Placed:
    write_atomic(path, content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Placed(path.name, parts.packages[0], parts.version, arch, "", sha256, len(content))
