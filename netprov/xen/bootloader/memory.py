"""How much of dom0's memory the reading of what servers sent may take."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netprov.errors import PeerError
from netprov.xen.bootloader.messages import Message

ALLOWED = 1 << 30  # octets; zstd takes 128 MiB for its window, xz and lzma are held to 256
_PAGE = resource.getpagesize()


@contextmanager
def bounded_memory(mapped: int) -> Iterator[None]:
    """Within, this process gets no more than ALLOWED octets beside what it has and a file of `mapped` octets in its
    address space. Raises PeerError where that is not enough: memory that another domU needs is never taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE + ALLOWED + mapped
    known = [limit for limit in (soft, hard, most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))
    try:
        yield
    except MemoryError:
        raise PeerError(Message.NO_MEMORY.said(most=ALLOWED >> 20)) from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))  # pygrub may come after
