"""Where a server may have disks made in dom0: it is not to choose any file of root's."""

from __future__ import annotations

import os
from pathlib import Path

from netprov.errors import ConfigError, Problem
from netprov.inventory.model import Target
from netprov.xen.create.order import Order
from netprov.xen.domain import IMAGES, disk_paths


def refuse_paths(target: Target, order: Order, site: str) -> None:
    """Raises ConfigError where a disk of the server's `target` would be elsewhere than in IMAGES and `order.folders`.

    Those that the order itself names are a person's own. Links count as what they lead to.
    """
    allowed = [Path(os.path.realpath(folder)) for folder in (IMAGES, *order.folders)]
    for path in disk_paths(target)[len(order.disks) :]:
        real = Path(os.path.realpath(path))
        # a volume is a link to /dev/dm-N: its group is what its name says
        real = Path(os.path.normpath(path)) if path.startswith("/dev/") else real
        if not any(real.is_relative_to(folder) for folder in allowed):
            text = f"{site} would place a disk there: allow it with --folder {real.parent}, or name a --disk"
            raise ConfigError(Problem(None, path, text))
