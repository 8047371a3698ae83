"""SYSLINUX's programs (.c32) that start something else, by what they ask of the machine.

Source: the usage texts of com32/modules, and what they do with their arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from netprov.scripts.facts import MachineFacts
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Local, Refusal

Chooser = Callable[[list[str], MachineFacts], list[str] | None]
"""From its arguments to the words of the command to run, none for PXELINUX's default; None: it cannot be told here."""

_LOADERS = re.compile(r"(file|ntldr|bootmgr|cmldr|freedos|msdos|drmk|isolinux|grub|grldr)=")


def chain(arguments: list[str], where: str) -> Local | Refusal:
    """chain.c32 starts a disk's boot sector, which for a domU is pygrub's work; with a file, another system."""
    files = [word for word in arguments if _LOADERS.match(word)]
    if files:
        return Refusal(ScriptMessage.CHAIN_C32.said(where=where, file=files[0]))
    return Local(f"{where}: chain.c32 {' '.join(arguments)}".rstrip())


def _parts(words: list[str]) -> list[list[str]]:
    """What stands between the words `--`."""
    found: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            found.append([])
        else:
            found[-1].append(word)
    return found


def _ifcpu64(words: list[str], _facts: MachineFacts) -> list[str] | None:
    """64-BIT [-- 32-BIT WITH PAE] [-- 32-BIT]. Xen runs on no processor without long mode."""
    return _parts(words)[0]


def _ifcpu(words: list[str], facts: MachineFacts) -> list[str] | None:
    """FEATURE… -- HERE ALL OF THEM -- HERE NOT."""
    asked, *commands = _parts(words)
    known = {"64": True, "pae": True, "debug": True} | ({"hypervisor": True} if facts.platform == "xen" else {})
    features = [word for word in asked if word in ("64", "pae", "hypervisor", "hvm", "multicore", "smp")]
    if not commands or not all(word in known for word in features) or "dry-run" in asked:
        return None
    return commands[0]


def _without_memdisk(words: list[str], _facts: MachineFacts) -> list[str] | None:
    """HERE FOUND -- HERE NOT: no memdisk, and no Plop, has started PXELINUX."""
    parts = _parts([word for word in words if word == "--" or not word.startswith("--")])
    return parts[1] if len(parts) > 1 and parts[1] else None


def _whichsys(words: list[str], _facts: MachineFacts) -> list[str] | None:
    """-iso- COMMAND -pxe- COMMAND -sys- COMMAND."""
    if "-pxe-" not in words:
        return None
    rest = words[words.index("-pxe-") + 1 :]
    end = next((place for place, word in enumerate(rest) if word in ("-iso-", "-sys-")), len(rest))
    return rest[:end]


CHOOSERS: Mapping[str, Chooser] = {
    "cmd.c32": lambda words, facts: words,
    "ifcpu.c32": _ifcpu,
    "ifcpu64.c32": _ifcpu64,
    "ifmemdsk.c32": _without_memdisk,
    "ifplop.c32": _without_memdisk,
    "whichsys.c32": _whichsys,
}
