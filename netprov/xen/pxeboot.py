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

from netprov.errors import ConfigError, PeerError
from netprov.xen.answer import Answer, Handover, encode_answer, handover, write_answer
from netprov.xen.console import NAME, Console
from netprov.xen.contract import OPTIONS, Call, parse_call
from netprov.xen.facts import MachineFacts
from netprov.xen.fetcher import Fetcher
from netprov.xen.find import IPXE_LOADERS, BootServer, Files, Search
from netprov.xen.guest import Guest, identify
from netprov.xen.kernel import examine, verdict
from netprov.xen.payload import unpacked
from netprov.xen.plan import Local, Sum, base_name
from netprov.xen.pxelinux.names import FOLDER, Place

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
        signal.SIGTERM: "stopped: the domain was destroyed",
        signal.SIGHUP: "stopped: xl is gone",
        signal.SIGINT: "stopped",
        signal.SIGALRM: f"gave up after {seconds:.0f} s (--timeout)",
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
    if local is not None:
        console.say(f"dropping to pygrub for local boot ({local.said})")
        _pygrub(call, local.said)


def _as_domu(call: Call, console: Console, guest: Guest, limit: int) -> Local | None:
    from netprov.dhcp.client import Ask
    from netprov.dhcp.pxe import XEN_CLASS
    from netprov.xen.domunet import as_domu, take_address

    console.say(f"requesting info for MAC address {guest.mac}")
    options = {
        60: b"PXEClient:Arch:00000:UNDI:002001",
        61: b"\x01" + bytes.fromhex(guest.mac.replace(":", "")),
        77: XEN_CLASS,
        93: b"\0\0",
        94: b"\x01\x02\x01",
    }
    if guest.uuid:
        options[97] = b"\0" + bytes.fromhex(guest.uuid.replace("-", ""))
    with as_domu(guest.mac, guest.bridge or _BRIDGE) as interface:
        bound = _asked(interface, Ask(guest.mac, options), call.retries or 0)
        if base_name(bound.boot_file).startswith(IPXE_LOADERS):  # which would ask again, as itself
            again = _asked(interface, Ask(guest.mac, options | {77: b"iPXE"}), call.retries or 0)
            bound = again if again.boot_file else bound
        mask = bound.ack.address(1) or IPv4Address("255.255.255.255")
        router = bound.ack.address(3)
        take_address(interface, _leased(bound.ip, mask), router)
        facts = MachineFacts(guest.mac, bound.ip, bound.next_server, router, mask, guest.uuid)
        if bound.boot is None:
            raise PeerError(f"{guest.mac} got the address {bound.ip} and no boot file: no DHCP server names one for it")
        said = bound.boot.options
        server = BootServer(bound.boot_file, _text(said.get(209)), _text(said.get(210)))
        server_said = bound.next_server or server.boot_file
        console.say(f"getting cfg for IP {bound.ip} ({int(bound.ip):08X}) from server {server_said}")
        return _hand_over(call, console, guest, facts, server, limit)


def _asked(interface: str, who: Ask, retries: int) -> Bound:
    from netprov.dhcp.ask import ask

    for _ in range(retries):
        try:
            return ask(interface, who)
        except PeerError:
            continue
    return ask(interface, who)


def _hand_over(
    call: Call, console: Console, guest: Guest, facts: MachineFacts, server: BootServer, limit: int
) -> Local | None:
    """Finds, fetches, checks and answers. Returns what says to boot the disk, where that is so."""
    fetcher = Fetcher(str(facts.server or ""), limit)
    folder = f"{call.config_dir.rstrip('/')}/" if call.config_dir else FOLDER
    found = Search(fetcher.small, facts, call.label, folder).run(server)
    if isinstance(found, Local):
        return found
    console.detail(f"{found.script} says {found.kernel} {' '.join(map(str, found.initrds))} {found.args}")
    args = " ".join(part for part in (found.args, call.args) if part)
    if call.dry_run:
        _tell(call, found, args)
        return None
    try:
        with handover(call.directory) as made:
            kernel = _kernel(made, fetcher, found, console, guest, limit)
            ramdisk = _ramdisk(made, fetcher, found, console) if found.initrds else ""
            write_answer(call.output, encode_answer(Answer(kernel, ramdisk, args), call.format))
            fetcher.report(found.report, "handed-over")
            made.keep()
    except (ConfigError, PeerError) as error:
        fetcher.report(found.report, "refused", str(error))
        raise
    return None


