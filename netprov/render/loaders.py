"""What each boot loader wants: how it names files, and the template for each action."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename
from urllib.parse import urlsplit

from netprov.boot.decision import Action, Kernel
from netprov.boot.request import BootRequest, Loader, Via
from netprov.errors import ConfigError, Problem
from netprov.render.arguments import command_line
from netprov.render.context import Subject
from netprov.render.quoting import Kind, Unquotable, Words, quote

KINDS: Mapping[Loader, Kind] = {
    Loader.PXELINUX: Kind.PXELINUX,
    Loader.GRUB: Kind.GRUB,
    Loader.IPXE: Kind.IPXE,
}

TEMPLATES: Mapping[tuple[Kind, Action], str] = {
    (Kind.PXELINUX, Action.KERNEL): "pxelinux/kernel.cfg",
    (Kind.PXELINUX, Action.MENU): "pxelinux/menu.cfg",
    (Kind.PXELINUX, Action.LOCAL): "pxelinux/local.cfg",
    (Kind.GRUB, Action.KERNEL): "grub/kernel.cfg",
    (Kind.GRUB, Action.MENU): "grub/menu.cfg",
    (Kind.GRUB, Action.LOCAL): "grub/local.cfg",
    (Kind.GRUB, Action.IDENTIFY): "grub/identify.cfg",
    (Kind.IPXE, Action.KERNEL): "ipxe/kernel.ipxe",
    (Kind.IPXE, Action.MENU): "ipxe/menu.ipxe",
    (Kind.IPXE, Action.LOCAL): "ipxe/local.ipxe",
    (Kind.IPXE, Action.IDENTIFY): "ipxe/identify.ipxe",
}

_PXELINUX_PLAIN = re.compile(r"[^\s,]+")


@dataclass(frozen=True, slots=True)
class Boot:
    """A kernel to boot, named as one loader wants it."""

    kernel: str
    initrd: tuple[Mapping[str, str], ...]  # file: what to fetch; name: what it is called once it is there
    arguments: Words

    def values(self) -> dict[str, object]:
        return {"kernel": self.kernel, "initrd": self.initrd, "arguments": self.arguments}


def boot_of(kind: Kind, kernel: Kernel, subject: Subject, request: BootRequest) -> Boot:
    """`kernel` as the loader of `kind` is to be told. Raises ConfigError for what it cannot express."""
    words = command_line(subject.target, kernel.options, subject.facts(autoinstall=kernel.autoinstall))
    for word in words:
        _check(kind, word, kernel, subject)
    files = [("kernel", kernel.kernel), *(("initrd", name) for name in kernel.initrd)]
    match kind:
        case Kind.IPXE:
            first, *rest = (subject.server.file_url(name) for _, name in files)
            initrd = tuple({"file": url, "name": name} for url, name in zip(rest, _names(rest), strict=True))
            # Linux's EFI stub finds its initrds by these arguments (older kernels and iPXEs); others ignore them
            return Boot(first, initrd, Words([*words, *(f"initrd={one['name']}" for one in initrd)]))
        case Kind.GRUB:
            first, *rest = (_grub_path(name, request) for _, name in files)
        case _:
            first, *rest = (_pxelinux_name(field, name, subject) for field, name in files)
    return Boot(first, tuple({"file": name, "name": basename(name)} for name in rest), words)


def _check(kind: Kind, word: str, kernel: Kernel, subject: Subject) -> None:
    """Raises ConfigError for an argument that this loader, of all, cannot hand over."""
    try:
        quote(kind, Words([word]))
    except Unquotable as error:
        key = word.partition("=")[0]
        field = f"field kernel_options.{key}" if key in kernel.options else f"kernel argument {key}"
        origin = subject.target.origins.get("kernel_options", subject.target.origin)
        raise ConfigError(Problem(origin, f"{subject.where}, {field}", f"{error} (for {kind})")) from None


def _names(urls: Sequence[str]) -> list[str]:
    """A name for each, unlike the others, in characters that every loader takes."""
    plain = [re.sub(r"[^A-Za-z0-9._-]", "_", basename(urlsplit(url).path)) or "initrd" for url in urls]
    return [name if plain.count(name) == 1 else f"{number}-{name}" for number, name in enumerate(plain)]


def _grub_path(name: str, request: BootRequest) -> str:
    """A path on the device GRUB itself was loaded from, or on the server that a URL names."""
    if "://" in name:
        parts = urlsplit(name)
        return f"({parts.scheme},{parts.netloc}){parts.path}"
    prefix = "/files/" if request.via is Via.HTTP else "/"
    return prefix + name.lstrip("/")


def _pxelinux_name(field: str, name: str, subject: Subject) -> str:
    """A name relative to where PXELINUX itself was loaded from. Its configuration has no quotes."""
    plain = name if "://" in name else name.lstrip("/")
    if not _PXELINUX_PLAIN.fullmatch(plain):
        text = f"{name!r} has a space or comma in it, which PXELINUX cannot express: rename the file"
        origin = subject.target.origins.get(field, subject.target.origin)
        raise ConfigError(Problem(origin, f"{subject.where}, field {field}", text))
    return plain
