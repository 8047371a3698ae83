"""Scripts: from a loader's question to its script. TFTP, HTTP and the command line all ask here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address

from netprov.boot.decide import decide
from netprov.boot.decision import BootDecision
from netprov.boot.install import Boot, Fetched, InstallEvent, InstallState
from netprov.boot.names import Name
from netprov.boot.owner import PREVIEW_TOKEN, answers_mac, owner_of, token_of
from netprov.boot.request import BootRequest
from netprov.boot.state import BootState
from netprov.errors import PeerError
from netprov.files.root import Root
from netprov.files.sums import Sum
from netprov.inventory.model import Target
from netprov.journal.changes import Changed, Installs, change_installs
from netprov.mac import Mac
from netprov.render.compose import Rendered, answers_for, script_of
from netprov.render.context import Subject
from netprov.render.generation import Generation
from netprov.render.server import Server
from netprov.state.records import Sighting

SeenAt = Callable[[IPv4Address], Sighting | None]
"""Who was last seen at an address."""


def no_sums(root: Root, name: str) -> Sum | None:
    return None


class Scripts:
    """Decides and renders. Safe to use from several threads.

    With `preview` nothing is changed by it: for HEAD requests and for people who look. `sum_of` gives the checksum of
    a file beneath a root, for those who check it.
    """

    def __init__(
        self,
        installs: Installs,
        seen_at: SeenAt,
        clock: Callable[[], float] = time.time,
        sum_of: Callable[[Root, str], Sum | None] = no_sums,
    ) -> None:
        self._installs = installs
        self._seen_at = seen_at
        self._clock = clock
        self._sum_of = sum_of

    def script(
        self, generation: Generation, request: BootRequest, name: Name, *, preview: bool = False
    ) -> Rendered | None:
        """The script that the loader asked for as `name`; None where there is none of this name.

        Starting an install is written down once the script is made, so that a template's error costs no attempt.
        Raises ConfigError (TemplateError among them), and StateError where the state cannot be read or written.
        """
        asked = self._asked(request, name)
        decision = self._decided(generation, asked)
        if name.exact and (decision.target is None or decision.target.kind != "system"):
            return None
        if not decision.installing:
            return self._made(generation, asked, decision, "")
        target, owner = decision.target, decision.record
        assert target is not None
        token = token_of(self._installs.get(owner))
        rendered = self._made(generation, asked, decision, token)
        if preview or rendered is None:
            return rendered
        changed = self._change(owner, target, Boot(), rendered.stage, request)
        after = changed.record
        if after.state is InstallState.FAILED:
            rendered = self._made(generation, asked, self._decided(generation, asked), "")
        elif after.token != token:
            rendered = self._made(generation, asked, decision, after.token)
        return replace(rendered, told=changed.event) if rendered is not None else None

    def _decided(self, generation: Generation, asked: BootRequest) -> BootDecision:
        return decide(asked, generation.inventory, BootState(self._installs))

    def _made(self, generation: Generation, asked: BootRequest, decision: BootDecision, token: str) -> Rendered | None:
        sum_of = partial(self._sum_of, generation.root)
        return script_of(generation.inventory, generation.templates, asked, decision, token, sum_of)

    def autoinstall(
        self,
        generation: Generation,
        target_kind: str,
        name: str,
        request: BootRequest,
        token: str = "",
        *,
        preview: bool = False,
    ) -> Rendered:
        """The installer's answers of the "system" or "profile" `name`.

        Only who has the install's token learns the callback's URL. Raises PeerError (404: no such target, or it has no
        answers; 403: the token is not this install's), ConfigError, StateError.
        """
        target = generation.target(target_kind, name)
        if target is None:
            raise PeerError(f"there is no {target_kind} {name}", 404)
        shown = "" if preview and token == PREVIEW_TOKEN else token
        owner = owner_of(target, shown, self._installs, generation.inventory)
        asked = self._asked(request, None)
        subnet = generation.inventory.subnet_of(asked.ip) if asked.ip is not None else None
        mac = answers_mac(target, asked.mac, owner)
        subject = Subject(target, Server.of(generation.inventory, request), mac, token, subnet)
        rendered = answers_for(subject, generation.templates, owner)
        if preview or not token:
            return rendered
        return replace(rendered, told=self._change(owner, target, Fetched(token), rendered.stage, request).event)

    def _change(self, owner: str, target: Target, event: InstallEvent, stage: str, request: BootRequest) -> Changed:
        """What a request makes of the install; it is told where the request came from."""
        ip = str(request.ip or "")
        (changed,) = change_installs(self._installs, {owner: target}, event, self._clock(), stage=stage, ip=ip)
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
        seen = self._seen_at(request.ip) if request.ip is not None else None
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


def _contradicts(request: BootRequest, seen: Sighting) -> bool:
    """Whether the machine last seen at the address is another one.

    The MAC settles it: there are boards, and virtual machines, that share one UUID (of zeros, often), and the two
    orders that a UUID is spelled in do not make two machines.
    """
    if request.mac and seen.mac:
        return request.mac != seen.mac
    return bool(request.uuid and seen.uuid and request.uuid != seen.uuid)
