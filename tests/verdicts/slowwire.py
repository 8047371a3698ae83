"""A cable that takes its time: `python slowwire.py TAP TAP SECONDS` hands every frame over SECONDS later.

The two are network interfaces that it makes; either may be moved to another namespace then. Unlike netem it needs
nothing of the kernel that not every kernel has.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h


def tap(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return descriptor


def carry(one: int, other: int, seconds: float) -> None:
    under_way: deque[tuple[float, int, bytes]] = deque()
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        for descriptor in select.select([one, other], [], [], wait)[0]:
            frame = os.read(descriptor, 70_000)
            under_way.append((time.monotonic() + seconds, other if descriptor == one else one, frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, descriptor, frame = under_way.popleft()
            try:
                os.write(descriptor, frame)
            except OSError:  # an interface that is down takes none
                continue


if __name__ == "__main__":
    carry(tap(sys.argv[1]), tap(sys.argv[2]), float(sys.argv[3]))
