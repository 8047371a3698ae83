"""Whether kernels, initrds and the user's templates can be read by who serves them, and are what they should be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from netprov.boot.arch import PCS, alike
from netprov.boot.reason import Reason
from netprov.check import images
from netprov.check.reader import Reader, acting_as, reader
from netprov.check.subject import Finding, Severity, Subject
from netprov.files.paths import PathError
from netprov.files.root import Root
from netprov.inventory.model import Inventory, Target


@dataclass(slots=True)
class Named:
    """A file under tftp.root, and who is served it as what."""

    targets: list[Target] = field(default_factory=list)
    kernel: bool = False

    @property
    def machines(self) -> tuple[str, ...]:
        systems = tuple(t.name for t in self.targets if t.kind == "system")
        return systems or tuple(t.name for t in self.targets)


def files(subject: Subject) -> Iterator[Finding]:
    """Every kernel and initrd, and the folders of templates."""
    inventory = subject.declared
    settings = inventory.settings
    who = reader(settings.server.user, subject.server)
    if not who.known:
        text = f"the server runs as {who.name}: whether that user can read the files, only root or they can tell"
        yield Finding("files-not-looked-at", Severity.NOTE, text)
    root = Root(settings.tftp.root)
    found: list[Finding] = []
    with acting_as(who):  # nothing is yielded from within: who takes it is not to act as another
        for name, named in served(inventory).items():
            found += _file(root, settings.tftp.root, name, named, who)
        for folder in filter(None, (settings.templates, settings.autoinstall)):
            found += _templates(folder, who)
    yield from found


def served(inventory: Inventory) -> Mapping[str, Named]:
    """The kernels and initrds that are served from here, by their names."""
    found: dict[str, Named] = {}
    for target in (*inventory.systems(), *inventory.profiles()):
        for number, name in enumerate((target.kernel, *target.initrd)):
            if name and "://" not in name:
                named = found.setdefault(name, Named())
                named.targets.append(target)
                named.kernel |= number == 0
    return found


def _file(root: Root, folder: Path, name: str, named: Named, who: Reader) -> Iterator[Finding]:
    where = f"{folder / name}"
    try:
        opened = root.open(name)
        try:
            head = os.pread(opened.fd, images.HEAD, 0)
        finally:
            os.close(opened.fd)
    except PathError as error:
        whom = f" (as {who.name})" if error.reason is Reason.TFTP_UNREADABLE else ""
        command = f"chmod a+r {quote(str(folder / name))}" if error.reason is Reason.TFTP_UNREADABLE else ""
        text = f"{where}: {error.text}{whom}"
        yield Finding(error.reason.label, Severity.ERROR, text, error.reason.advice, named.machines, command)
        return
    except OSError as error:
        advice = "the disk reports an error: see dmesg"
        yield Finding("file-unreadable", Severity.ERROR, f"{where}: {error.strerror}", advice, named.machines)
        return
    yield from _kernel(where, named, head, opened.identity.size) if named.kernel else _initrd(where, named, head)


def _kernel(where: str, named: Named, head: bytes, size: int) -> Iterator[Finding]:
    image = images.kernel(head, size)
    if image.fault:
        text, advice = f"{where} {image.fault}", "put the distribution's kernel there, whole"
        yield Finding("kernel-unfit", Severity.ERROR, text, advice, named.machines)
    foreign = [t for t in named.targets if image.arch and not _fits(image.arch, t.arch)]
    if foreign:
        text = f"{where} is for {image.arch}, and the distro says arch {foreign[0].arch}"
        machines = tuple(t.name for t in foreign if t.kind == "system") or tuple(t.name for t in foreign)
        advice = f"give the distro arch: {image.arch}, or the kernel for {foreign[0].arch}"
        yield Finding("kernel-arch", Severity.ERROR, text, advice, machines)


def _initrd(where: str, named: Named, head: bytes) -> Iterator[Finding]:
    fault = images.initrd(head)
    if fault:
        text, advice = f"{where} {fault}", "put the distribution's initrd there, whole"
        yield Finding("initrd-unfit", Severity.ERROR, text, advice, named.machines)
    elif not images.known_initrd(head):
        text = f"{where} is not an initrd that Linux can unpack: neither cpio nor compressed"
        yield Finding("initrd-unfit", Severity.WARNING, text, "for memdisk and wimboot it may be right", named.machines)


def _fits(kernel: str, declared: str) -> bool:
    """32-bit kernels run on 64-bit PCs, and a kernel of before Linux 3.8 does not say which it is."""
    return alike(kernel, declared) or (kernel == images.X86 and declared in PCS)


def _templates(folder: Path, who: Reader) -> Iterator[Finding]:
    for path in _unreadable(folder):
        text = f"{path} cannot be read by {who.name}: what is made from it is not served"
        command = f"chmod a+r{'x' if path.is_dir() else ''} {quote(str(path))}"
        yield Finding("template-unreadable", Severity.ERROR, text, machines=("*",), command=command)


def _unreadable(folder: Path) -> Iterable[Path]:
    found: list[Path] = []
    walked = os.walk(folder, onerror=lambda error: found.append(Path(str(error.filename))))
    for place, _folders, names in walked:
        paths = (Path(place, name) for name in names)
        found += [path for path in paths if not os.access(path, os.R_OK, effective_ids=True)]
    return found
