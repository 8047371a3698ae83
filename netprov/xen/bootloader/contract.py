"""What xl, libvirt and xend say to a bootloader program.

Source: xl of Xen 4.17 as observed, libxl_bootloader.c, pygrub's and pypxeboot's options.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from netprov.errors import ConfigError, Problem
from netprov.mac import Mac
from netprov.xen.bootloader.messages import Message
from netprov.xen.xlconfig.vif import Vif, is_vif, parse_vif

DEFAULT_FOLDER = "/var/lib/xen"  # for xend and people: xl names a folder


class Format(StrEnum):
    """How the answer is written. xl wants simple0."""

    SIMPLE0 = "simple0"
    SIMPLE = "simple"
    SXP = "sxp"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the bootloader, as its arguments say it. `vif`: the interface that boots, as far as they tell."""

    output: str = "-"
    format: Format = Format.SXP  # as pygrub's: whoever names none is xend, or a person
    directory: str = DEFAULT_FOLDER
    kernel: str = ""
    ramdisk: str = ""
    args: str = ""
    runas: int = 0  # the user to read what servers sent as; 0: stay root
    quiet: bool = False
    verbose: bool = False
    vif: Vif = field(default_factory=Vif)
    disk: str = ""
    label: str | None = None
    interface: str = ""
    bridge: str = ""
    pygrub_image: str = ""
    config_dir: str = ""
    config: str = ""
    vif_number: int = 0
    timeout: float | None = None
    retries: int | None = None
    server: str = ""
    max_size: str = ""
    dry_run: bool = False
    json: bool = False
    is_config: bool = False
    help: bool = False
    notes: tuple[str, ...] = ()  # what was passed over

    @property
    def mac(self) -> Mac | None:
        return self.vif.mac


@dataclass(frozen=True, slots=True)
class Option:
    """`field` is that of Call; "" where the option is taken and ignored. `note`: what to tell whoever gives it."""

    name: str
    field: str = ""
    value: bool = True  # whether it has one
    help: str = ""
    note: str = ""


OPTIONS: tuple[Option, ...] = (
    Option("output", "output", help="The file for the answer; - is standard output. From xl."),
    Option("output-format", "format", help="simple0, simple or sxp. From xl."),
    Option("output-directory", "directory", help="The folder for the kernel and the ramdisk. From xl."),
    Option("kernel", "kernel", help="kernel= of the configuration. From xl."),
    Option("ramdisk", "ramdisk", help="ramdisk= of the configuration. From xl."),
    Option("args", "args", help="extra=, root= and cmdline= of the configuration: added to the kernel's command line."),
    Option("runas", "runas", help="The id of the user who reads what servers sent, and runs pygrub. From xl."),
    Option("quiet", "quiet", value=False, help="Say only what goes wrong."),
    Option("verbose", "verbose", value=False, help="Say every step."),
    Option("mac", "mac", help="The domU's MAC address; mac=ADDRESS, or all of vif[0], works as well."),
    Option("label", "label", help="The label or menu entry to boot, in place of the default."),
    Option("interface", "interface", help="The bridge or interface to ask on. Default: that of the vif, else xenbr0."),
    Option("bridge", "bridge", help="The same as --interface."),
    Option("pygrub-image", "pygrub_image", help="The disk to boot with pygrub. Default: the domU's first disk."),
    Option("config-dir", "config_dir", help="Where the scripts are on the server. Default: pxelinux.cfg."),
    Option("config", "config", help="The domU's configuration, to read the vif from."),
    Option("vif", "vif_number", help="Which entry of its vif= boots, counted from 0."),
    Option("timeout", "timeout", help="Seconds for all of it."),
    Option("retries", "retries", help="How often DHCP is asked again."),
    Option("server", "server", help="A boot server's address or URL: DHCP is then not asked for one."),
    Option("max-size", "max_size", help="The largest kernel or initrd that is allowed, like 1G."),
    Option("dry-run", "dry_run", value=False, help="Say what would boot; fetch no kernel, write no answer."),
    Option("json", "json", value=False, help="Say it as JSON."),
    Option("help", "help", value=False, help="This text."),
    Option("isconfig", "is_config", value=False, note="pypxeboot's --isconfig has no meaning"),
    Option("udhcpc", note="--udhcpc is not needed: netprov asks DHCP itself"),
    Option("entry", "label", help="As pygrub's: the same as --label."),
    Option("not-really", "dry_run", value=False, help="As pygrub's: the same as --dry-run."),
    Option("debug", "verbose", value=False, help="As pygrub's: the same as --verbose."),
    Option("interactive", value=False, note="there is no menu to show"),
    Option("offset", note="--offset is pygrub's, for a partition in a disk image"),
)
"""Every option that is known: xl's, pypxeboot's, pygrub's and netprov's own."""

