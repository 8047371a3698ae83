"""The disk with this checkout, made for each run: a change of the code needs no new image."""

from __future__ import annotations

import compileall
import shutil
from pathlib import Path

from netprov.bootimages.probe import Probe

from . import dom0

CHECKOUT = Path(__file__).parents[2]
CHECKOUT_IN_DOM0 = f"/{dom0.CHECKOUT}"
PARTS = ("netprov", "pxelinux.cfg.templates")
PROBE = "boot-images/probe/x86_64"
NO_KERNEL = "probe/no-kernel"  # of boot-images: a kernel by its name only
KERNEL, INITRD = f"{CHECKOUT_IN_DOM0}/{PROBE}/vmlinuz", f"{CHECKOUT_IN_DOM0}/{PROBE}/initrd.img"
INSTALLED = f"{CHECKOUT_IN_DOM0}/installed.img"
MB, INSTALLED_MB = 128, 24

FROM_DISK = "booted.from=disk"
GRUB_CFG = f"""\
set default=0
set timeout=0
menuentry 'the installed system' {{
    linux /boot/vmlinuz console=hvc0 quiet {FROM_DISK}
    initrd /boot/initrd.img
}}
"""


def make(path: Path, probe: Probe) -> Path:
    """The checkout's own packages and the probe, under the folder that dom0 has them in; and INSTALLED, the disk of a
    domU whose installation has ended."""
    tree = path.with_suffix(".tree")
    for part in PARTS:
        shutil.copytree(CHECKOUT / part, tree / part, symlinks=True, dirs_exist_ok=True)
    compileall.compile_dir(tree / "netprov", quiet=2)
    (tree / PROBE).mkdir(parents=True)
    shutil.copyfile(probe.kernel, tree / PROBE / "vmlinuz")
    shutil.copyfile(probe.initrd, tree / PROBE / "initrd.img")
    shutil.copyfile(probe.initrd, tree / "boot-images" / NO_KERNEL)
    _installed(tree / Path(INSTALLED).name, probe, path.with_suffix(".installed"))
    dom0.make_disk(path, tree, MB)
    shutil.rmtree(tree)
    return path


def _installed(path: Path, probe: Probe, tree: Path) -> None:
    """A file system without a partition table, as xl takes it for a disk: the probe in place of a system."""
    (tree / "boot/grub").mkdir(parents=True)
    shutil.copyfile(probe.kernel, tree / "boot/vmlinuz")
    shutil.copyfile(probe.initrd, tree / "boot/initrd.img")
    (tree / "boot/grub/grub.cfg").write_text(GRUB_CFG)
    dom0.make_disk(path, tree, INSTALLED_MB)
    shutil.rmtree(tree)
