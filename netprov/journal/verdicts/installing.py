"""Signatures from the kernel to the callback."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import urlsplit

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ANSWERS, ATTEMPT, INITRDS, Fact
from netprov.journal.verdicts.facts import Facts
from netprov.journal.verdicts.verdict import Sign

KERNEL_QUIET = 120.0
"""Seconds from a kernel to the initrd: the loader has it at once, so this is one that went no further."""
INSTALLER_QUIET = 300.0
"""Seconds from the initrd to the installer's first question: large machines test their memory, slow ones unpack."""
AGAIN_SECONDS = 60.0
"""Between two fetches of the answers. Installers fetch them twice within seconds, to check and to use them."""


def kernel_never_starts(facts: Facts) -> Sign | None:
    """G9 for a kernel: fetched, and then nothing where an initrd was to follow."""
    kernels, promised = facts.fetched("kernel"), _promised(facts, INITRDS)
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
    script = _promised(facts, ANSWERS)
    fetched = facts.fetched("kernel") + facts.fetched("initrd")
    wanted = script is not None and (facts.reached("initrd") or not script.fact(INITRDS))
    if script is None or not wanted or not facts.fetched("kernel") or facts.reached("autoinstall", "callback"):
        return None
    if not _here(facts, script.fact(ANSWERS)):
        return None
    last = max(fetched, key=lambda event: event.at)
    shown = facts.of(Kind.DHCP_ACK, Kind.DHCP_REQUEST, Kind.SYSLOG_LINE)
    address = next((event for event in shown if _is_installers(facts, event, last)), None)
    offered = [event for event in facts.of(Kind.DHCP_OFFER) if _is_installers(facts, event, last)]
    latest = max([last, *offered, *([address] if address else [])], key=lambda event: event.at)
    if (address is not None) != with_address or facts.quiet(latest.at) < INSTALLER_QUIET:
        return None
    return Sign(
        latest.at,
        {
            "answers": script.fact(ANSWERS),
            "asked": "took no address that it was offered" if offered else "never asked for an address",
            "system": facts.system,
            "ip": address.ip if address is not None else "",
            "server": facts.server,
            "port": str(facts.context.http_port),
        },
    )


def _is_installers(facts: Facts, event: Event, last: Event) -> bool:
    return event.at > last.at and (event.kind is Kind.SYSLOG_LINE or facts.asks(event) == "os")


def _promised(facts: Facts, what: Fact) -> Event | None:
    """The script that names an initrd (INITRDS) or an installer's answers (ANSWERS) to fetch."""
    scripts = facts.fetched("script")
    return next((event for event in reversed(scripts) if event.fact(what)), None)


def _here(facts: Facts, answers: str) -> bool:
    """Whether answers are fetched from this server: what goes on at another is not heard of here."""
    return "://" not in answers or _url(answers)[0] in (facts.server, facts.context.address)


def _url(text: str) -> tuple[str, str]:
    """Its host and path; ("", "") where `text` is none."""
    try:
        parts = urlsplit(text)
        return parts.hostname or "", parts.path if parts.netloc else ""
    except ValueError:
        return "", ""


def answers_refused(facts: Facts) -> Sign | None:
    """G10, where the installer asks for its answers and does not get them: no such file, or another install's token."""
    script = _promised(facts, ANSWERS)
    file = _url(script.fact(ANSWERS))[1] if script is not None else ""

    def are_answers(event: Event) -> bool:
        return event.stage == "autoinstall" or bool(file and event.name == file)

    refused = [e for e in facts.of(Kind.HTTP_REFUSE) if are_answers(e) and not _is_template(e)]
    if not refused or any(map(are_answers, facts.fetched())):
        return None
    last = refused[-1]
    return Sign(last.at, {"name": last.name, "why": last.text, "system": facts.system})


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
    started = [e for e in facts.of(Kind.INSTALL) if e.number(ATTEMPT) > 1]
    if not started or any(e.reason is Reason.INSTALL_DONE for e in facts.of(Kind.INSTALL)):
        return None
    return Sign(started[-1].at, {"attempt": started[-1].fact(ATTEMPT), "system": facts.system})


def install_failed(facts: Facts) -> Sign | None:
    """The installer's own word, or attempts used up."""
    failed = [e for e in facts.of(Kind.INSTALL) if e.reason is Reason.INSTALL_FAILED and e.stage]
    return Sign(failed[-1].at, {"said": failed[-1].text, "system": facts.system}) if failed else None


def xen_refuses(facts: Facts) -> Sign | None:
    """dom0's own word that it cannot start the domU with what it was sent; a later boot of it may go well."""
    refused = [e for e in facts.events if e.reason is Reason.XEN_REFUSED]
    if not refused or any(e.reason is Reason.XEN_HANDED_OVER and e.at > refused[-1].at for e in facts.events):
        return None
    said = refused[-1].text.partition(": ")[2] or refused[-1].text
    return Sign(refused[-1].at, {"said": said, "system": facts.system})


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
