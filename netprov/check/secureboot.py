"""What firmware with Secure Boot refuses. Whether a machine has it on cannot be told from here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from netprov.boot.arch import ARCHS, Arch
from netprov.boot.chain import dhcp_via, loader_chain
from netprov.boot.request import Via
from netprov.check.loaders import places
from netprov.check.signed import Signed, signed
from netprov.check.subject import Finding, Severity, Subject, shortened
from netprov.inventory.model import Target

_FIRMWARE = "Microsoft"  # firmware is sold with its certificates
_ADVICE = "let boot_loaders name grub, whose chain is signed; or switch Secure Boot off in their firmware"
_OTHER = (
    "a chain is of one distribution: put shim, GRUB and kernel of the same one in place (filename: names its shim), or "
    "switch Secure Boot off in their firmware"
)


def secure_boot(subject: Subject) -> Iterator[Finding]:
    """The chain of every system last seen with UEFI firmware: shim, GRUB, kernel."""
    via = dhcp_via(subject.declared)
    looked = _Looked(subject.declared.settings.tftp.root)
    found: dict[tuple[str, str], list[str]] = {}
    for target, row in _uefi(subject):
        fault = _fault(looked, row, target, via)
        if fault is not None:
            found.setdefault(fault, []).append(target.name)
    for (text, advice), names in found.items():
        said = f"with Secure Boot on, {text}: {shortened(names)} ({'has' if len(names) == 1 else 'have'} UEFI)"
        yield Finding("secure-boot", Severity.WARNING, said, advice, tuple(names))


def _uefi(subject: Subject) -> Iterator[tuple[Target, Arch]]:
    """The systems whose firmware said that it is UEFI, when it last asked."""
    done = set()
    for mac, system in subject.declared.macs():
        row = ARCHS.get(subject.archs.get(mac, -1))
        if row is not None and row.uefi and row.loaders and system.name not in done:
            done.add(system.name)
            yield system, row


class _Looked:
    """The files under tftp.root, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._signed: dict[str, Signed | None] = {}

    def at(self, name: str) -> Signed | None:
        """None for one that is not there, which is another check's to tell."""
        if name not in self._signed:
            self._signed[name] = self._look(name)
        return self._signed[name]

    def _look(self, name: str) -> Signed | None:
        for path in places(self._root, name):
            try:
                return signed(path.read_bytes())
            except OSError:
                continue
        return None


def _fault(looked: _Looked, row: Arch, target: Target, via: Via) -> tuple[str, str] | None:
    """The first link of the chain that is refused, in words, and what to do."""
    links = [
        link.name
        for link in loader_chain(row, target, None, via)
        if not link.optional and looked.at(link.name) is not None
    ]
    if not links or target.next_server is not None:
        return None
    first = looked.at(links[0])
    assert first is not None
    if not first.signers:
        return f"firmware refuses {links[0]}, which is not signed", _ADVICE
    if not any(_FIRMWARE in signer for signer in first.signers):
        who = shortened(sorted(first.signers), 2)
        return f"firmware refuses {links[0]}, signed by {who}, unless their certificate is enrolled in it", _ADVICE
    kernel = [target.kernel] if target.kernel and "://" not in target.kernel else []
    for name in (*links[1:], *kernel):
        link = looked.at(name)
        if link is None:
            continue
        if not link.signers:
            return f"{links[0]} refuses {name}, which is not signed", _OTHER
        if first.trusts and not first.trusts & link.signers:
            who, knows = shortened(sorted(link.signers), 2), shortened(sorted(first.trusts), 2)
            return f"{links[0]}, which knows {knows}, refuses {name}, signed by {who}", _OTHER
    return None
