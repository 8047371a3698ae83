"""Signatures from the kernel to the callback."""

from __future__ import annotations

from itertools import pairwise

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.verdicts.facts import Facts, fact, number
from netprov.journal.verdicts.verdict import Sign

KERNEL_QUIET = 120.0
"""Seconds from a kernel to the initrd: the loader has it at once, so this is one that went no further."""
INSTALLER_QUIET = 300.0
"""Seconds from the initrd to the installer's first question: large machines test their memory, slow ones unpack."""
AGAIN_SECONDS = 60.0
"""Between two fetches of the answers. Installers fetch them twice within seconds, to check and to use them."""


def kernel_never_starts(facts: Facts) -> Sign | None:
    """G9 for a kernel: fetched, and then nothing where an initrd was to follow."""
    kernels, promised = facts.fetched("kernel"), _promised(facts, "initrds")
    if not kernels or promised is None or facts.reached("initrd", "autoinstall", "callback"):
        return None
    last = kernels[-1]
    if facts.quiet(last.at) < KERNEL_QUIET:
        return None
    return Sign(last.at, {"kernel": last.name, "system": facts.system})


def kernel_has_no_network(facts: Facts) -> Sign | None:
    """G10, where the installer never asked for an address."""
    return _no_answers(facts, with_address=False)


def installer_cannot_fetch(facts: Facts) -> Sign | None:
    """G10, where it has an address."""
    return _no_answers(facts, with_address=True)


def _no_answers(facts: Facts, *, with_address: bool) -> Sign | None:
    script = _promised(facts, "answers")
    fetched = facts.fetched("kernel") + facts.fetched("initrd")
    wanted = script is not None and (facts.reached("initrd") or not fact(script, "initrds"))
    if script is None or not wanted or not facts.fetched("kernel") or facts.reached("autoinstall", "callback"):
        return None
    last = max(fetched, key=lambda event: event.at)
    address = next((e for e in facts.of(Kind.DHCP_ACK, Kind.DHCP_REQUEST) if _is_installers(facts, e, last)), None)
    latest = max([last, *([address] if address else [])], key=lambda event: event.at)
    if (address is not None) != with_address or facts.quiet(latest.at) < INSTALLER_QUIET:
        return None
    return Sign(
        latest.at,
        {
            "answers": fact(script, "answers"),
            "system": facts.system,
            "ip": address.ip if address is not None else "",
            "server": facts.server,
            "port": str(facts.context.http_port),
        },
    )


def _is_installers(facts: Facts, event: Event, last: Event) -> bool:
    return facts.asks(event) == "os" and event.at > last.at


def _promised(facts: Facts, what: str) -> Event | None:
    """The script that names an initrd ("initrds") or an installer's answers ("answers") to fetch."""
    scripts = facts.fetched("script")
    return next((event for event in reversed(scripts) if fact(event, what)), None)


def installs_again(facts: Facts) -> Sign | None:
    """G11: the answers are fetched a second time, or after the install has ended."""
    fetched = facts.fetched("autoinstall")
    done = next((e.at for e in facts.of(Kind.INSTALL) if e.reason is Reason.INSTALL_DONE and e.stage), None)
    late = [e for e in fetched if done is not None and e.at - e.seconds > done]
    again = [b for a, b in pairwise(fetched) if b.at - a.at >= AGAIN_SECONDS]
    if not late and not again:
        return None
    when = "after its install had ended" if late else f"{fetched[-1].at - fetched[0].at:.0f} s after the first time"
    return Sign((late or again)[-1].at, {"when": when, "system": facts.system, "count": str(len(fetched))})


def installer_starts_again(facts: Facts) -> Sign | None:
    """G11: the installer is started again, as it never reported its end."""
    started = [e for e in facts.of(Kind.INSTALL) if number(e, "attempt") > 1]
    if not started or any(e.reason is Reason.INSTALL_DONE for e in facts.of(Kind.INSTALL)):
        return None
    return Sign(started[-1].at, {"attempt": fact(started[-1], "attempt"), "system": facts.system})


def install_failed(facts: Facts) -> Sign | None:
    """The installer's own word, or attempts used up."""
    failed = [e for e in facts.of(Kind.INSTALL) if e.reason is Reason.INSTALL_FAILED and e.stage]
    return Sign(failed[-1].at, {"said": failed[-1].text, "system": facts.system}) if failed else None


def template_fails(facts: Facts) -> Sign | None:
    """A script or an installer's answers that cannot be rendered."""
    failed = [e for e in facts.of(Kind.TFTP_REFUSE, Kind.HTTP_FAIL, Kind.HTTP_REFUSE) if _is_template(e)]
    if not failed:
        return None
    last = failed[-1]
    if any(e.at > last.at and e.stage == last.stage for e in facts.fetched()):
        return None
    return Sign(last.at, {"why": last.text, "stage": last.stage or "script"})


def _is_template(event: Event) -> bool:
    return event.reason is Reason.TEMPLATE_ERROR
