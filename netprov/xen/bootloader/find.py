"""From a boot server's answer to the files to fetch: which script, in which language, and where its names lead.

Sans-IO: `get` fetches a small file, and says None where the server says that it has none. Anything else that goes wrong
it raises, so that an unanswered question is never taken for "not there".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from netprov.boot import domu
from netprov.boot.loaders import is_ipxe
from netprov.errors import PeerError
from netprov.mac import bootif
from netprov.scripts import served
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub import config as grubcfg
from netprov.scripts.grub.environment import Device
from netprov.scripts.ipxe import script as ipxescript
from netprov.scripts.ipxe.line import is_script
from netprov.scripts.plan import Boot, Chain, Local, Reading, Refusal, Sum, base_name, joined
from netprov.scripts.pxelinux import boot as pxelinux
from netprov.scripts.pxelinux.names import FOLDER, Place, config_names, lookup_names, prefix_of, resolve_path
from netprov.xen.bootloader.messages import Message

MOST_HOPS = 8  # scripts that lead to scripts
_GRUB_LOADERS = ("grub", "shim", "boot", "core.")

_BARE_SERVER = re.compile(r"https?://[^/?]+/?", re.IGNORECASE)

Get = Callable[[Place], bytes | None]


class Language(StrEnum):
    PXELINUX = "PXELINUX"
    GRUB = "GRUB"
    IPXE = "iPXE"
    NETPROV = "netprov"


@dataclass(frozen=True, slots=True)
class BootServer:
    """What DHCP said: the boot file, and PXELINUX's options 209 (configuration) and 210 (prefix)."""

    boot_file: str = ""
    config_file: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """What to fetch and start. `script`: who says so. `report`: where netprov hears what became of it."""

    kernel: Place
    initrds: tuple[Place, ...]
    args: str
    script: Place
    sums: Mapping[Place, Sum] = field(default_factory=dict)
    report: str = ""


@dataclass(frozen=True, slots=True)
class _Script:
    place: Place
    text: str
    language: Language
    prefix: str  # what PXELINUX's names are relative to; where GRUB has its own files


