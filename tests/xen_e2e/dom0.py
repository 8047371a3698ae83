"""A dom0 made of the distribution's packages: Xen, the kernel, and a disk with Xen's tools and what netprov needs.

The packages are only unpacked, as their maintainer scripts would need a running system: what those would have done and
Xen's tools miss, `_finish` does. An image is kept by what went into it.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from netprov.bootimages import cpio, kernel
from netprov.bootimages.packages import Archive

ARCH = "amd64"
HERE = Path(__file__).parent
INIT, INITRAMFS, AGENT = HERE / "dom0_init.sh", HERE / "dom0_initramfs.sh", HERE / "dom0_agent.py"
SITE = "opt/site-packages"  # of the image; the checkout comes on a disk of its own, so that a change builds nothing
CHECKOUT = "opt/netprov"

PACKAGES = (
    # xen-system depends on the hypervisor and the tools of the distribution's version
    f"xen-system-{ARCH}",
    "xenstore-utils",
    "python3",
    "iproute2",
    "busybox-static",
    "procps",
    # essential, so nothing depends on them
    "bash",
    "dash",
    "coreutils",
    "grep",
    "sed",
    "mawk",
    "mount",
    "util-linux",
    "bsdutils",
    "findutils",
    "gzip",
    "sysvinit-utils",
    "init-system-helpers",
    "base-passwd",
    "ncurses-base",
)
# for maintainer scripts, for a boot with systemd, or documentation: nothing here runs them
NOT_NEEDED = re.compile(
    r"perl.*|libperl.*|lib.*-perl|usrmerge|debconf|adduser|passwd|libsemanage.*|libsepol.*|ucf|udev|media-types|tar|"
    r"gcc-.*-base|xen-system-.*|sensible-utils|readline-common"
)
NOT_UNPACKED = ("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*")
KERNELS = (f"linux-image-{ARCH}", "linux-image-generic")  # Debian's cloud flavour cannot be a dom0
MODULES = (
    "virtio_pci",
    "virtio_blk",
    "virtio_net",
    "virtio_console",
    "crc32c_generic",
    "ext4",
    "af_packet",
    "loop",
    "tun",
    "veth",
    "macvlan",
    "bridge",
    "xen_evtchn",
    "xen_gntdev",
    "xen_gntalloc",
    "xen_privcmd",
    "xenfs",
    "xen_netback",
    "xen_blkback",
)
MERGED = ("bin", "sbin", "lib", "lib64")
FOLDERS = (
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "root",
    "opt/site-packages",
    "opt/netprov",
    "var/lib/xen",
    "var/lib/xenstored",
    "var/log/xen/console",
    "etc/default",
)
UNCOMPILED = r"/(test|tests|idlelib|lib2to3|tkinter|turtledemo|ensurepip|pydoc_data|distutils)/"
IMAGE_MB = 700
FIRST_USER = 131072
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
KEPT = 2  # images: that of now, and that of the branch beside it


@dataclass(frozen=True, slots=True)
class Image:
    """What QEMU starts."""

    folder: Path

    @property
    def xen(self) -> Path:
        return self.folder / "xen"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def disk(self) -> Path:
        return self.folder / "dom0.img"


def build(archive: Archive, progress: Callable[[str], None] = lambda text: None) -> Image:
    """The image for today's packages and this recipe, from the cache or made."""
    home = archive.cache / "xen"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        archive.refresh(ARCH)
        linux = _kernel_package(archive)
        apt = _Apt(archive, home / "debs")
        plan = apt.plan(PACKAGES)
        folder = home / _key(plan, linux, archive)
        if not folder.is_dir():
            progress(f"dom0 image of {len(plan)} packages")
            with _taking_shape(folder) as made:
                _build(made, apt, archive, linux, progress)
            _tidy(home, folder)
        os.utime(folder)
        return Image(folder)


def _kernel_package(archive: Archive) -> str:
    """The names in KERNELS are empty packages that depend on the newest real one."""
    offered = archive.offered(KERNELS, ARCH)
    for name in KERNELS:
        if match := re.search(r"\blinux-image-\d[^\s,(]*", offered.get(name, {}).get("Depends", "")):
            return match[0]
    raise AssertionError(f"the apt sources offer none of {', '.join(KERNELS)}")


