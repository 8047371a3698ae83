"""Checksums of the files we serve, taken once for each version of a file."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from threading import Lock

from netprov.http.ranges import Version
from netprov.render.domu import Sum
from netprov.tftp.paths import PathError
from netprov.web.services import Root

MOST = 512
"""Files whose sums are kept: a kernel and an initrd of each of some hundred distros."""

LARGEST = 1 << 30
"""Octets of a file that is summed up: a larger one would keep who asks waiting for seconds."""


class Sums:
    """Of the files beneath `root`. Safe to use from several threads."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._known: OrderedDict[str, tuple[Version, Sum]] = OrderedDict()
        self._lock = Lock()

    def of(self, name: str) -> Sum | None:
        """The sum of `name` as it is now; None where it cannot be read."""
        try:
            opened = self._root.open(name)
        except PathError:
            return None
        with os.fdopen(opened.fd, "rb", buffering=0) as file:
            version = Version(opened.size, opened.mtime_ns, opened.ino)
            with self._lock:
                known = self._known.get(name)
            if known is not None and known[0] == version:
                return known[1]
            try:
                taken = hashlib.file_digest(file, "sha256").hexdigest() if opened.size <= LARGEST else ""
            except OSError:
                return None
        found = Sum(opened.size, taken)
        with self._lock:
            self._known[name] = (version, found)
            self._known.move_to_end(name)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return found
