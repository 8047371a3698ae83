"""What the events of every protocol say of the machine that asked, and of the decision about it."""

from __future__ import annotations

from netprov.boot.decision import BootDecision
from netprov.boot.request import BootRequest
from netprov.journal.fact import ACTION, ANSWERS, DECISION, INITRDS, LOADER, Detail

Decided = tuple[str, str, str, tuple[str, ...], Detail]
"""The fields of an Event that a decision fills: (system, mac, uuid, trace, detail). A plain tuple, made for every
packet: with names it takes 0.3 µs longer."""


def event_of_decision(request: BootRequest, decision: BootDecision) -> Decided:
    """The event's part that tells of `decision`: whose it is, each step to it, what is done and what settled that.

    What a script makes its machine fetch next stands there too: what is then missing tells where the machine stuck.
    """
    detail = (
        (ACTION, decision.action),
        (LOADER, request.loader),
        (DECISION, decision.reason.label),
        *(_promised(decision) if decision.kernel is not None else ()),
    )
    return decision.system, request.mac or "", request.uuid, tuple([step.text for step in decision.trace]), detail


def _promised(decision: BootDecision) -> Detail:
    """The number of initrds, and the installer's answers where an install is under way. Nothing for other scripts."""
    kernel = decision.kernel
    if kernel is None:
        return ()
    initrds = ((INITRDS, str(len(kernel.initrd))),) if kernel.initrd else ()
    target = decision.target
    answers = decision.installing and kernel.autoinstall and target is not None
    return (*initrds, *(((ANSWERS, target.autoinstall),) if answers and target is not None else ()))