def _key(plan: Sequence[str], linux: str, archive: Archive) -> str:
    recipe = [Path(__file__), INIT, INITRAMFS, AGENT]
    version = archive.offered([linux], ARCH)[linux]["Version"]
    sites = sorted(f"{name} {found.version}" for name, found in _distributions().items())
    parts = [*plan, linux, version, THIS_PYTHON, *sites, *(path.read_text() for path in recipe)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


@contextmanager
def _taking_shape(folder: Path) -> Iterator[Path]:
    """A folder that is there whole, or not at all."""
    made = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    try:
        yield made
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _tidy(home: Path, folder: Path) -> None:
    """Old images, and what killed runs left."""
    old = sorted((path for path in home.iterdir() if path.is_dir() and path.name != "debs" and path != folder),
                 key=lambda path: path.stat().st_mtime, reverse=True)  # fmt: skip
    for number, path in enumerate(old):
        if number >= KEPT - 1 or path.name.startswith("making-"):
            shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Apt:
    """apt, as if nothing at all were installed: what it would install is what a root needs."""

    archive: Archive
    debs: Path

    def plan(self, packages: Sequence[str]) -> list[str]:
        """ "name version" of each package and all that they depend on."""
        said = self._apt("-s", "install", *packages)
        found = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", said, re.MULTILINE)
        return sorted(f"{name} {version}" for name, version in found if not NOT_NEEDED.fullmatch(name))

    def download(self, plan: Sequence[str]) -> list[Path]:
        """The packages' files; older ones are removed."""
        self.debs.mkdir(exist_ok=True)
        self._apt("download", "-qq", *(row.replace(" ", "=") for row in plan), cwd=self.debs)
        wanted = {row.replace(" ", "_").replace(":", "%3a") for row in plan}
        found = {path: path.name.rpartition("_")[0] in wanted for path in sorted(self.debs.glob("*.deb"))}
        for path in found:
            if not found[path]:
                path.unlink()
        debs = [path for path in found if found[path]]
        assert len(debs) == len(plan), f"{len(plan)} packages were wanted, {len(debs)} came"
        return debs

    def _apt(self, *arguments: str, cwd: Path | None = None) -> str:
        conf = self.archive.cache / f"apt-{ARCH}" / "apt.conf"
        options = ["-c", str(conf), "--no-install-recommends", "-o", "Debug::NoLocking=1"]
        return _run(["apt-get", *options, *arguments], cwd)


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(map(str, command))[:300]}: {done.stderr[-2000:]}"
    return done.stdout


def _build(made: Path, apt: _Apt, archive: Archive, linux: str, progress: Callable[[str], None]) -> None:
    plan = apt.plan(PACKAGES)
    root = made / "root"
    _unpack(root, apt.download(plan))
    hypervisor = next(path for path in sorted(root.glob("boot/xen-*.gz")) if "dbg" not in path.name)
    (made / "xen").write_bytes(gzip.decompress(hypervisor.read_bytes()))
    shutil.rmtree(root / "boot")
    progress("dom0 image: kernel")
    with archive.open(linux, ARCH) as package:
        release = linux.removeprefix("linux-image-")
        shutil.copyfile(package.file([f"boot/vmlinuz-{release}"]), made / "vmlinuz")
        folder = kernel.modules_folder(package.tree, release)
        assert folder is not None, linux
        modules = kernel.with_dependencies(folder, MODULES)
    (made / "initrd.img").write_bytes(_initramfs(root, modules))
    progress("dom0 image: Python")
    _finish(root)
    _site_packages(root)
    _compile(root)
    progress("dom0 image: disk")
    make_disk(made / "dom0.img", root, IMAGE_MB)
    shutil.rmtree(root)


def _unpack(root: Path, debs: Sequence[Path]) -> None:
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    without = [f"--exclude={pattern}" for pattern in NOT_UNPACKED]
    for deb in debs:
        # a package may have /bin as a folder: it must not replace the link to /usr/bin
        into = ["tar", "-x", "-C", str(root), "--keep-directory-symlink", *without]
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as packed:
            subprocess.run(into, stdin=packed.stdout, check=True)
        assert packed.returncode == 0, deb


