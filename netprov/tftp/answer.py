"""From a datagram to a transfer: read the request, find what it names, agree on the terms. No socket."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from netprov.boot.names import CHECK, PREVIEW
from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.tftp import netascii
from netprov.tftp.body import Body, FileBody, MemoryBody, NetasciiBody
from netprov.tftp.codec import Ack, Code, Data, Mode, Request, decode
from netprov.tftp.frames import FrameCache, Frames
from netprov.tftp.negotiate import limits_for, negotiate
from netprov.tftp.refusal import Refusal
from netprov.tftp.session import Question
from netprov.tftp.source import About, Kept, Source
from netprov.tftp.transfer import Transfer

_CHECKED = ("loader", "loader-file")  # what CHECK is heeded for: whatever else is fetched, the journal tells


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for, ready to be sent."""

    body: Body
    about: About


class Stranger(PeerError):
    """A packet that belongs to no transfer. `code` None: it is not answered."""

    def __init__(self, text: str, code: int | None, reason: Reason) -> None:
        super().__init__(text, code)
        self.reason = reason


def is_request(datagram: bytes) -> bool:
    """Whether its opcode is RRQ or WRQ."""
    return datagram[:1] == b"\0" and datagram[1:2] in (b"\1", b"\2")


def read_request(datagram: bytes) -> Request:
    """The read request in `datagram`. Raises Stranger, with what to answer if anything, for all else."""
    try:
        packet = decode(datagram)
    except PeerError as problem:
        # only what meant to be a request is answered: an answer to any garbage could be made to run in circles
        code = problem.code if is_request(datagram) else None
        raise Stranger(problem.text, code, Reason.TFTP_MALFORMED) from None
    match packet:
        case Request(write=True):
            raise Stranger(f"the server is read-only: {packet.name}", Code.ACCESS, Reason.TFTP_WRITE)
        case Request():
            return packet
        case Data() | Ack():
            raise Stranger("unknown transfer ID", Code.UNKNOWN_TID, Reason.TFTP_WRONG_TID)
        case _:
            raise Stranger("a packet that no transfer waits for", None, Reason.TFTP_WRONG_TID)


def find(source: Source, question: Question) -> Found | Callable[[], Found]:
    """What is asked for, or how to make it where that may take a while.

    Raises PeerError (PathError) where there is nothing; what else the source raises goes on to the caller.
    """
    request = question.request
    preview = any(name.lower() == PREVIEW for name, _ in request.options)
    render = source.rendered(request.name, question.ip, question.local, preview)
    if render is not None:

        def rendered() -> Found:
            content = render()
            data = netascii.encoded(content.data) if request.mode is Mode.NETASCII else content.data
            return Found(MemoryBody(data), content.about)

        return rendered
    kept = source.open(request.name)
    if kept.about.stage in _CHECKED and any(name.lower() == CHECK for name, _ in request.options):
        kept = replace(kept, about=replace(kept.about, quiet=True))
    if request.mode is Mode.NETASCII:
        return lambda: _converted(kept)
    return Found(FileBody(kept.file.fd, kept.file.identity), kept.about)


def _converted(kept: Kept) -> Found:
    try:
        return Found(NetasciiBody(kept.file.fd, kept.file.identity), kept.about)
    except BaseException:  # whatever ends it: the descriptor is nobody else's
        os.close(kept.file.fd)
        raise


def agree(question: Question, found: Found, cache: FrameCache, opening_tries: int) -> Transfer:
    """The transfer that answers `question`. Raises Refusal (code 8), and then `found` is closed."""
    settings = question.settings
    limits = limits_for(question.mtu, question.ip.version, settings.blksize, settings.windowsize)
    try:
        terms = negotiate(question.request, found.body.size, limits)
    except PeerError as problem:
        found.body.close()
        raise Refusal(problem.text, Code.OPTION, Reason.TFTP_OPTION) from None
    return Transfer(Frames(found.body, terms.blksize, cache), terms, opening_tries)
