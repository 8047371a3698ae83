"""From a decision, or a declared target, to the text that the machine reads. Pure but for the templates."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from netprov.boot.decision import Action, BootDecision, Kernel, Step
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader
from netprov.inventory.model import Inventory, Target
from netprov.journal.event import Event
from netprov.render.answers import answers_of
from netprov.render.context import Subject, values
from netprov.render.domu import JSON, SumOf, domu_answer, no_sum
from netprov.render.environment import Templates
from netprov.render.loaders import KINDS, TEMPLATES, boot_of
from netprov.render.menu import Entry, flat, menu_tree
from netprov.render.quoting import Kind
from netprov.render.server import Server

_PLAIN_TEXT = "text/plain; charset=utf-8"
_REMARK = re.compile(r"[^A-Za-z0-9 .,:;=/()_>-]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text made for one request.

    `told`: that the request changed the install, where it did, for the journal.
    """

    body: bytes
    content_type: str
    decision: BootDecision
    stage: str  # "script" or "autoinstall"
    template: str
    token: str = ""
    told: Event | None = None


def script_of(
    inventory: Inventory,
    templates: Templates,
    request: BootRequest,
    decision: BootDecision,
    token: str,
    sum_of: SumOf = no_sum,
) -> Rendered | None:
    """The script that does what `decision` says, for the loader that asks; None where there is nothing to do by script.

    Raises ConfigError (TemplateError among them).
    """
    if request.loader is Loader.XEN:
        answer = domu_answer(Server.of(inventory, request), request, decision, token, sum_of)
        return Rendered(answer, JSON, decision, "script", "", token)
    kind = KINDS[request.loader]
    template = TEMPLATES.get((kind, decision.action))
    if template is None:
        return None
    server = Server.of(inventory, request)
    who = str(request.mac or request.ip or "any machine")
    where = f"the {kind} script of {who}"
    seen: dict[str, object] = {
        "server": server.host,
        "http_server": server.authority,
        "server_url": server.url,
        "scripts_url": server.scripts_url,
        "mac_address": str(request.mac or ""),
        "title": who,
    }
    if decision.target is not None:
        subject = Subject(decision.target, server, request.mac, token, decision.subnet)
        where = subject.where
        seen = values(subject)
        if decision.kernel is not None:
            seen |= boot_of(kind, decision.kernel, subject, request).values()
    if decision.action is Action.MENU:
        tree = menu_tree(decision.menu, inventory.menus, _entry_maker(kind, server, request, decision))
        seen |= {"menu": tree, "menus": flat(tree)}
    body = templates.render(kind, template, {**seen, "reason": _remark(decision)}, where)
    return Rendered(body.encode(), _PLAIN_TEXT, decision, "script", template, token)


def answers_for(subject: Subject, templates: Templates, owner: str) -> Rendered:
    """The answers of the subject's installer; `owner` says whose install record counts.

    Raises PeerError(code=404) where it has none, TemplateError.
    """
    target = subject.target
    answers = answers_of(target)
    body = templates.answers(answers.kind, answers.template, values(subject), subject.where)
    step = Step(Reason.RENDERED, f"made from {answers.template}", target.origins.get("autoinstall", target.origin))
    decision = BootDecision(Action.KERNEL, (step,), target=target, record=owner)
    return Rendered(body, answers.content_type, decision, "autoinstall", answers.template, subject.token)


def kernel_of(target: Target) -> Kernel:
    """The target's kernel, its installer told where its answers are."""
    return Kernel(target.kernel, target.initrd, target.kernel_options, bool(target.autoinstall))


def _remark(decision: BootDecision) -> str:
    """Why, for a comment: it may hold what an installer reported, and must never keep a machine from booting."""
    return _REMARK.sub("?", " ".join(decision.trace[-1].text.replace("→", "->").split()))[:200].strip()


def _entry_maker(
    kind: Kind, server: Server, request: BootRequest, decision: BootDecision
) -> Callable[[Target, str], Entry]:
    def entry(target: Target, identifier: str) -> Entry:
        subject = Subject(target, server, request.mac, "", decision.subnet)
        boot = boot_of(kind, kernel_of(target), subject, request)
        return {"id": identifier, "title": target.name, **boot.values()}

    return entry