def _finish(root: Path) -> None:
    for name in ("passwd", "group"):
        shutil.copyfile(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    with (root / "etc/passwd").open("a") as file:  # whose number and a domain's add up to its bootloader's user
        file.write(f"xen-qemuuser-range-base:x:{FIRST_USER}:65534::/nonexistent:/usr/sbin/nologin\n")
    for link, target in (("sh", "dash"), ("awk", "mawk")):
        if not (root / "usr/bin" / link).exists():
            (root / "usr/bin" / link).symlink_to(target)
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    with (root / "etc/default/xen").open("a") as file:
        file.write('XENCONSOLED_ARGS="--log=guest"\n')  # what guests say → /var/log/xen/console/guest-NAME.log
    (root / "etc/hosts").write_text("127.0.0.1 localhost dom0\n")
    _script(root / "usr/sbin/dom0-init", INIT.read_bytes())
    _script(root / "usr/sbin/dom0-agent", AGENT.read_bytes())
    # as pip would make them; a bootloader's start counts, so nothing more is in them
    for name, entry in (("netprov", "netprov.cli"), ("netprov-pxeboot", "netprov.xen.bootloader.pxeboot")):
        text = f"#!/usr/bin/python3\nimport sys\nfrom {entry} import main\nsys.exit(main())\n"
        _script(root / "usr/bin" / name, text.encode())
    (root / "usr/bin/pypxeboot").symlink_to("netprov-pxeboot")
    packages = root / "usr/lib/python3/dist-packages"
    packages.mkdir(parents=True, exist_ok=True)
    (packages / "netprov.pth").write_text(f"/{CHECKOUT}\n/{SITE}\n")


def _script(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)


def _initramfs(root: Path, modules: Sequence[kernel.Module]) -> bytes:
    order = "".join(f"{module.name}.ko\n" for module in modules)
    entries = [cpio.folder(name) for name in ("bin", "dev", "proc", "sys", "modules", "newroot")]
    entries += [cpio.node("dev/console", 5, 1), cpio.node("dev/null", 1, 3)]
    entries += [cpio.file("bin/busybox", (root / "usr/bin/busybox").read_bytes(), 0o755)]
    entries += [cpio.file("init", INITRAMFS.read_bytes(), 0o755), cpio.file("modules/order", order.encode())]
    entries += [cpio.file(f"modules/{module.name}.ko", module.content) for module in modules]
    return gzip.compress(cpio.newc(entries), compresslevel=1, mtime=0)


def _distributions() -> dict[str, metadata.Distribution]:
    """What netprov needs of PyPI, as this environment has it."""
    found: dict[str, metadata.Distribution] = {}
    wanted = list(metadata.distribution("netprov").requires or ())
    while wanted:
        requirement = Requirement(wanted.pop())
        name = requirement.name.lower().replace("_", "-")
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found[name] = metadata.distribution(requirement.name)
        wanted += found[name].requires or ()
    return found


def _site_packages(root: Path) -> None:
    """The same for dom0's Python: copied where that is this environment's version, else of wheels for that one."""
    target = root / SITE
    version = next(root.glob("usr/lib/python3.*")).name.removeprefix("python")
    if version != THIS_PYTHON:
        # typing-extensions: what newer versions of Python have in them
        rows = {"typing-extensions": "", **{name: f"=={one.version}" for name, one in _distributions().items()}}
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        options = ["--target", str(target), "--python-version", version, "--no-deps"]
        _run([*pip, *options, *(name + exact for name, exact in rows.items())])
        return
    for found in _distributions().values():
        for file in found.files or ():
            if file.parts[0] != ".." and "__pycache__" not in file.parts:
                to = target / file
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), to)


def _compile(root: Path) -> None:
    """Under TCG Python's compiler takes tens of seconds for what a server imports."""
    places = [f"/{SITE}", *(f"/{path.relative_to(root)}" for path in root.glob("usr/lib/python3.*"))]
    # not all is for this version of Python: what does not compile is not imported either
    subprocess.run(
        ["chroot", root, "/usr/bin/python3", "-S", "-m", "compileall", "-q", "-x", UNCOMPILED, *places],
        check=False, capture_output=True,
    )  # fmt: skip


def make_disk(path: Path, content: Path, megabytes: int) -> Path:
    """An ext4 disk with the files of a folder, root's."""
    features = ["-E", "lazy_itable_init=1,nodiscard,root_owner=0:0", "-O", "^has_journal,^metadata_csum", "-m", "0"]
    _run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(content), *features, str(path), f"{megabytes}M"])
    return path
