"""What stops a simulated machine, under the name that netprov's verdicts have for it."""

from __future__ import annotations

from netprov.errors import PeerError

UNHEARD = "G4"
"""The machine asked and heard nothing: its question did not arrive. Where the server saw it, the answer did not."""


class Stop(PeerError):
    """A real machine would come no further. `verdict`: the id of the catalogue's row; "" where it has none for it.

    The server may see more of it than the machine: its verdict, where it can be had, counts (see judged.py).
    """

    def __init__(self, text: str, verdict: str, code: int | None = None) -> None:
        super().__init__(text, code)
        self.verdict = verdict


BY_STAGE = {"loader": "G26", "script": "G26", "kernel": "G26", "initrd": "G26", "autoinstall": "G10", "callback": "G11"}
"""What the want of a stage's file amounts to: it is missing, the installer has no answers, or it installs again."""


def verdict_of(error: PeerError, stage: str) -> str:
    """The id for what ended `stage`; "" for what the catalogue does not know."""
    if isinstance(error, Stop) and error.verdict:
        return error.verdict
    return BY_STAGE.get(stage, "")