_BY_NAME = {option.name: option for option in OPTIONS}
_SHORT = {"q": "quiet", "v": "verbose", "h": "help", "n": "not-really", "i": "interactive", "l": "not-really"}
_XLS_OWN = tuple(f"--{name}=" for name in ("kernel", "ramdisk", "args", "output", "output-directory"))
_NUMBERS = {"timeout": float, "retries": int, "vif_number": int, "runas": int}
_PAIR_BREAK = re.compile(r"^,|,$")


def parse_call(argv: Sequence[str]) -> Call:
    """The call that `argv` (without the program's name) makes. An option that nothing knows is noted, not refused: a
    newer xl may have it.

    The last word that is neither an option nor part of a vif is the first disk. Raises ConfigError for a value that
    cannot be: a MAC address, a number, a format.
    """
    return _Arguments([word for given in argv for word in _split(given)]).call()


def _split(word: str) -> list[str]:
    """libvirt's libxl driver passes all of <bootloader_args> as one word; xl passes each as it was written.

    So a word is several only where an option or a vif's piece stands behind a blank in it, and it is none of those in
    which xl hands over what the configuration says.
    """
    if " " not in word.strip() or word.startswith(_XLS_OWN) or (is_vif(word) and " --" not in word):
        return [word]
    try:
        parts = shlex.split(word)
    except ValueError:
        return [word]
    return parts if any(is_vif(part) or _is_option(part) for part in parts[1:]) else [word]


def _is_option(word: str) -> bool:
    return word.startswith("--") and word[2:].partition("=")[0] in _BY_NAME


class _Arguments:
    def __init__(self, argv: list[str]) -> None:
        self._argv = argv
        self._fields: dict[str, object] = {}
        self._notes: list[str] = []
        self._pieces: list[str] = []  # of a vif entry
        self._words: list[str] = []

    def call(self) -> Call:
        while self._argv:
            word = self._argv.pop(0)
            if word == "--":
                self._words += self._argv
                break
            if word.startswith("--"):
                self._long(word)
            elif re.fullmatch(r"-[a-z]+", word):
                for letter in word[1:]:
                    self._option(_SHORT.get(letter, letter), None, f"-{letter}")
            elif is_vif(word) or word == ",":
                self._pieces.append(word.strip())
            elif word:
                self._words.append(word)
        return self._made()

    def _long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        self._option(name, value if equals else None, f"--{name}")

    def _option(self, name: str, value: str | None, shown: str) -> None:
        option = _BY_NAME.get(name)
        if option is None:
            self._notes.append(f"{shown} is an option that netprov-pxeboot does not know: it is ignored")
            return
        if option.value and value is None:
            if not self._argv or self._argv[0].startswith("-"):
                raise _wrong(Message.NO_VALUE.said(option=shown))
            value = self._argv.pop(0)
        if option.note:
            self._notes.append(option.note)
        if option.field == "mac":
            self._pieces.append(f"mac={value}")
        elif option.field:
            self._fields[option.field] = self._value(option, value, shown)

    def _value(self, option: Option, value: str | None, shown: str) -> object:
        if not option.value:
            return True
        text = value or ""
        if option.field == "format":
            try:
                return Format(text)
            except ValueError:
                said = Message.BAD_FORMAT.said(option=shown, value=repr(text), formats=", ".join(Format))
                raise _wrong(said) from None
        convert = _NUMBERS.get(option.field)
        if convert is None:
            return text
        try:
            number = convert(text)
        except ValueError:
            number = -1
        if not 0 <= number < 1 << 31:
            raise _wrong(Message.BAD_NUMBER.said(option=shown, value=repr(text)))
        return number

    def _made(self) -> Call:
        joined = ",".join(_PAIR_BREAK.sub("", piece).strip() for piece in self._pieces)
        try:
            vif = parse_vif(joined)
        except ValueError as error:
            raise _wrong(Message.BAD_VIF_WORDS.said(why=error)) from None
        *others, disk = self._words or [""]
        if others:
            self._notes.append(f"{' '.join(others)}: is ignored")
        call = Call(vif=vif, disk=disk, notes=tuple(dict.fromkeys(self._notes)), **self._fields)  # type: ignore[arg-type]
        bridge = call.bridge or call.interface or vif.bridge
        return replace(call, bridge=bridge)


def _wrong(text: str) -> ConfigError:
    return ConfigError(Problem(None, "", text))
