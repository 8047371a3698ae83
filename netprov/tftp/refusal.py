"""Why a request gets no file: the ERROR for the client, the Reason for the journal."""

from __future__ import annotations

import errno

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.files.paths import PathError
from netprov.tftp.codec import Code

CODES = {
    Reason.TFTP_NOT_FOUND: Code.NOT_FOUND,
    Reason.TFTP_OUTSIDE: Code.ACCESS,
    Reason.TFTP_UNREADABLE: Code.ACCESS,
    Reason.NAME_NOT_OURS: Code.NOT_FOUND,
}
"""The wire's code for what a name led to."""

REASONS = {
    Code.NOT_FOUND: Reason.TFTP_NOT_FOUND,
    Code.ACCESS: Reason.TFTP_UNREADABLE,
    Code.ILLEGAL: Reason.TFTP_MALFORMED,
    Code.OPTION: Reason.TFTP_OPTION,
}
"""The reason that goes with a code where the error names none."""


class Refusal(PeerError):
    """A request that is answered with ERROR `code` and `text`; `cause` is for the operator's eyes only."""

    def __init__(self, text: str, code: int, reason: Reason, cause: str = "") -> None:
        super().__init__(text, code)
        self.code: int = code
        self.reason = reason
        self.cause = cause or text


def is_full(problem: Exception) -> bool:
    """Whether nothing is wrong with the request, and there are but no descriptors left for it."""
    if isinstance(problem, PathError):
        return problem.reason is Reason.TFTP_BUSY
    return isinstance(problem, OSError) and problem.errno in (errno.EMFILE, errno.ENFILE)


def refusal_of(problem: Exception) -> Refusal:
    """What the client is told about `problem`: of an error of ours only that there was one."""
    match problem:
        case Refusal():
            return problem
        case PathError():
            return Refusal(problem.text, CODES.get(problem.reason, Code.UNDEFINED), problem.reason)
        case PeerError():
            code = problem.code if problem.code in set(Code) else Code.UNDEFINED
            return Refusal(problem.text, code, REASONS.get(Code(code), Reason.TEMPLATE_ERROR))
        case _:
            cause = f"{type(problem).__name__}: {problem}"
            return Refusal("internal error", Code.UNDEFINED, Reason.TEMPLATE_ERROR, cause)
