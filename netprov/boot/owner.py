"""Whose an installer's answers are: the install they belong to, its token, and the interface they are for."""

from __future__ import annotations

import hmac
from typing import Protocol

from netprov.boot.install import InstallRecord
from netprov.boot.state import InstallRecords
from netprov.errors import PeerError
from netprov.inventory.model import Inventory, Target
from netprov.mac import Mac, parse_mac

PREVIEW_TOKEN = "preview"
"""Stands where a machine that was never armed would get its token."""


class Tokens(InstallRecords, Protocol):
    """The install records, to be found by their tokens too."""

    def by_token(self, token: str) -> str | None: ...


def token_of(record: InstallRecord | None) -> str:
    """The token that the URLs of an install with this record carry."""
    return record.token if record is not None and record.token else PREVIEW_TOKEN


def install_of(token: str, installs: Tokens) -> tuple[str, InstallRecord] | None:
    """Whose newest install has this token, and its record; None: nobody's."""
    owner = installs.by_token(token)
    record = installs.get(owner) if owner is not None else None
    if owner is None or record is None or not hmac.compare_digest(record.token.encode(), token.encode()):
        return None
    return owner, record


def owner_of(target: Target, token: str, installs: Tokens, inventory: Inventory) -> str:
    """Whose install record counts for answers of `target` that were asked for with `token`; "" where nobody's does.

    Raises PeerError for a token that is not of an install of `target`.
    """
    system = target.name if target.kind == "system" else ""
    if not token:
        return system
    found = install_of(token, installs)
    if found is None:
        raise PeerError(f"this token does not belong to the newest install of {target.kind} {target.name}", 403)
    owner, _ = found
    if (system and owner != system) or (not system and inventory.system(owner) is not None):
        raise PeerError(f"this token belongs to another machine, not to {target.kind} {target.name}", 403)
    return owner


def answers_mac(target: Target, asked: Mac | None, owner: str) -> Mac | None:
    """The interface that the answers are for: the one that asks, where it is one of the target's; the record's, of a
    machine that has only a MAC."""
    if target.kind == "system":
        return asked if any(interface.mac == asked for interface in target.interfaces) else None
    try:
        return parse_mac(owner)
    except ValueError:
        return asked


def first_mac(target: Target) -> Mac | None:
    """The interface that a machine is taken to ask with, where nobody says."""
    return next((interface.mac for interface in target.interfaces if interface.mac is not None), None)
