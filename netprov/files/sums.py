"""Checksums of the files we serve, taken once for each version of a file."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from netprov.files.opened import Identity
from netprov.files.paths import PathError
from netprov.files.root import Root

MOST = 512
"""Files whose sums are kept: a kernel and an initrd of each of some hundred distros."""

LARGEST = 1 << 30
"""Octets of a file that is summed up: a larger one would keep who asks waiting for seconds."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Of a file: its octets, and their SHA-256 in hex ("" where nobody took it)."""

    size: int
    sha256: str = ""


class Sums:
    """Of files that are served, from whatever root. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Identity, Sum]] = OrderedDict()
        self._lock = Lock()

    def of(self, root: Root, name: str) -> Sum | None:
        """The sum of `name` beneath `root` as it is now; None where it cannot be read."""
        try:
            opened = root.open(name)
        except PathError:
            return None
        with os.fdopen(opened.fd, "rb", buffering=0) as file:
            with self._lock:
                known = self._known.get(name)
            if known is not None and known[0] == opened.identity:
                return known[1]
            size = opened.identity.size
            try:
                taken = hashlib.file_digest(file, "sha256").hexdigest() if size <= LARGEST else ""
            except OSError:
                return None
        found = Sum(size, taken)
        with self._lock:
            self._known[name] = (opened.identity, found)
            self._known.move_to_end(name)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return found
