"""What TFTP serves: scripts rendered when they are asked for, then the files of the served folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.boot.names import Name, parse_name
from netprov.boot.owner import PREVIEW_TOKEN
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Via
from netprov.errors import ConfigError
from netprov.files.paths import PathError
from netprov.inventory.model import TftpSettings
from netprov.journal.decided import event_of_decision
from netprov.journal.event import Event
from netprov.render.compose import Rendered
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.tftp.source import About, Address, Content, Kept

_SCRIPT_MAX = 1 << 20  # octets of a script file that the operator keeps in the folder


@dataclass(frozen=True, slots=True)
class TftpSource:
    """A Source (netprov.tftp.source) of one generation.

    `record` tells the journal.
    """

    generation: Generation
    scripts: Scripts
    record: Callable[[Event], None]

    @property
    def settings(self) -> TftpSettings:
        return self.generation.inventory.settings.tftp

    def rendered(
        self, name: str, peer: Address, server: Address | None, preview: bool = False
    ) -> Callable[[], Content] | None:
        parsed = parse_name(name)
        if parsed is None:
            return None
        request = BootRequest(
            Via.TFTP,
            parsed.loader,
            mac=parsed.mac,
            uuid=parsed.uuid,
            ip=parsed.ip or (peer if isinstance(peer, IPv4Address) else None),
            server=server if isinstance(server, IPv4Address) else None,
            path=name,
        )
        return lambda: self._script(request, parsed, preview)

    def _script(self, request: BootRequest, name: Name, preview: bool) -> Content:
        try:
            made = self.scripts.script(self.generation, request, name, preview=preview)
        except ConfigError as error:
            raise PathError(str(error).replace("\n", "; "), Reason.TEMPLATE_ERROR, "script") from None
        if made is not None:
            if made.told is not None:
                self.record(made.told)
            return Content(made.body, about(request, made))
        return self._file(request)

    def _file(self, request: BootRequest) -> Content:
        """A script that the operator keeps in the folder, for machines we have none for."""
        try:
            opened = self.generation.root.open(request.path)
        except PathError as missing:
            if missing.reason is not Reason.TFTP_NOT_FOUND:
                raise
            raise PathError("no script for this machine", Reason.NAME_NOT_OURS, "script") from None
        with os.fdopen(opened.fd, "rb") as file:
            return Content(file.read(_SCRIPT_MAX), About(stage="script", mac=request.mac or ""))

    def open(self, name: str) -> Kept:
        stage = self.generation.stages.stage_of(name)
        try:
            return Kept(self.generation.root.open(name), About(stage=stage))
        except PathError as missing:
            raise PathError(missing.text, missing.reason, stage) from None


def about(request: BootRequest, made: Rendered) -> About:
    """What a script's event says of the machine, and of why it got this script."""
    system, mac, uuid, trace, detail = event_of_decision(request, made.decision)
    secret = "" if made.token == PREVIEW_TOKEN else made.token  # that is one for all: it tells no machine
    return About(made.stage, system, mac, uuid, secret, trace, detail, rendered=True)
