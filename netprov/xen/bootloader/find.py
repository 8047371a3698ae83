"""From a boot server's answer to the files to fetch: which script, in which language, and where its names lead.

Sans-IO: `get` fetches a small file, and says None where the server says that it has none. Anything else that goes wrong
it raises, so that an unanswered question is never taken for "not there".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urljoin

from netprov.boot import domu
from netprov.boot.loaders import is_ipxe
from netprov.errors import PeerError
from netprov.mac import bootif
from netprov.scripts import ipxe as ipxescript
from netprov.scripts import served
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub import config as grubcfg
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal, Sum, base_name
from netprov.scripts.pxelinux.choose import choose
from netprov.scripts.pxelinux.choose import plan as pxelinux_plan
from netprov.scripts.pxelinux.config import parse
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
    prefix: str  # what PXELINUX's names are relative to


class Search:
    """Finds the script and follows it. `label` names an entry in place of the default."""

    def __init__(self, get: Get, facts: MachineFacts, label: str | None = None, folder: str = FOLDER) -> None:
        self._get = get
        self._facts = facts
        self._label = label
        self._folder = folder

    def run(self, server: BootServer) -> Files | Local:
        """Raises PeerError: no script, one that a domU cannot follow, or what `get` raises."""
        script = self._first(server)
        for _ in range(MOST_HOPS):
            plan = self._plan(script)
            match plan:
                case Boot():
                    return self._files(script, plan)
                case Local():
                    return plan
                case Refusal():
                    raise PeerError(plan.reason)
                case Chain():
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
        """GRUB's own order, in the folders that its images are made with; then Cobbler's."""
        mac, ip = self._facts.mac, self._facts.ip
        names = [f"grub.cfg-{bootif(mac)}"] if mac is not None else []
        if ip is not None:
            digits = f"{int(ip):08X}"
            names += [f"grub.cfg-{digits[:length]}" for length in range(8, 0, -1)]
        first, *rest = [*names, "grub.cfg"]
        if mac is not None:
            yield resolve_path("", f"grub/system/{mac}"), Language.GRUB, ""
        for folder in dict.fromkeys(("grub/", f"{prefix_of(boot_file)}grub/", prefix_of(boot_file))):
            for name in (first, *rest):
                yield resolve_path(folder, name), Language.GRUB, ""

    def _plan(self, script: _Script) -> BootPlan:
        match script.language:
            case Language.NETPROV:
                return served.plan(script.text, str(script.place), self._label)
            case Language.IPXE:
                return ipxescript.plan(script.text, self._facts, str(script.place))
            case Language.GRUB:
                return grubcfg.plan(script.text, self._facts, str(script.place), self._label)

        def include(name: str) -> str | None:
            body = self._get(resolve_path(script.prefix, name))
            return None if body is None else body.decode("utf-8", "replace")

        config = parse(script.text, include, str(script.place))
        return pxelinux_plan(choose(config, self._label), self._facts)

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
            return resolve_path("", urljoin(script.place.url, name))
        if script.language is Language.IPXE and not name.startswith("/"):
            folder = script.place.path[: script.place.path.rfind("/") + 1]
            place = resolve_path(folder, name)
        else:
            place = resolve_path("", name)
        return place if place.server or place.url else Place(place.path, script.place.server)


def _script(place: Place, body: bytes, language: Language, prefix: str) -> _Script:
    text = body.decode("utf-8", "replace")
    if text.startswith(ipxescript.MAGIC):
        language = Language.IPXE
    elif language is Language.IPXE:
        raise PeerError(ScriptMessage.NO_IPXE.said(script=place))
    return _Script(place, text, language, prefix)
