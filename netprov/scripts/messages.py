# ruff: noqa: E501 - a row of the table is a line
"""What the readers of scripts say of one that boots nothing here, and what to do about it.

docs/reference/pxeboot.md is made of it, and of the bootloader's own (netprov.xen.bootloader.messages).
"""

from __future__ import annotations

from enum import Enum

FIX_THE_SCRIPT = "Fix the script on the server at the line named."
_SCRIPT_OTHER = "Name another entry with `--label`, or give this domU a script of its own (`pxelinux.cfg/01-MAC`) that names a kernel."
_ANSWER = "The server is not a netprov server, or not of dom0's version: look with `curl` at the address, and install the same version on both."


class Worded(Enum):
    """A table of messages. Each: what is said, with the values in braces, and what to do."""

    def __init__(self, text: str, advice: str) -> None:
        self.text = text
        self.advice = advice

    def said(self, **values: object) -> str:
        """The sentence, with the values in it."""
        return self.text.format(**values)


class ScriptMessage(Worded):
    NO_IPXE = ("{script}: is not an iPXE script: a domU needs one that names its kernel, or a pxelinux.cfg", "The file is an iPXE image, or an error page: give the domU a script that begins with #!ipxe.")
    NOT_STRAIGHT = ("{script_line}: {what_only_a_loader_knows}", "The script asks what only a running loader knows, or a person. Give this domU one without: `pxelinux.cfg/01-MAC` with LINUX, INITRD and APPEND.")
    NO_LABEL = ("{script} has no label {label}; {known}", "Correct `--label`.")
    NO_MENU = ("{script}: offers this domU no menu to choose {label} from: netprov decides; leave out --label", "Leave `--label` out: what a declared system boots is its profile's.")
    NOT_IMPLICIT = ("{origin}: {word} is not a label, and IMPLICIT 0 allows nothing else", FIX_THE_SCRIPT)
    NO_DEFAULT = ("{script}: has neither UI nor DEFAULT, so that PXELINUX stops at its prompt", FIX_THE_SCRIPT)
    NOTHING_BOOTS = ("{script}: its menu has no label that boots", FIX_THE_SCRIPT)
    ANOTHER_MENU = ("{where}: only moves to another menu; name a label that boots", _SCRIPT_OTHER)
    NEEDS_BIOS = ("{where}: {what} needs a PC's BIOS, which a domU does not have: use LINUX with a kernel", _SCRIPT_OTHER)
    NO_KERNEL_NAMED = ("{where}: names no kernel", FIX_THE_SCRIPT)
    SHOWS_MENU = ("{where}: starts a menu that starts itself; name a label that boots", _SCRIPT_OTHER)
    LINUX_C32 = ("{where}: linux.c32 without a kernel", FIX_THE_SCRIPT)
    CHAIN_C32 = ("{where}: chain.c32 {file} starts another system's loader, which a domU cannot run", _SCRIPT_OTHER)
    MBOOT_OTHER = ("{where}: mboot.c32 starts {what}, not Xen with a Linux kernel", _SCRIPT_OTHER)
    MBOOT_ALONE = ("{where}: mboot.c32 starts Xen without a kernel: write xen.gz --- vmlinuz --- initrd", FIX_THE_SCRIPT)
    FOREIGN = ("{where}: {file} {why_a_domu_cannot_run_it}", _SCRIPT_OTHER)
    DISK_IMAGE = ("{where}: {file} is a disk image, not an initrd: a domU cannot boot from it", _SCRIPT_OTHER)
    SCRIPT_LIMIT = ("{script_line}: {limit_passed}", FIX_THE_SCRIPT)
    BAD_NAME = ("{file_name}: {why_it_is_none}", FIX_THE_SCRIPT)
    NO_GRUB_ENTRY = ("{script}: has no entry {entry}; {known}", "Correct `--label`: it is an entry's title, identifier or number.")
    GRUB_PROMPT = ("{where}: is not there, so that GRUB stops at its prompt", FIX_THE_SCRIPT)
    GRUB_LOGIN = ("{where}: asks for a user and a password, and nobody is at the keyboard", "Mark the entry `--unrestricted`, or name another one with `--label`.")
    WAITS = ("{where}: waits for somebody at the keyboard", _SCRIPT_OTHER)
    # netprov's answer
    NOT_NETPROVS = ("{place}: is not an answer of a netprov server", _ANSWER)
    NEWER_NETPROV = ("{place}: is not an answer of a netprov server that this netprov-pxeboot knows: update it", _ANSWER)
    ODD_ANSWER = ("{place}: {what_is_odd}", _ANSWER)
    REFUSED = ("the netprov server boots nothing on this machine", "Ask the server: `netprov explain MAC` says why, `netprov timeline MAC` what happened.")
