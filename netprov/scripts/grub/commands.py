"""GRUB's commands as far as they matter for what is booted. A command that GRUB has not fails there, and here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from netprov.errors import Origin
from netprov.scripts.grub import names
from netprov.scripts.grub.condition import holds, number
from netprov.scripts.grub.loaders import LOADERS
from netprov.scripts.grub.machine import Done, Entry, Machine
from netprov.scripts.grub.pattern import groups
from netprov.scripts.grub.syntax import Statement
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Local, Refusal
from netprov.scripts.straight import NotStraight

Command = Callable[[Machine, list[str], Origin], bool]

_DISK = "hd0"  # what a search that finds something sets its variable to
_BLOCK_HEAD = "# GRUB Environment Block"
_SMBIOS = {4: "SYSVENDOR", 5: "SYSPRODUCT", 6: "SYSVERSION", 7: "SYSSERIAL", 25: "SYSSKU", 26: "SYSFAMILY"}
"""Offsets in the table of type 1 (SMBIOS §7.2)."""


def run(machine: Machine, words: list[str], origin: Origin, block: tuple[Statement, ...] | None) -> bool:
    """Whether the command `words` succeeds. Raises Done where the machine boots, stops or leaves GRUB by it."""
    name, arguments = words[0], words[1:]
    if name in ("menuentry", "submenu"):
        return _entry(machine, words, origin, block)
    if name in names.SUCCEED or name in names.FAIL:
        return name in names.SUCCEED
    if name in names.UNKNOWN:
        raise NotStraight(origin, f"{name} {names.UNKNOWN[name]}")
    command = COMMANDS.get(name) or LOADERS.get(name)
    if command is not None:
        return command(machine, arguments, origin)
    variable, equals, value = name.partition("=")
    if equals:  # NAME=VALUE is no command: GRUB takes it for an assignment as the last resort
        machine.set(variable, value, origin)
    else:
        machine.notes.add(f"{origin}: GRUB has no command {name}, and goes on")
    return True  # also where it is unknown: `if nonsense; then` is true


def _entry(machine: Machine, words: list[str], origin: Origin, block: tuple[Statement, ...] | None) -> bool:
    options, plain = _options(words[1:], {"class", "users", "hotkey", "id", "source"})
    if block is None or not plain:
        machine.notes.add(f"{origin}: {words[0]} without a title and a block is none")
        return False
    users = None if "unrestricted" in options else options.get("users", [""])[-1]
    ident = options.get("id", plain[:1])[-1]
    machine.menu.append(Entry(plain[0], ident, origin, block, tuple(plain), words[0] == "submenu", users))
    return True


def _options(words: list[str], valued: set[str]) -> tuple[dict[str, list[str]], list[str]]:
    """`--name value`, `--name=value` and `--flag`, and the words that are none."""
    found: dict[str, list[str]] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word[2:].partition("=")
        if word == "--":
            plain += rest
        elif not word.startswith("--"):
            plain.append(word)
        elif name in valued:
            found.setdefault(name, []).append(value if equals else next(rest, ""))
        else:
            found.setdefault(name, []).append(value)
    return found, plain


def _set(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    name, equals, value = (arguments or [""])[0].partition("=")
    if equals:
        machine.set(name, value, origin)
    return bool(equals) or not arguments


def _unset(machine: Machine, arguments: list[str], _origin: Origin) -> bool:
    for name in arguments:
        machine.environment.values.pop(name, None)
    return True


def _export(machine: Machine, arguments: list[str], _origin: Origin) -> bool:
    machine.environment.exported.update(arguments)
    return True


def _test(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    words = arguments[:-1] if arguments[-1:] == ["]"] else arguments

    def is_file(kind: str, name: str) -> bool:
        device, path = machine.device(name)
        if device.kind not in ("tftp", "http", "https"):
            return (bool(device.kind) or machine.ever_searched) and machine.ask_disk(origin)
        if kind == "-s":
            return bool(machine.text(name, origin))
        return kind in ("-d", "-e") and not path.strip("/")  # GRUB cannot list the network's folders: nothing is there

    return holds(words, is_file)


def _search(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    """Nobody knows here what is on the disk: it finds something only where that is tried."""
    options, plain = _options(_long(arguments), {"set", "hint", "hint-bios", "hint-efi"})
    machine.searched, machine.ever_searched = origin, True
    if origin in machine.found:
        name = options["set"][-1] or "root" if "set" in options else (plain[1] if len(plain) > 1 else "")
        if name:
            machine.set(name, _DISK, origin)
    return origin in machine.found


def _long(arguments: list[str]) -> list[str]:
    """-s NAME is --set=NAME; what else is short says only how to search."""
    return [word for word in arguments if not re.fullmatch(r"-[a-rt-z]+", word)]


def _source(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    text = machine.text(arguments[0], origin) if arguments else None
    if text is None:
        machine.notes.add(f"{origin}: {' '.join(arguments)} is not there, and GRUB goes on")
        return False
    machine.source(text, machine.place(arguments[0], origin))
    return True


def _regexp(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    options, plain = _options(arguments, {"set"})
    if len(plain) != 2:
        return False
    found = groups(plain[0], plain[1], origin)
    if found is None:
        return False
    for told in options.get("set", []):
        place, colon, name = told.rpartition(":")
        value = found[number(place) if colon else 1] if number(place or "1") < len(found) else None
        if value is None:
            machine.environment.values.pop(name, None)
        else:
            machine.set(name, value, origin)
    return True


def _load_env(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    long = ["--file" if word == "-f" else word for word in arguments]
    options, plain = _options(long, {"file"})
    file = options.get("file", [f"{machine.value('prefix')}/grubenv"])[-1]
    text = machine.text(file, origin) if machine.knows_files() else None
    if text is None or not text.startswith(_BLOCK_HEAD):
        return False
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#") and (not plain or name in plain):
            machine.set(name, value, origin)
    return True


def _smbios(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    found = dict(_pairs(arguments))
    if number(found.get("-t", found.get("--type", ""))) != 1:
        return False
    place = number(found.get("-s", found.get("--get-string", "")))
    value = machine.facts.dmi.get(_SMBIOS.get(place, ""), "")
    if number(found.get("-u", found.get("--get-uuid", ""))) == 8:
        value = machine.facts.uuid
    if value and "--set" in found:
        machine.set(found["--set"], value, origin)
    return bool(value)


def _pairs(arguments: list[str]) -> Iterator[tuple[str, str]]:
    rest = iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        yield name, value if equals else next(rest, "")


def _dhcp_option(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    """net_get_dhcp_option VARIABLE|- INTERFACE NUMBER string|number|hex."""
    if len(arguments) != 4:
        return False
    name, _, code, kind = arguments
    octets = machine.facts.options.get(number(code))
    if octets is None:
        return False
    by_kind = {
        "string": machine.facts.text(number(code)),
        "hex": octets.hex(":"),
        "number": str(int.from_bytes(octets)),
    }
    if name != "-":
        machine.set(name, by_kind.get(kind, ""), origin)
    return kind in by_kind


def _tr(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    short = {"-U": "--upcase", "-D": "--downcase"}
    options, plain = _options([short.get(word, word) for word in arguments], {"set"})
    if "upcase" in options or "downcase" in options:
        text = "".join(plain[:1])
        value = text.upper() if "upcase" in options else text.lower()
    elif len(plain) == 3 and len(plain[0]) == len(plain[1]):
        value = plain[2].translate(str.maketrans(plain[0], plain[1]))
    else:
        return False
    for name in options.get("set", []):
        machine.set(name, value, origin)
    return True


def _eval(machine: Machine, arguments: list[str], origin: Origin) -> bool:
    return machine.source(" ".join(arguments), str(origin))


def _leave(machine: Machine, arguments: list[str], again: bool) -> bool:
    return machine.leave(max(1, number((arguments or ["1"])[0])), again)


def _return(machine: Machine, arguments: list[str], _origin: Origin) -> bool:
    return machine.back(number(arguments[0]) == 0 if arguments else None)


def _shift(machine: Machine, arguments: list[str], _origin: Origin) -> bool:
    return machine.shift(number((arguments or ["1"])[0]))


def _setparams(machine: Machine, arguments: list[str], _origin: Origin) -> bool:
    machine.set_arguments(arguments)
    return True


def _exit(_machine: Machine, arguments: list[str], origin: Origin) -> bool:
    raise Done(Local(f"{origin}: {' '.join(['exit', *arguments])}"))


def _ends(name: str) -> Command:
    def command(_machine: Machine, _arguments: list[str], origin: Origin) -> bool:
        raise Done(Refusal(ScriptMessage.NO_KERNEL_NAMED.said(where=f"{origin}: {name}")))

    return command


COMMANDS: Mapping[str, Command] = {
    "set": _set, "unset": _unset, "export": _export, "test": _test, "[": _test, "source": _source, ".": _source,
    "regexp": _regexp, "load_env": _load_env, "smbios": _smbios, "net_get_dhcp_option": _dhcp_option, "tr": _tr,
    "eval": _eval, "return": _return, "shift": _shift, "setparams": _setparams, "exit": _exit,
    "break": lambda machine, arguments, origin: _leave(machine, arguments, False),
    "continue": lambda machine, arguments, origin: _leave(machine, arguments, True),
    **dict.fromkeys(names.SEARCHES, _search),
    **{name: _ends(name) for name in names.ENDS},
}  # fmt: skip