def _tell(call: Call, found: Files, args: str) -> None:
    initrds = [str(place) for place in found.initrds]
    if call.json:
        row = {"script": str(found.script), "kernel": str(found.kernel), "initrds": initrds, "args": args}
        print(json.dumps(row))
    else:
        rows = ("script", found.script), ("kernel", found.kernel), ("initrds", " ".join(initrds)), ("args", args)
        print("\n".join(f"{name}: {value}" for name, value in rows))


def _kernel(made: Handover, fetcher: Fetcher, found: Files, console: Console, guest: Guest, limit: int) -> str:
    path = made.file("kernel")
    _download(fetcher, found.kernel, path, console, "kernel", found.sums.get(found.kernel))
    octets = path.read_bytes()
    try:
        plain = unpacked(octets, limit)
        image = examine(plain)
    except PeerError as error:
        raise PeerError(f"the kernel {found.kernel} {error}") from None
    found_fit = [verdict(image, kind, os.uname().machine) for kind in guest.types]
    if not any(one.fit for one in found_fit):
        raise PeerError(f"the kernel {found.kernel} {found_fit[0].reason}")
    if plain is not octets:
        path.write_bytes(plain)
    console.detail(f"{found.kernel} is a {image}")
    return str(path)


def _ramdisk(made: Handover, fetcher: Fetcher, found: Files, console: Console) -> str:
    """Several initrds become one, each but the last padded to 4 KiB (see plan.concatenated)."""
    path = made.file("ramdisk")
    for number, place in enumerate(found.initrds):
        if number:
            size = path.stat().st_size
            os.truncate(path, size + -size % 4096)
        _download(fetcher, place, path, console, "initrd", found.sums.get(place))
    return str(path)


def _download(
    fetcher: Fetcher, place: Place, path: Path, console: Console, what: str, promised: Sum | None
) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        with console.downloading(f"{what} {place}") as told:
            fetcher.into(place, descriptor, told, promised)
    finally:
        os.close(descriptor)


def _pygrub(call: Call, why: str) -> None:
    """Becomes pygrub, with xl's own arguments: its answer is the answer."""
    disk = call.pygrub_image or call.disk
    if not disk or (Path(disk).is_file() and not Path(disk).stat().st_size):
        raise PeerError(f"the domU is to boot its disk, and has none: add one to disk= of its configuration ({why})")
    import glob
    import shutil

    program = next((found for name in _PYGRUB for found in (shutil.which(name), *sorted(glob.glob(name))) if found), "")
    if not program:
        raise PeerError("the domU is to boot its disk by pygrub, which is not here: install xen-utils of this Xen")
    arguments = [program, f"--output={call.output}", f"--output-format={call.format}"]
    arguments.append(f"--output-directory={call.directory}")
    passed = (("kernel", call.kernel), ("ramdisk", call.ramdisk), ("args", call.args), ("runas", call.runas))
    arguments += [f"--{name}={value}" for name, value in passed if value]
    if call.quiet:
        arguments.append("--quiet")
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.execv(program, [*arguments, disk])


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,9})([KMG]?)i?B?", text.strip(), re.IGNORECASE) if text else None
    if text and found is None:
        raise PeerError(f"--max-size={text}: write it like 512M")
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
        raise PeerError(f"the DHCP server gave the address {ip} with {mask}, which is no netmask") from None


def _text(octets: bytes | None) -> str:
    return (octets or b"").rstrip(b"\0").decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
