"""netprov-pxeboot: what xl runs in dom0 to boot a domU from the network (bootloader = "netprov-pxeboot")."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from netprov.boot.domu import dhcp_options
from netprov.boot.loaders import is_ipxe
from netprov.boot.programs import IPXE_CLASS
from netprov.errors import ConfigError, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.plan import Local
from netprov.xen.bootloader.answer import Answer, encode_answer, handover, opened, write_answer
from netprov.xen.bootloader.console import NAME, Console
from netprov.xen.bootloader.contract import OPTIONS, Call, parse_call
from netprov.xen.bootloader.fetcher import Fetcher
from netprov.xen.bootloader.find import BootServer
from netprov.xen.bootloader.guest import Guest, identify
from netprov.xen.bootloader.messages import Message
from netprov.xen.bootloader.obtain import IMPORTS, Obtained, Wanted, look, obtain

if TYPE_CHECKING:
    from netprov.dhcp.client import Ask, Bound

_MAX_SIZE = 1 << 30  # octets of a kernel or an initrd
_TIMEOUT = 600.0  # seconds for all of it
_BRIDGE = "xenbr0"
_PYGRUB = ("pygrub", "/usr/lib/xen-*/bin/pygrub", "/usr/libexec/xen/bin/pygrub", "/usr/lib/xen/bin/pygrub")


class _Stopped(BaseException):
    """A signal: xl destroy (TERM), the death of xl (HUP), the time that is up (ALRM)."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 with one line that says what went wrong and what to do."""
    console = Console()
    try:
        call = parse_call(sys.argv[1:] if argv is None else argv)
        if call.help:
            print(_usage())
            return 0
        console = Console(call.quiet, call.verbose)
        with _stoppable(call.timeout if call.timeout is not None else _TIMEOUT):
            _boot(call, console)
    except (ConfigError, PeerError) as error:
        console.fail(str(error))
        return 1
    except OSError as error:
        console.fail(f"{error.filename or NAME}: {error.strerror or error}")
        return 1
    except _Stopped as stop:
        console.fail(str(stop))
        return 1
    return 0


def _usage() -> str:
    rows = [f"  --{option.name + ('=…' if option.value else ''):22} {option.help}" for option in OPTIONS if option.help]
    return "\n".join((f"usage: {NAME} [option…] mac=ADDRESS|vif [disk]", *rows))


