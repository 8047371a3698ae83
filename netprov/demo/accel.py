"""Whether KVM serves here, remembered until the machine is started anew: to find out takes up to eight seconds."""

from __future__ import annotations

import json
import os
from pathlib import Path

from netprov.lab.accel import Accelerators
from netprov.lab.firmware import Firmware

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
FILE = "kvm.json"


def kvm(firmware: Firmware, cache: Path) -> bool:
    """Whether guests of `firmware` run under KVM; a cache that cannot be written only costs the time again."""
    here = {"boot": _BOOT_ID.read_text().strip(), "kvm": os.access("/dev/kvm", os.W_OK)}
    known = _read(cache / FILE, here)
    accelerators = Accelerators(dict(known))
    accelerators.arguments(firmware)
    if accelerators.known != known:
        _write(cache / FILE, {**here, "known": accelerators.known})
    return accelerators.known[firmware]


def _read(path: Path, here: dict[str, object]) -> dict[Firmware, bool]:
    try:
        kept = json.loads(path.read_text())
        if {key: kept[key] for key in here} != here:
            return {}
        return {Firmware(name): bool(kvm) for name, kvm in kept["known"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(path: Path, content: dict[str, object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(content))
        fresh.replace(path)
    except OSError:
        return
