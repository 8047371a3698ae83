"""What servers send is read with a bound on memory, which does not outlast the reading."""

from __future__ import annotations

import resource

import pytest

from netprov.errors import PeerError
from netprov.xen.bootloader.memory import ALLOWED, bounded_memory


def test_bounded_memory() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(PeerError, match="1024 MiB of dom0's memory"), bounded_memory(0):
        bytearray(ALLOWED + (64 << 20))
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with bounded_memory(1 << 30):
        assert len(bytearray(1 << 20)) == 1 << 20


def test_a_limit_of_the_callers_own_stays() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 40, hard))
    try:
        with bounded_memory(1 << 50):
            assert resource.getrlimit(resource.RLIMIT_AS)[0] == 1 << 40
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
