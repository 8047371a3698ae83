"""GRUB's commands that load something: kernels, initrds, Xen, other loaders, and configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netprov.errors import Origin
from netprov.scripts.grub import names
from netprov.scripts.grub.machine import Done, Loaded, Machine
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Local, Refusal, refused
from netprov.scripts.straight import NotStraight

Command = Callable[[Machine, list[str], Origin], bool]


def _linux(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    if not arguments:
        return False
    args = " ".join(map(_kernel_word, arguments[1:]))
    machine.loaded = Loaded(origin, machine.place(arguments[0], origin), args)
    return True


def _initrd(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    wrapped = next((word for word in arguments if word.startswith("newc:")), "")
    if wrapped:
        raise NotStraight(origin, f"{wrapped} makes an archive of a file, which only a running GRUB does")
    found = tuple(machine.place(word, origin) for word in arguments if not word.startswith("--"))
    machine.loaded.initrds = found
    return bool(machine.loaded.kernel)


def _xen(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    files = [word for word in arguments if not word.startswith("--")]
    if not files:
        return False
    machine.loaded = Loaded(origin, xen=machine.place(files[0], origin))
    return True


def _module(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    words = [word for word in arguments if not word.startswith("--")]
    if words:
        machine.loaded.modules.append((machine.place(words[0], origin), " ".join(map(_kernel_word, words[1:]))))
    return bool(words)


def _chainloader(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    """A disk's boot sector, or a loader on it, is a local boot; a loader from the network no domU can run."""
    files = [word for word in arguments if not word.startswith("--")]
    if not files:
        return False
    device, path = machine.device(files[0])
    said = f"{origin}: chainloader {' '.join(arguments)}"
    if device.kind not in ("tftp", "http", "https") or path.startswith("+"):
        machine.loaded = Loaded(origin, other=Local(said))
    else:
        why = "starts another loader, which a domU cannot run"
        message = ScriptMessage.FOREIGN.said(where=origin, file=f"chainloader {files[0]}", why_a_domu_cannot_run_it=why)
        machine.loaded = Loaded(origin, other=refused(files[0], (), str(origin)) or Refusal(message, files[0]))
    return True


def _boot(machine: Machine, _arguments: list[str], origin: Origin) -> bool:
    if machine.has_loaded:
        raise Done(machine.boot(origin))
    machine.notes.add(f"{origin}: boot, and nothing is loaded")
    return False


def _other(name: str) -> Command:
    def command(machine: Machine, arguments: list[str], origin: Origin) -> bool:
        why = "starts another system, which a domU cannot run"
        file = " ".join([name, *arguments])
        message = ScriptMessage.FOREIGN.said(where=origin, file=file, why_a_domu_cannot_run_it=why)
        machine.loaded = Loaded(origin, other=Refusal(message))
        return True

    return command


def _loopback(_machine: Machine, _arguments: list[str], _origin: Origin) -> bool:
    return True  # a kernel within is then on a device that is none of the network's


def _kernel_word(word: str) -> str:
    """As GRUB writes it for the kernel: quotes and backslashes marked; in quotes where it has blanks (cmdline.c)."""
    marked = "".join(f"\\{char}" if char in "\\'\"" else char for char in word)
    return f'"{marked}"' if " " in word else marked


LOADERS: Mapping[str, Command] = {
    **dict.fromkeys(("linux", "linux16", "linuxefi"), _linux),
    **dict.fromkeys(("initrd", "initrd16", "initrdefi"), _initrd),
    **dict.fromkeys(("multiboot", "multiboot2", "xen_hypervisor"), _xen),
    **dict.fromkeys(("module", "module2", "xen_module"), _module),
    **{name: _other(name) for name in names.STARTS_OTHERS},
    "chainloader": _chainloader,
    "loopback": _loopback,
    "boot": _boot,
}
