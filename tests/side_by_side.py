"""Which worker runs which test, where two run the end-to-end tests."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

GUESTS = (
    "tests/demo/test_demo.py", "tests/docs/test_docs.py::test_tutorial", "tests/e2e/test_boots.py",
    "tests/e2e/test_ipxe_early.py", "tests/e2e/test_lab.py", "tests/e2e/test_proxy.py", "tests/e2e/test_twenty.py",
    "tests/syslog/test_syslog_installer.py", "tests/web/test_web_boot.py", "tests/xen_e2e/test_domus.py",
)  # fmt: skip
"""What boots guests in QEMU: on an emulated processor they need all that there are."""


class Modules(LoadScopeScheduling):
    """A module's tests stay together: they share a server. What boots guests stays together too, one after the other.

    pytest-xdist's own way of saying so, loadgroup, does nothing with pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return "guests" if nodeid.startswith(GUESTS) else nodeid.partition("::")[0]
