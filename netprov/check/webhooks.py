"""Webhooks that do not reach their receivers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from netprov.check.subject import Finding, Severity, Subject
from netprov.notify.receivers import receivers


def webhooks(subject: Subject) -> Iterator[Finding]:
    """Receivers that are declared and take nothing."""
    declared = {hook.name for hook in subject.declared.settings.server.webhooks}
    if not declared:
        return
    try:
        found = receivers(subject.place.spool)
    except sqlite3.Error as error:
        text = f"{subject.place.spool} cannot be read: {error}"
        yield Finding("webhook-spool", Severity.WARNING, text, "read it as root, or as the user netprov runs as")
        return
    for receiver in found:
        if receiver.failing and receiver.name in declared:
            advice = f"check that what answers at url: of server.webhooks.{receiver.name} runs, and accepts a POST"
            yield Finding("webhook-failing", Severity.WARNING, receiver.text(subject.now), advice)
