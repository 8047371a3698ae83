"""What a script makes its machine fetch next, as facts of its event: what is then missing tells where it stuck."""

from __future__ import annotations

from netprov.boot.decision import BootDecision


def promised(decision: BootDecision) -> tuple[tuple[str, str], ...]:
    """The number of initrds, and the installer's answers where an install is under way. Nothing for other scripts."""
    kernel = decision.kernel
    if kernel is None:
        return ()
    initrds = (("initrds", str(len(kernel.initrd))),) if kernel.initrd else ()
    target = decision.target
    answers = decision.installing and kernel.autoinstall and target is not None
    return (*initrds, *((("answers", target.autoinstall),) if answers and target is not None else ()))
