"""What the journal is told of each request and how it ended."""

from __future__ import annotations

from dataclasses import replace

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.fact import (
    ACKNOWLEDGED,
    BLKSIZE,
    CODE,
    END,
    ERROR,
    SERVER,
    STRAY,
    UNTOLD,
    WINDOWSIZE,
    Detail,
    Pair,
)
from netprov.tftp.negotiate import described
from netprov.tftp.refusal import Refusal
from netprov.tftp.session import Question, Session
from netprov.tftp.sockets import SockAddr, peer_ip
from netprov.tftp.source import About
from netprov.tftp.transfer import State, Transfer


def printable(name: str) -> str:
    r"""A name without surrogate escapes: octets that are no text show as \xNN."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def endpoint(peer: SockAddr) -> str:
    ip = peer_ip(peer)
    return f"[{ip}]:{peer[1]}" if ip.version == 6 else f"{ip}:{peer[1]}"


def asked(at: float, question: Question, about: About) -> Event:
    name = printable(question.request.name)
    options = described(question.request)
    return _event(at, Kind.TFTP_REQUEST, Reason.TFTP_OK, f"asks for {name}", question, about, options)


def refused(at: float, question: Question, refusal: Refusal, about: About) -> Event:
    text = f"{printable(question.request.name)}: {refusal.cause}"
    detail = ((CODE, str(refusal.code)), *described(question.request))
    return _event(at, Kind.TFTP_REFUSE, refusal.reason, text, question, about, detail)


def going(at: float, session: Session, now: float) -> Event:
    """A transfer that goes on."""
    event = _event(at, Kind.PROGRESS, Reason.TFTP_OK, "", session.question, session.about, (), session.transfer)
    return replace(event, seconds=session.transfer.age(now))


def ended(at: float, session: Session) -> Event:
    """How a transfer that has ended did."""
    transfer, question = session.transfer, session.question
    kind, reason, text = _verdict(transfer, printable(question.request.name))
    detail: list[Pair] = [(BLKSIZE, str(transfer.terms.blksize)), (WINDOWSIZE, str(transfer.terms.windowsize))]
    if transfer.octets < transfer.size:
        detail.append((ACKNOWLEDGED, str(transfer.octets)))
    if transfer.peer_error is not None:
        detail.append((ERROR, f"{transfer.peer_error.code} {transfer.peer_error.text}"))
    if transfer.why:
        detail.append((END, transfer.why))
    if transfer.stray:
        detail.append((STRAY, str(transfer.stray)))
    return _event(at, kind, reason, text, question, session.about, tuple(detail), transfer)


def _verdict(transfer: Transfer, name: str) -> tuple[Kind, Reason, str]:
    if transfer.state is State.DONE:
        return Kind.TFTP_DONE, Reason.TFTP_OK, f"sent {name}, {transfer.size} octets in {transfer.seconds:.1f} s"
    part = f"{transfer.octets} of {transfer.size} octets"
    if transfer.state is State.ABORTED:
        error = transfer.peer_error
        said = transfer.why if error is None else f"said {error.text!r} (code {error.code})"
        if not transfer.started:
            return Kind.TFTP_ABORT, Reason.TFTP_ABORTED, f"{name}: the client {said} before the first block"
        return Kind.TFTP_FAIL, Reason.TFTP_CLIENT_ERROR, f"{name}: the client {said} after {part}"
    failure = transfer.failure
    if failure is not None and failure.code is not None:
        return Kind.TFTP_FAIL, Reason.TFTP_UNREADABLE, f"{name}: {failure.text}, after {part}"
    return Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, f"{name}: the client stopped answering after {part}"


def dropped(at: float, peer: SockAddr, reason: Reason, text: str, unseen: int) -> Event:
    """A packet that came to nothing; `unseen` more were not told."""
    return Event(
        at,
        Kind.TFTP_DROP,
        reason,
        text,
        ip=str(peer_ip(peer)),
        peer=endpoint(peer),
        detail=((UNTOLD, str(unseen)),) if unseen else (),
    )


def _event(
    at: float,
    kind: Kind,
    reason: Reason,
    text: str,
    question: Question,
    about: About,
    detail: Detail,
    transfer: Transfer | None = None,
) -> Event:
    server = ((SERVER, str(question.local)),) if question.local is not None else ()
    return Event(
        at,
        kind,
        reason,
        text,
        stage=about.stage,
        mac=about.mac,
        uuid=about.uuid,
        system=about.system,
        token=about.token,
        ip=str(question.ip),
        peer=endpoint(question.peer),
        name=printable(question.request.name),
        size=transfer.size if transfer else 0,
        seconds=transfer.seconds if transfer else 0.0,
        retransmits=transfer.retransmits if transfer else 0,
        trace=about.trace,
        detail=(*detail, *about.detail, *server),
    )


class Meter:
    """Lets `per_second` things through each second, and counts the rest."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._passed = 0
        self.held = 0  # since `taken`

    def passes(self, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._passed = int(now), 0
        if self._passed >= self._per_second:
            self.held += 1
            return False
        self._passed += 1
        return True

    def taken(self) -> int:
        """How many were held back since the last call."""
        held, self.held = self.held, 0
        return held
