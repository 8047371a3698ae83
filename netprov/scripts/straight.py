"""What the readers of GRUB's and iPXE's scripts share: what they do is counted, what cannot be known refused."""

from __future__ import annotations

from netprov.errors import Origin, PeerError
from netprov.scripts.messages import ScriptMessage

LONGEST = 1 << 16  # octets of a value: one that doubles itself in a loop ends here
LARGEST = 1 << 20  # octets of all values
MOST_LINES = 100_000  # of one script, or its words
MOST_STEPS = 5_000  # a script that loops does not boot anything by itself
MOST_FILES = 32  # that one script asks for


class NotStraight(PeerError):
    """The script takes decisions that only a running loader can take. Names the file and the line."""

    def __init__(self, origin: Origin, text: str) -> None:
        super().__init__(ScriptMessage.NOT_STRAIGHT.said(script_line=origin, what_only_a_loader_knows=text))
        self.origin = origin


def without_initrd(args: str) -> str:
    """A command line without initrd=…, which names a file for UEFI's own loading of it."""
    return " ".join(word for word in args.split(" ") if not word.startswith("initrd="))
