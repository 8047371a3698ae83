"""Which loader a machine is sent, and what follows it up to the first script: decide() asks here, and so does whoever
has to know it beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from netprov.boot.arch import Arch
from netprov.boot.loaders import Link, chain_of
from netprov.boot.request import Loader, Via
from netprov.inventory.model import DhcpMode, Inventory, Target, UnknownPolicy
from netprov.quick import quick


class By(Enum):
    """What chose."""

    FILENAME = "filename:"
    PREFERENCE = "boot_loaders:, or the policy for unknown machines"
    TABLE = "the first of the architecture's row that fits"
    IPXE_ALREADY = "the client is iPXE, and iPXE is wanted or nothing is"
    NONE_RUNS = "the client is iPXE, and of what is wanted nothing runs on it"
    NOTHING = "no loader is known for the architecture"


@quick
@dataclass(frozen=True, slots=True)
class Choice:
    """The loader's file; "" where none is sent: iPXE gets its script, what is not known boots its own disk."""

    by: By
    file: str = ""
    loader: Loader | None = None  # None for a file that only the operator knows


def choose(
    arch: Arch | None, target: Target | None, policy: UnknownPolicy | None, via: Via, client: Loader = Loader.FIRMWARE
) -> Choice:
    """The loader for firmware of `arch` (None: a number that nobody knows), or for iPXE on it (`client`).

    `target` is what the machine boots, `policy` that for machines without one: one of them is None.
    """
    if client is not Loader.IPXE and target is not None and target.filename:
        return Choice(By.FILENAME, target.filename)
    wanted = _wanted(target, policy)
    if client is Loader.IPXE and (not wanted or wanted[0] is Loader.IPXE):
        return Choice(By.IPXE_ALREADY)
    if arch is None or not arch.loaders:
        return Choice(By.NOTHING)
    for loader in wanted:
        if loader in arch.loaders:
            return Choice(By.PREFERENCE, arch.loaders[loader], loader)
    if client is Loader.IPXE:
        return Choice(By.NONE_RUNS)
    loader = _default(arch, via)
    return Choice(By.TABLE, arch.loaders[loader], loader)


def _wanted(target: Target | None, policy: UnknownPolicy | None) -> list[Loader]:
    if policy is UnknownPolicy.DISCOVER:
        return [Loader.IPXE]  # the only one that can tell a machine's serial number and maker
    return [Loader(name) for name in target.boot_loaders] if target is not None else []


def _default(arch: Arch, via: Via) -> Loader:
    """What starts where `boot_loaders` names none that runs.

    Beside another DHCP server UEFI gets iPXE: GRUB believes that server's siaddr in place of the ProxyDHCP offer, and
    asks for grub.cfg there (rhboot/grub2#82, #87; seen with Debian 12's). Not on ARM64: releases lack its iPXE.
    """
    if via is Via.PROXY and arch.uefi and arch.cpu == "x86_64" and Loader.IPXE in arch.loaders:
        return Loader.IPXE
    return next(iter(arch.loaders))


def loader_chain(arch: Arch | None, target: Target | None, policy: UnknownPolicy | None, via: Via) -> tuple[Link, ...]:
    """The files that a machine which is to boot gets from its firmware up to its first script, as decide() would have
    it: the loader, and what each asks for by itself. Empty where none is sent.

    Arguments as of `choose`. An install that is over and a boot loop are left out of account. A ROM that is iPXE gets
    none of other files, but for a target with `filename`, which is for firmware alone.
    """
    if policy is UnknownPolicy.IGNORE:
        return ()
    if target is not None and not target.kernel and not target.filename:
        return ()
    if target is not None and target.kernel and arch is not None and not arch.runs(target.arch):
        return ()
    file = choose(arch, target, policy, via).file
    return chain_of(file) if file else ()


@dataclass(frozen=True, slots=True)
class Party:
    """Who boots from us: a declared system, or machines that nothing matches (`policy`, or a subnet's profile).

    `next_server`: where its files by TFTP are, where that is not here.
    """

    target: Target | None
    policy: UnknownPolicy | None = None
    next_server: IPv4Address | None = None


def dhcp_via(inventory: Inventory) -> Via:
    """How our DHCP answers machines: with an address, or beside another server."""
    return Via.PROXY if inventory.settings.dhcp.mode is DhcpMode.PROXY else Via.DHCP


def parties(inventory: Inventory) -> Iterator[Party]:
    """Everybody whom this inventory has boot."""
    for target in inventory.systems():
        yield Party(target, next_server=target.next_server)
    if inventory.settings.dhcp.mode is DhcpMode.RESERVED:
        return
    policies: set[tuple[UnknownPolicy, IPv4Address | None]] = set()
    policies.add((inventory.settings.server.unknown, None))  # in networks that are not declared too
    for subnet in inventory.subnets:
        profile = inventory.profile(subnet.profile)
        if profile is not None:
            yield Party(profile, next_server=profile.next_server or subnet.next_server)
        else:
            policies.add((subnet.unknown or inventory.settings.server.unknown, subnet.next_server))
    yield from (Party(None, *told) for told in sorted(policies, key=str) if told[0] is not UnknownPolicy.IGNORE)


def menu_entries(inventory: Inventory, arch: Arch | None = None) -> tuple[Target, ...]:
    """The profiles that stand in the menu of unknown machines, in order; with `arch` those that such a one can run."""
    return tuple(p for p in inventory.profiles() if p.enable_menu and p.kernel and (arch is None or arch.runs(p.arch)))