@contextmanager
def _stoppable(seconds: float) -> Iterator[None]:
    reasons = {
        signal.SIGTERM: Message.STOPPED.said(why="the domain was destroyed"),
        signal.SIGHUP: Message.STOPPED.said(why="xl is gone"),
        signal.SIGINT: Message.STOPPED.said(why="interrupted"),
        signal.SIGALRM: Message.TIME_UP.said(seconds=f"{seconds:.0f}"),
    }

    def stop(number: int, _frame: FrameType | None) -> None:
        for again in reasons:  # what is cleaned up now must not be cut short
            signal.signal(again, signal.SIG_IGN)
        raise _Stopped(reasons[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in reasons}
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _boot(call: Call, console: Console) -> None:
    for note in call.notes:
        console.say(note)
    guest = identify(call)
    limit = _size(call.max_size)
    if call.server:
        facts = MachineFacts(mac=guest.mac, uuid=guest.uuid, server=_address(call.server))
        local = _hand_over(call, console, guest, facts, BootServer(_url_or_nothing(call.server)), limit)
    else:
        local = _as_domu(call, console, guest, limit)
    if local is not None and call.dry_run:
        _tell(call, (("local", local.said),))
    elif local is not None:
        console.say(f"dropping to pygrub for local boot ({local.said})")
        _pygrub(call, local.said)


def _as_domu(call: Call, console: Console, guest: Guest, limit: int) -> Local | None:
    from netprov.dhcp.client import Ask
    from netprov.xen.bootloader.domunet import as_domu, take_address

    console.say(f"requesting info for MAC address {guest.mac}")
    options = dict(dhcp_options(guest.mac, guest.uuid))
    bridge = guest.bridge or _BRIDGE
    with as_domu(guest.mac, bridge) as interface:
        bound = _asked(interface, bridge, Ask(guest.mac, options), call.retries or 0)
        if is_ipxe(bound.boot_file):  # which would ask again, as itself
            again = _asked(interface, bridge, Ask(guest.mac, options | {77: IPXE_CLASS}), call.retries or 0)
            bound = again if again.boot_file else bound
        mask = bound.ack.address(1) or IPv4Address("255.255.255.255")
        router = bound.ack.address(3)
        take_address(interface, _leased(bound.ip, mask), router)
        if bound.boot is None:
            raise PeerError(Message.NO_BOOT_FILE.said(mac=guest.mac, ip=bound.ip))
        said = bound.boot.options
        facts = MachineFacts(
            guest.mac, bound.ip, bound.next_server, router, mask, guest.uuid, boot_file=bound.boot_file,
            options={**said, **bound.ack.options},
        )  # fmt: skip
        server = BootServer(bound.boot_file, _text(said.get(209)), _text(said.get(210)))
        server_said = bound.next_server or server.boot_file
        console.say(f"getting cfg for IP {bound.ip} ({int(bound.ip):08X}) from server {server_said}")
        return _hand_over(call, console, guest, facts, server, limit)


def _asked(interface: str, bridge: str, who: Ask, retries: int) -> Bound:
    from netprov.dhcp.ask import ask

    failure = ""
    for _ in range(retries + 1):
        try:
            return ask(interface, who)
        except PeerError as error:
            failure = str(error)
    raise PeerError(Message.NO_LEASE.said(mac=who.mac, bridge=bridge, why=failure))


def _hand_over(
    call: Call, console: Console, guest: Guest, facts: MachineFacts, server: BootServer, limit: int
) -> Local | None:
    """Finds, fetches, checks and answers. Returns what says to boot the disk, where that is so."""
    wanted = Wanted(guest, facts, server, limit, call.label, call.config_dir, call.args)
    if call.dry_run:
        return _looked(call, wanted, console)
    with handover(call.directory) as made:
        kernel, ramdisk = made.file("kernel"), made.file("ramdisk")
        with opened(kernel) as kernel_file, opened(ramdisk) as ramdisk_file:
            got = _obtained(call, wanted, console, kernel_file, ramdisk_file)
        if isinstance(got, Local):
            return got
        fetcher = Fetcher("", limit)
        try:
            answer = Answer(str(kernel), str(ramdisk) if got.ramdisk else "", got.args)
            write_answer(call.output, encode_answer(answer, call.format))
        except ConfigError as error:
            fetcher.report(got.report, "refused", str(error))
            raise
        fetcher.report(got.report, "handed-over")
        made.keep(*([kernel, ramdisk] if got.ramdisk else [kernel]))
    return None


def _obtained(call: Call, wanted: Wanted, console: Console, kernel: int, ramdisk: int) -> Obtained | Local:
    if not call.runas:
        return obtain(wanted, console, kernel, ramdisk)
    from dataclasses import asdict
    from importlib import import_module

    from netprov.xen.bootloader.confined import run_as

    for name in IMPORTS:
        import_module(name)
    said = run_as(call.runas, lambda: asdict(obtain(wanted, console, kernel, ramdisk)))
    if "said" in said:
        return Local(str(said["said"]))
    return Obtained(str(said["args"]), said["ramdisk"] is True, str(said["report"]))


def _looked(call: Call, wanted: Wanted, console: Console) -> Local | None:
    found = look(wanted, console)
    if isinstance(found, Local):
        return found
    initrds = [str(place) for place in found.initrds]
    _tell(call, (
        ("script", str(found.script)), ("kernel", str(found.kernel)), ("initrds", initrds), ("args", found.args),
    ))  # fmt: skip
    return None


def _tell(call: Call, rows: tuple[tuple[str, str | list[str]], ...]) -> None:
    if call.json:
        print(json.dumps(dict(rows)))
    else:
        print("\n".join(f"{name}: {value if isinstance(value, str) else ' '.join(value)}" for name, value in rows))


def _pygrub(call: Call, why: str) -> None:
    """Becomes pygrub, with xl's own arguments: its answer is the answer."""
    disk = call.pygrub_image or call.disk
    if not disk or (Path(disk).is_file() and not Path(disk).stat().st_size):
        raise PeerError(Message.NO_DISK.said(why=why))
    import glob
    import shutil

    program = next((found for name in _PYGRUB for found in (shutil.which(name), *sorted(glob.glob(name))) if found), "")
    if not program:
        raise PeerError(Message.NO_PYGRUB.said())
    arguments = [program, f"--output={call.output}", f"--output-format={call.format}"]
    arguments.append(f"--output-directory={call.directory}")
    passed = (("kernel", call.kernel), ("ramdisk", call.ramdisk), ("args", call.args), ("runas", call.runas or ""))
    arguments += [f"--{name}={value}" for name, value in passed if value]
    if call.quiet:
        arguments.append("--quiet")
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.execv(program, [*arguments, disk])


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,9})([KMG]?)i?B?", text.strip(), re.IGNORECASE) if text else None
    if text and found is None:
        raise PeerError(Message.BAD_SIZE.said(value=text))
    return int(found[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[found[2].upper()] if found else _MAX_SIZE


def _address(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        return None


def _url_or_nothing(text: str) -> str:
    return text if "://" in text else ""


def _leased(ip: IPv4Address, mask: IPv4Address) -> IPv4Interface:
    try:
        return IPv4Interface(f"{ip}/{mask}")
    except ValueError:
        raise PeerError(Message.BAD_MASK.said(ip=ip, mask=mask)) from None


def _text(octets: bytes | None) -> str:
    return (octets or b"").rstrip(b"\0").decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
