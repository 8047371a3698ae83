"""Boot loaders by their files: what each is, and what it asks for by itself before its script.

Where a file comes from (which package, under which other names) is written in bootimages/loaders.yaml.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netprov.boot.chance import Asker, always_asked, asked_by
from netprov.boot.programs import Runs


@dataclass(frozen=True, slots=True)
class LoaderFile:
    """One row. What it asks for by itself, in order: `tries`, which it can go on without, then `then`, which it cannot.
    A name lies beside the loader; with a leading slash it is the whole of it.
    """

    name: str
    runs: Runs
    cpu: str  # as in boot.arch; PCs' BIOS loaders are for every PC
    tries: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """One file of a chain of loaders: a name our TFTP answers to, or a URL. `optional`: the loader that asks for it
    goes on without it."""

    name: str
    optional: bool = False


def _shim(name: str, cpu: str, end: str, *aliases: str) -> LoaderFile:
    return LoaderFile(name, Runs.SHIM, cpu, always_asked(Asker.SHIM), (f"grub{end}.efi",), aliases)


def _grub(name: str, cpu: str, folder: str, *aliases: str) -> LoaderFile:
    """Signed GRUB asks for its lists beneath its prefix."""
    lists = tuple(f"/grub/{folder}/{kind}" for kind in always_asked(Asker.GRUB))
    return LoaderFile(name, Runs.GRUB, cpu, lists, aliases=aliases)


_ROWS = (
    LoaderFile("pxelinux.0", Runs.PXELINUX, "x86_64", then=("ldlinux.c32",), aliases=("lpxelinux.0",)),
    LoaderFile("undionly.kpxe", Runs.IPXE, "x86_64", aliases=("undionly.kkpxe", "undionly.0", "ipxe.pxe", "ipxe.lkrn")),
    LoaderFile("ipxe.efi", Runs.IPXE, "x86_64", aliases=("snponly.efi", "ipxe-x86_64.efi", "ipxe-amd64.efi")),
    LoaderFile("ipxe-arm64.efi", Runs.IPXE, "aarch64"),
    _shim("shimx64.efi", "x86_64", "x64", "shim.efi", "bootx64.efi"),
    _shim("shimaa64.efi", "aarch64", "aa64", "bootaa64.efi"),
    _shim("shimia32.efi", "i386", "ia32", "bootia32.efi"),
    _grub("grubx64.efi", "x86_64", "x86_64-efi", "grubnetx64.efi", "grubnetx64.efi.signed"),
    _grub("grubaa64.efi", "aarch64", "arm64-efi", "grubnetaa64.efi"),
    _grub("grubia32.efi", "i386", "i386-efi", "grubnetia32.efi"),
    _grub("grubriscv64.efi", "riscv64", "riscv64-efi"),
)

LOADERS: Mapping[str, LoaderFile] = {name: row for row in _ROWS for name in (row.name, *row.aliases)}
"""Every loader that is known, by each of its names."""

PARTS = frozenset(name for row in _ROWS for name in row.then)
"""What loaders load beside themselves."""

_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "menu.c32": ("libutil.c32",),
    "vesamenu.c32": ("libcom32.c32", "libutil.c32"),
    "chain.c32": ("libcom32.c32", "libutil.c32"),
    "mboot.c32": ("libcom32.c32",),
    "linux.c32": ("libcom32.c32",),
}
"""SYSLINUX 6: the libraries a module wants; without them it ends with "Failed to load libcom32.c32"."""

_IPXE = ("ipxe", "undionly", "snponly", "gpxe")
"""What the names of iPXE's builds have in them, other sites' too."""


def base_of(file: str) -> str:
    """The file's own name in lower case, of a path (firmware writes backslashes too) or a URL."""
    return posixpath.basename(file.partition("?")[0].replace("\\", "/")).lower()


def loader_of(file: str) -> LoaderFile | None:
    """The row of the file named `file` (a path or URL); None for none that is known."""
    return LOADERS.get(base_of(file))


def keeps_asking(file: str) -> bool:
    """Whether a file of this name, once it runs, asks us for something by itself. Of a file that an operator chose
    (memtest) nobody knows that."""
    base = base_of(file)
    return base in LOADERS or base in PARTS or asked_by(Asker.SHIM, base)


def is_ipxe(file: str) -> bool:
    """Whether a file of this name is iPXE, as far as the name tells; its scripts are not."""
    base = base_of(file)
    return any(part in base for part in _IPXE) and not base.endswith(".ipxe")


def asks(file: str) -> Iterator[Link]:
    """What the loader in `file` asks for by itself, in order; nothing of one that is not known."""
    row = loader_of(file)
    if row is not None:
        yield from (Link(beside(file, name), optional=True) for name in row.tries)
        yield from (Link(beside(file, name)) for name in row.then)


def chain_of(file: str) -> tuple[Link, ...]:
    """The loader in `file`, and what it and each loader that it starts ask for, in order, up to the first script."""
    found = [Link(file)]
    for link in asks(file):
        found += [link] if link.optional else chain_of(link.name)
    return tuple(found)


def beside(file: str, name: str) -> str:
    """`name` in the folder of `file`; a name with a leading slash as it is."""
    folder, slash, _ = file.replace("\\", "/").rpartition("/")
    return name if name.startswith("/") else f"{folder}{slash}{name}"


def modules(*names: str) -> tuple[str, ...]:
    """The SYSLINUX modules among `names`, each with the libraries it wants, in the order they are fetched."""
    found: list[str] = []
    for name in names:
        if base_of(name).endswith(".c32"):
            found += [name, *(beside(name, library) for library in _LIBRARIES.get(base_of(name), ()))]
    return tuple(dict.fromkeys(found))
