"""The answer for a domU: what netprov-pxeboot, in dom0, is to fetch and hand to Xen. JSON, as nothing but it reads it.

    {"netprov": 1, "action": "kernel", "why": "…", "system": "lady", "args": "…",
     "kernel": {"url": "http://…", "size": 1, "sha256": "…"}, "initrds": [{"url": …}, …]}

"action" may be "local" (boot the domU's own disk) or "refuse" too, with "why" alone. "size" and "sha256" are left out
where they are not known: for files of other servers. A refusal because there is a menu to choose from has it:

    {…, "action": "refuse", "menu": [{"label": "web", "kernel": {…}, "initrds": […], "args": "…"}, …]}
"""

from __future__ import annotations

import json
from collections.abc import Callable

from netprov.boot.decision import Action, BootDecision, Kernel
from netprov.boot.request import BootRequest
from netprov.files.sums import Sum
from netprov.inventory.model import Target
from netprov.render.arguments import command_line
from netprov.render.context import Subject
from netprov.render.quoting import kernel_word
from netprov.render.server import Server

JSON = "application/json"
VERSION = 1


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
        said["why"] = (
            f"a domU cannot choose from a menu ({names}): declare {request.mac} as a system with a profile, "
            "or name one of them with --label"
        )
        said["menu"] = [_entry(target, server, request, decision, sum_of) for target in decision.menu]
    elif decision.action is Action.KERNEL and kernel is not None and target is not None:
        subject = Subject(target, server, request.mac, token, decision.subnet)
        said |= {"action": "kernel"} | _boot(kernel, subject, server, sum_of)
    return json.dumps(said).encode() + b"\n"


def _entry(
    target: Target, server: Server, request: BootRequest, decision: BootDecision, sum_of: SumOf
) -> dict[str, object]:
    kernel = Kernel(target.kernel, target.initrd, target.kernel_options, bool(target.autoinstall))
    subject = Subject(target, server, request.mac, "", decision.subnet)
    return {"label": target.name} | _boot(kernel, subject, server, sum_of)


def _boot(kernel: Kernel, subject: Subject, server: Server, sum_of: SumOf) -> dict[str, object]:
    words = command_line(subject.target, kernel.options, subject.facts(autoinstall=kernel.autoinstall))
    return {
        "kernel": _file(kernel.kernel, server, sum_of),
        "initrds": [_file(name, server, sum_of) for name in kernel.initrd],
        "args": " ".join(kernel_word(word) for word in words),
    }


def _file(name: str, server: Server, sum_of: SumOf) -> dict[str, object]:
    found: dict[str, object] = {"url": server.file_url(name)}
    known = sum_of(name) if "://" not in name else None
    if known is not None:
        found["size"] = known.size
        if known.sha256:
            found["sha256"] = known.sha256
    return found
