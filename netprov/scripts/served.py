"""What a netprov server answers for a domU: JSON, from `xen/MAC`. Its writer is netprov.render.domu."""

from __future__ import annotations

import re

from netprov.errors import PeerError
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Boot, BootPlan, Local, Refusal, Sum

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_INITRDS = 64
_LISTED = 20  # labels named in an error


def plan(text: str, where: str, label: str | None = None) -> BootPlan:
    """What it says to boot; with `label`, the entry of that name of the menu that it offers.

    Raises PeerError where `text` is no such answer.
    """
    import json

    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise PeerError(ScriptMessage.NOT_NETPROVS.said(place=where)) from None
    if not isinstance(said, dict) or said.get("netprov") != 1:
        raise PeerError(ScriptMessage.NEWER_NETPROV.said(place=where))
    why = _text(said, "why", where)
    if label is not None:
        return _labelled(said, label, where)
    match said.get("action"):
        case "local":
            return Local(why)
        case "refuse":
            return Refusal(why or ScriptMessage.REFUSED.said())
        case "kernel":
            return _boot(said, where)
    raise _odd(where, "action is not one of kernel, local, refuse")


def _labelled(said: dict[str, object], label: str, where: str) -> BootPlan:
    menu = said.get("menu", [])
    if not isinstance(menu, list) or not all(isinstance(entry, dict) for entry in menu):
        raise _odd(where, "menu is not a valid list")
    if not menu:
        return Refusal(ScriptMessage.NO_MENU.said(script=where, label=label))
    labels = [_text(entry, "label", where) for entry in menu]
    if label not in labels:
        known = f"its labels are {', '.join(labels[:_LISTED])}"
        return Refusal(ScriptMessage.NO_LABEL.said(script=where, label=label, known=known))
    return _boot(menu[labels.index(label)], where)


def _boot(said: dict[str, object], where: str) -> Boot:
    listed = said.get("initrds", [])
    if not isinstance(listed, list) or len(listed) > _MOST_INITRDS:
        raise _odd(where, "initrds is not a valid list")
    sums: dict[str, Sum] = {}
    kernel, *initrds = [_file(one, sums, where) for one in (said.get("kernel"), *listed)]
    return Boot(kernel, tuple(initrds), _text(said, "args", where), sums)


def _file(said: object, sums: dict[str, Sum], where: str) -> str:
    """The file's URL; what is told of it goes into `sums`."""
    if not isinstance(said, dict) or not isinstance(said.get("url"), str) or "://" not in said["url"]:
        raise _odd(where, "a file has no URL")
    size, sha256 = said.get("size"), said.get("sha256", "")
    if size is not None and (type(size) is not int or size < 0):
        raise _odd(where, "size is not a number of octets")
    if sha256 != "" and (not isinstance(sha256, str) or not _SHA256.fullmatch(sha256)):
        raise _odd(where, "sha256 is not a checksum")
    url: str = said["url"]
    sums[url] = Sum(size, sha256)
    return url


def _text(said: dict[str, object], key: str, where: str) -> str:
    value = said.get(key, "")
    if not isinstance(value, str) or any(char < " " for char in value):
        raise _odd(where, f"{key} is not a line of text")
    return value


def _odd(where: str, what: str) -> PeerError:
    return PeerError(ScriptMessage.ODD_ANSWER.said(place=where, what_is_odd=what))
