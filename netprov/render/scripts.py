"""Scripts: from a loader's question to its script. TFTP, HTTP and the command line all ask here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Protocol

from netprov.boot.decide import decide
from netprov.boot.install import Boot, Change, Fetched, InstallEvent, InstallRecord, InstallState
from netprov.boot.names import Name
from netprov.boot.owner import PREVIEW_TOKEN, answers_mac, owner_of, token_of
from netprov.boot.request import BootRequest
from netprov.boot.state import BootState
from netprov.errors import PeerError
from netprov.inventory.model import Inventory, Target
from netprov.journal.changes import Changed, change_installs
from netprov.mac import Mac
from netprov.render.compose import Rendered, answers_for, script_of
from netprov.render.context import Subject
from netprov.render.domu import SumOf, no_sum
from netprov.render.environment import Templates
from netprov.render.server import Server


class Sighting(Protocol):
    """Who was last seen at an address."""

    @property
    def mac(self) -> str: ...
    @property
    def uuid(self) -> str: ...
    @property
    def client_id(self) -> bytes: ...
    @property
    def serial(self) -> str: ...
    @property
    def circuit_id(self) -> bytes: ...
    @property
    def remote_id(self) -> bytes: ...
    @property
    def arch(self) -> int | None: ...


class Sightings(Protocol):
    def at(self, ip: IPv4Address) -> Sighting | None: ...


class Installs(Protocol):
    def get(self, system: str, /) -> InstallRecord | None: ...
    def by_token(self, token: str) -> str | None: ...
    def apply(self, owners: Mapping[str, Target], event: InstallEvent, now: float) -> tuple[Change, ...]: ...


class ScriptState(Protocol):
    """What of the state database a script depends on."""

    @property
    def sightings(self) -> Sightings: ...
    @property
    def installs(self) -> Installs: ...


class Scripts:
    """Decides and renders. Safe to use from several threads.

    With `preview` nothing is changed by it: for HEAD requests and for people who look. `sum_of` gives the checksum of
    a file that we serve, for those who check it.
    """

    def __init__(
        self,
        inventory_of: Callable[[], Inventory],
        state: ScriptState,
        clock: Callable[[], float] = time.time,
        sum_of: SumOf = no_sum,
    ) -> None:
        self._sum_of = sum_of
        self._inventory_of = inventory_of
        self._state = state
        self._clock = clock
        self._templates: tuple[Inventory, Templates] | None = None

    def script(self, request: BootRequest, name: Name, *, preview: bool = False) -> Rendered | None:
        """The script that the loader asked for as `name`; None where there is none of this name.

        Starting an install is written down once the script is made, so that a template's error costs no attempt.
        Raises ConfigError (TemplateError among them), and StateError where the state cannot be read or written.
        """
        inventory = self._inventory_of()
        asked = self._asked(request, name)
        templates = self._templates_of(inventory)
        decision = decide(asked, inventory, BootState(self._state.installs))
        if name.exact and (decision.target is None or decision.target.kind != "system"):
            return None
        if not decision.installing:
            return script_of(inventory, templates, asked, decision, "", self._sum_of)
        target, owner = decision.target, decision.record
        assert target is not None
        known = self._state.installs.get(owner)
        token = token_of(known)
        rendered = script_of(inventory, templates, asked, decision, token, self._sum_of)
        if preview or rendered is None:
            return rendered
        changed = self._change(owner, target, Boot(), rendered.stage, request)
        after = changed.record
        if after.state is InstallState.FAILED:
            decision = decide(asked, inventory, BootState(self._state.installs))
            rendered = script_of(inventory, templates, asked, decision, "", self._sum_of)
        elif after.token != token:
            rendered = script_of(inventory, templates, asked, decision, after.token, self._sum_of)
        return replace(rendered, told=changed.event) if rendered is not None else None

    def autoinstall(
        self, target_kind: str, name: str, request: BootRequest, token: str = "", *, preview: bool = False
    ) -> Rendered:
        """The installer's answers of the "system" or "profile" `name`.

        Only who has the install's token learns the callback's URL. Raises PeerError (404: no such target, or it has no
        answers; 403: the token is not this install's), ConfigError, StateError.
        """
        inventory = self._inventory_of()
        target = inventory.system(name) if target_kind == "system" else inventory.profile(name)
        if target is None:
            raise PeerError(f"there is no {target_kind} {name}", 404)
        shown = "" if preview and token == PREVIEW_TOKEN else token
        owner = owner_of(target, shown, self._state.installs, inventory)
        asked = self._asked(request, None)
        subnet = inventory.subnet_of(asked.ip) if asked.ip is not None else None
        mac = answers_mac(target, asked.mac, owner)
        subject = Subject(target, Server.of(inventory, request), mac, token, subnet)
        rendered = answers_for(subject, self._templates_of(inventory), owner)
        if preview or not token:
            return rendered
        return replace(rendered, told=self._change(owner, target, Fetched(token), rendered.stage, request).event)

    def _change(self, owner: str, target: Target, event: InstallEvent, stage: str, request: BootRequest) -> Changed:
        """What a request makes of the install; it is told where the request came from."""
        ip = str(request.ip or "")
        (changed,) = change_installs(self._state.installs, {owner: target}, event, self._clock(), stage=stage, ip=ip)
        return changed

    def _asked(self, request: BootRequest, name: Name | None) -> BootRequest:
        """`request`, with who asks as far as the name, the request itself and the address's last sighting tell.

        The name counts most. A sighting of another machine tells nothing.
        """
        if name is not None:
            request = replace(
                request,
                loader=name.loader,
                mac=name.mac or request.mac,
                uuid=name.uuid or request.uuid,
                ip=name.ip or request.ip,
            )
        seen = self._state.sightings.at(request.ip) if request.ip is not None else None
        if seen is None or _contradicts(request, seen):
            return request
        return replace(
            request,
            mac=request.mac or (Mac(seen.mac) if seen.mac else None),
            uuid=request.uuid or seen.uuid,
            client_id=request.client_id or seen.client_id,
            serial=request.serial or seen.serial,
            circuit_id=request.circuit_id or seen.circuit_id,
            remote_id=request.remote_id or seen.remote_id,
            arch=request.arch if request.arch is not None else seen.arch,
        )

    def _templates_of(self, inventory: Inventory) -> Templates:
        """The templates of this generation; compiled ones are kept until the next."""
        held = self._templates
        if held is None or held[0] is not inventory:
            held = (inventory, Templates.of(inventory))
            self._templates = held
        return held[1]


def _contradicts(request: BootRequest, seen: Sighting) -> bool:
    """Whether the machine last seen at the address is another one.

    The MAC settles it: there are boards, and virtual machines, that share one UUID (of zeros, often), and the two
    orders that a UUID is spelled in do not make two machines.
    """
    if request.mac and seen.mac:
        return request.mac != seen.mac
    return bool(request.uuid and seen.uuid and request.uuid != seen.uuid)
