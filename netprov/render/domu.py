"""The answer for a domU: what netprov-pxeboot, in dom0, is to fetch and hand to Xen. JSON, as nothing but it reads it.

    {"netprov": 1, "action": "kernel", "why": "…", "system": "lady", "args": "…",
     "kernel": {"url": "http://…", "size": 1, "sha256": "…"}, "initrds": [{"url": …}, …]}

"action" may be "local" (boot the domU's own disk) or "refuse" too, with "why" alone. "size" and "sha256" are left out
where they are not known: for files of other servers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from netprov.boot.decision import Action, BootDecision
from netprov.boot.request import BootRequest
from netprov.render.arguments import command_line
from netprov.render.context import Subject
from netprov.render.quoting import kernel_word
from netprov.render.server import Server

JSON = "application/json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Sum:
    """Of a file: its octets, and their SHA-256 in hex ("" where nobody took it)."""

    size: int
    sha256: str = ""


SumOf = Callable[[str], Sum | None]
"""The sum of a file beneath tftp.root by its name; None where there is none."""


def no_sum(name: str) -> Sum | None:
    return None


def domu_answer(server: Server, request: BootRequest, decision: BootDecision, token: str, sum_of: SumOf) -> bytes:
    """What `decision` says, in JSON. Raises ConfigError for what a kernel command line cannot express."""
    target, kernel = decision.target, decision.kernel
    said: dict[str, object] = {"netprov": VERSION, "action": "refuse", "why": decision.trace[-1].text}
    if target is not None and target.kind == "system":
        said["system"] = target.name
    if decision.action is Action.LOCAL:
        said["action"] = "local"
    elif decision.action is Action.MENU:
        names = ", ".join(entry.name for entry in decision.menu)
        said["why"] = f"a domU cannot choose from a menu ({names}): declare {request.mac} as a system with a profile"
    elif decision.action is Action.KERNEL and kernel is not None and target is not None:
        subject = Subject(target, server, request.mac, token, decision.subnet)
        words = command_line(target, kernel.options, subject.facts(autoinstall=kernel.autoinstall))
        said["action"] = "kernel"
        said["kernel"] = _file(kernel.kernel, server, sum_of)
        said["initrds"] = [_file(name, server, sum_of) for name in kernel.initrd]
        said["args"] = " ".join(kernel_word(word) for word in words)
    return json.dumps(said).encode() + b"\n"


def _file(name: str, server: Server, sum_of: SumOf) -> dict[str, object]:
    found: dict[str, object] = {"url": server.file_url(name)}
    known = sum_of(name) if "://" not in name else None
    if known is not None:
        found["size"] = known.size
        if known.sha256:
            found["sha256"] = known.sha256
    return found
