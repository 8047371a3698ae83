"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from .e2e.served import Served
from .verdicts.healthy import assert_verdicts

# a shared machine may take any time over one example: no test is about that
settings.register_profile("netprov", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("netprov")


@pytest.fixture(scope="module", autouse=True)
def no_false_verdicts() -> Iterator[None]:
    """Of every boot before a module's servers, once these have ended: it has the verdicts its test declares, or none.

    It is set up before any fixture of the module's own, and so comes after their end.
    """
    del Served.to_judge[:]
    yield
    for served in Served.to_judge:
        assert_verdicts(served.config, served.troubled)
