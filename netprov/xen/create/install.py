"""Arming the install of a new domU, and following it to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from netprov.boot.install import InstallState
from netprov.errors import PeerError, Problem
from netprov.inventory.model import Target
from netprov.xen.create.host import Host
from netprov.xen.create.site import Site
from netprov.xen.create.step import Say

_EVERY = 1.0  # seconds between two looks
_ALIVE_EVERY = 5.0  # between two looks whether the domain is there
_GONE = 15.0  # seconds without it: a restart, for which xl makes another domain, takes less

Runs = Callable[[Host, str], bool]


class ArmInstall:
    def __init__(self, site: Site, system: Target) -> None:
        self._site = site
        self._system = system
        self._armed = False

    def shown(self) -> Iterator[str]:
        yield f"arm the install of {self._system.name} ({self._site})"

    def problems(self, host: Host) -> Iterator[Problem]:
        yield from ()

    def do(self, host: Host, say: Say) -> None:
        self._site.news(self._system)  # what was before is not of this install
        state = self._site.standing(self._system).state
        armed = self._site.arm(self._system)
        self._armed = state is None or not state.installs
        say(armed)

    def undo(self, host: Host) -> None:
        if self._armed:
            self._site.disarm(self._system)


class Follow:
    """Waits until the install is over. Raises PeerError where it failed, the domain is gone, or the time is up."""

    def __init__(self, site: Site, system: Target, domain: str, runs: Runs, timeout: float) -> None:
        self._site = site
        self._system = system
        self._domain = domain
        self._runs = runs
        self._timeout = timeout

    def shown(self) -> Iterator[str]:
        yield f"follow {self._system.name} until it is installed, {self._timeout / 60:.0f} minutes at the most"

    def problems(self, host: Host) -> Iterator[Problem]:
        yield from ()

    def do(self, host: Host, say: Say) -> None:
        began = looked = seen = time.monotonic()
        while True:
            standing = self._site.standing(self._system)
            for line in self._site.news(self._system):
                say(line)
            if standing.state is InstallState.INSTALLED:
                say(f"{self._system.name} is installed")
                return
            if standing.state is InstallState.FAILED:
                raise self._failed(standing.says)
            if standing.state is None or not standing.state.installs:
                raise self._failed("is no longer to be installed: somebody changed that meanwhile")
            now = time.monotonic()
            if now - looked >= _ALIVE_EVERY:
                looked = now
                if self._runs(host, self._domain):
                    seen = now
            if now - seen >= _GONE:
                raise self._failed("ended before its install was over: see /var/log/xen/")
            if now - began >= self._timeout:
                raise self._failed(f"is not installed after {self._timeout / 60:.0f} minutes (--timeout)")
            host.pause(_EVERY)

    def _failed(self, text: str) -> PeerError:
        why = "".join(f"\n  {line}" for line in self._site.verdicts(self._system))
        return PeerError(f"{self._system.name} {text}{why}")

    def undo(self, host: Host) -> None:
        """Nothing was made."""