class Search:
    """Finds the script and follows it. `label` names an entry in place of the default.

    `notes`: what the scripts' readers passed over, or decided for themselves.
    """

    def __init__(self, get: Get, facts: MachineFacts, label: str | None = None, folder: str = FOLDER) -> None:
        self.notes: list[str] = []
        self._fetch = get
        self._fetched: dict[Place, bytes | None] = {}
        self._facts = facts
        self._label = label
        self._folder = folder

    def run(self, server: BootServer) -> Files | Local:
        """Raises PeerError: no script, one that a domU cannot follow, or what `get` raises."""
        script = self._first(server)
        for _ in range(MOST_HOPS):
            read = self._read(script)
            self.notes += read.notes
            plan = read.plan
            match plan:
                case Boot():
                    return self._files(script, plan)
                case Local():
                    return plan
                case Refusal():
                    raise PeerError(plan.reason)
                case Chain():
                    self._label = plan.label
                    script = self._chained(script, plan)
        raise PeerError(Message.TOO_MANY_HOPS.said(script=script.place, most=MOST_HOPS))

    def _files(self, script: _Script, plan: Boot) -> Files:
        initrds = tuple(self._place(script, name) for name in plan.initrds)
        sums = {self._place(script, name): told for name, told in plan.sums.items()}
        report = f"{script.place.url}/report" if script.language is Language.NETPROV and script.place.url else ""
        return Files(self._place(script, plan.kernel), initrds, plan.args, script.place, sums, report)

    def _first(self, server: BootServer) -> _Script:
        tried: list[str] = []
        for place, language, prefix in self._candidates(server):
            body = self._get(place)
            if body is not None:
                return _script(place, body, language, prefix)
            tried.append(str(place))
        names = ", ".join(tried[:4]) + (f" … {tried[-1]}" if len(tried) > 4 else "")
        raise PeerError(Message.NO_SCRIPT.said(names=names))

    def _candidates(self, server: BootServer) -> Iterator[tuple[Place, Language, str]]:
        """Every place to look, the likeliest first, by the loader that the server would have the machine run."""
        file, base = server.boot_file, base_name(server.boot_file)
        ours = domu.answer_name(self._facts.mac) if self._facts.mac is not None else ""
        if ours and (file == ours or file.endswith(f"/{ours}")):
            yield resolve_path("", file), Language.NETPROV, ""
            return
        if ours and (not file or _BARE_SERVER.fullmatch(file)):  # --server: it may be netprov
            yield resolve_path(f"{file.rstrip('/')}/" if file else "", ours), Language.NETPROV, ""
        if base.endswith(".ipxe") or (file.startswith(("http://", "https://")) and "." not in base):
            yield resolve_path("", file), Language.IPXE, ""
            return
        if is_ipxe(base):
            for name in ("autoexec.ipxe", "boot.ipxe"):
                yield resolve_path(prefix_of(file), name), Language.IPXE, ""
        grub_first = base.startswith(_GRUB_LOADERS) and base.endswith((".efi", ".0"))
        if grub_first:
            yield from self._grub(file)
        yield from self._pxelinux(server)
        if not grub_first:
            yield from self._grub(file)

    def _pxelinux(self, server: BootServer) -> Iterator[tuple[Place, Language, str]]:
        prefix = prefix_of(server.boot_file, server.prefix)
        facts = self._facts
        names = [self._folder + name.removeprefix(FOLDER) for name in lookup_names(facts.uuid, facts.mac, facts.ip)]
        for place in config_names(prefix, names, server.config_file):
            yield place, Language.PXELINUX, prefix

    def _grub(self, boot_file: str) -> Iterator[tuple[Place, Language, str]]:
        """GRUB's own order, in the folders that its images are made with, on the boot file's server; Cobbler's."""
        mac, ip = self._facts.mac, self._facts.ip
        names = [f"grub.cfg-{bootif(mac)}"] if mac is not None else []
        if ip is not None:
            digits = f"{int(ip):08X}"
            names += [f"grub.cfg-{digits[:length]}" for length in range(8, 0, -1)]
        root = joined(boot_file, "/") if "://" in boot_file else ""
        if mac is not None:
            yield resolve_path("", f"{root}grub/system/{mac}"), Language.GRUB, f"{root}grub/"
        for folder in dict.fromkeys((f"{root}grub/", f"{prefix_of(boot_file)}grub/", prefix_of(boot_file))):
            for name in (*names, "grub.cfg"):
                yield resolve_path(folder, name), Language.GRUB, folder

    def _read(self, script: _Script) -> Reading:
        def files(name: str) -> str | None:
            body = self._get(self._place(script, name))
            return None if body is None else body.decode("utf-8", "replace")

        text, name, label = script.text, str(script.place), self._label
        match script.language:
            case Language.NETPROV:
                return Reading(served.plan(text, name, label))
            case Language.IPXE:
                return ipxescript.read(text, self._facts, name, label, files=files)
            case Language.GRUB:
                folder = urlsplit(script.prefix).path if "://" in script.prefix else script.prefix
                folder = f"/{folder.strip('/')}".rstrip("/")
                return grubcfg.read(text, self._facts, name, label, files=files, home=self._home(script), folder=folder)
        return pxelinux.read(text, self._facts, files, name, label)

    def _home(self, script: _Script) -> Device:
        """The server that the script came from, as GRUB names it."""
        if script.place.url:
            parts = urlsplit(script.place.url)
            return Device(parts.scheme, parts.netloc)
        return Device("tftp", script.place.server or str(self._facts.server or ""))

    def _get(self, place: Place) -> bytes | None:
        """Each file is asked for once: a script may be read more than once."""
        if place not in self._fetched:
            self._fetched[place] = self._fetch(place)
        return self._fetched[place]

    def _chained(self, script: _Script, chain: Chain) -> _Script:
        place = self._place(script, chain.script)
        body = self._get(place)
        if body is None:
            raise PeerError(Message.NO_CHAINED.said(script=script.place, place=place))
        prefix = f"{chain.folder.rstrip('/')}/" if chain.folder else script.prefix
        return _script(place, body, script.language, prefix)

    def _place(self, script: _Script, name: str) -> Place:
        if script.language is Language.PXELINUX:
            return resolve_path(script.prefix, name)
        if script.place.url:
            return resolve_path("", joined(script.place.url, name))
        if script.language is Language.IPXE and not name.startswith("/"):
            folder = script.place.path[: script.place.path.rfind("/") + 1]
            place = resolve_path(folder, name)
        else:
            place = resolve_path("", name)
        return place if place.server or place.url else Place(place.path, script.place.server)


def _script(place: Place, body: bytes, language: Language, prefix: str) -> _Script:
    text = body.decode("utf-8", "replace")
    if is_script(text):
        language = Language.IPXE
    return _Script(place, text, language, prefix)
