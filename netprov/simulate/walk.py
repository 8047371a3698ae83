"""A boot on the wire, question by question, from power-on to the installer's answers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace

from netprov.boot import domu
from netprov.boot.loaders import LoaderFile, asks, loader_of, modules
from netprov.boot.programs import PROGRAMS, Runs
from netprov.errors import PeerError
from netprov.scripts import served
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Reading, Refusal, joined
from netprov.scripts.pxelinux import names
from netprov.simulate import script
from netprov.simulate.address import Bound, ask
from netprov.simulate.fetch import Fetched, Fetcher, Refused, by_dns
from netprov.simulate.machine import Address, Machine
from netprov.simulate.script import IPXE_MAGIC, Unfollowed
from netprov.simulate.stage import Ending, Stage
from netprov.simulate.stop import Stop, verdict_of
from netprov.simulate.wire import Wire
from netprov.simulate.words import NAMES, THEN, given, options, rate

_BLKSIZE = 1428  # of what is not known to fetch by TFTP
MOST_CHAINED = 8  # loaders and scripts, one after the other; more are a loop
Stages = Iterator[Stage]
Fetching = Generator[Stage, None, Fetched]


class Walk:
    """One machine's boot. `expected`: the loader that it ought to be given, "" where none is known of.

    With `callback` it counts as a boot: the server writes it down, and the installer's end is reported.
    """

    def __init__(self, machine: Machine, wire: Wire, timeout: float, *, callback: bool, expected: str = "") -> None:
        self._machine = machine
        self._wire = wire
        self._timeout = timeout
        self._callback = callback
        self._expected = expected
        self._asking = ("address", "")
        self._chained = 0
        self._bound: Bound | None = None
        self._fetcher = Fetcher(timeout, not callback, by_dns((), timeout))

    @property
    def address(self) -> Address | None:
        return self._bound.address if self._bound is not None else None

    def stages(self) -> Stages:
        """Every stage in order; the last one has an ending."""
        try:
            yield from self._firmware(self._machine.kind.starts)
        except Unfollowed as end:
            yield Stage(*self._asking, notes=(end.text,), ending=Ending.OPEN)
        except PeerError as error:
            stage = self._asking[0]
            problem = "; ".join(part for part in (error.text, THEN.get(stage, "")) if part)
            yield Stage(*self._asking, problem=problem, ending=Ending.STOPPED, verdict=verdict_of(error, stage))

    # what asks by DHCP

    def _firmware(self, runs: Runs) -> Stages:
        """`runs` asks by DHCP, and loads what it is told."""
        yield from self._dhcp(runs)
        address = self._address()
        if not address.boot_file:
            yield self._nothing(address)
        elif runs is Runs.XEN:
            yield from self._domu(address.boot_file)
        else:
            is_script = runs is Runs.IPXE and loader_of(address.boot_file) is None
            file = yield from self._fetch("script" if is_script else "loader", runs, address.boot_file)
            yield from self._start(runs, address.boot_file, file)

    def _dhcp(self, runs: Runs) -> Stages:
        self._asking = ("address", f"{NAMES[runs]} asks by DHCP")
        before = self._bound
        bound = ask(self._machine, runs, self._wire, self._timeout)
        notes = [*bound.notes]
        if before is not None and before.ack.yiaddr != bound.ack.yiaddr:
            notes.append(f"its address was {before.ack.yiaddr} before: one machine should keep one address")
        if bound.others:
            notes.append(f"also offered by {', '.join(map(str, bound.others))}")
        # what the kernel asks for does not change where the boot's files are
        self._bound = bound if runs is not Runs.KERNEL or before is None else replace(before, ack=bound.ack)
        self._fetcher = Fetcher(self._timeout, not self._callback, by_dns(bound.ack.addresses(6), self._timeout))
        yield Stage(*self._asking, given(bound.address, runs), details=options(bound), notes=tuple(notes))

    def _nothing(self, address: Address) -> Stage:
        if self._expected and not self._chained:
            raise Stop(
                f"{address.answered_by} gave an address but no boot file, and netprov would have sent "
                f"{self._expected}: another DHCP server answers this machine, or it was given that loader twice within "
                "the last minute, which netprov takes for a loop",
                "G15",
            )
        text = f"{address.answered_by} names nothing to boot: it goes on to its own disk"
        return Stage("end", "", text, ending=Ending.LOCAL)

    # loaders

    def _start(self, by: Runs, place: str, file: Fetched) -> Stages:
        """What `by` has loaded from `place` runs now."""
        self._count(place)
        if file.size == 0:
            raise Stop(f"{place} is empty", "G9")
        if file.data.startswith(IPXE_MAGIC):
            if by is not Runs.IPXE:
                raise Stop(f"{place} is an iPXE script, which {NAMES[by]} cannot run: send it iPXE first", "G9")
            yield from self._follow(Runs.IPXE, place, file)
            return
        loader = loader_of(place)
        if loader is None:
            text = f"{place} runs now, which a simulation cannot follow"
            yield Stage("end", "", text, ending=Ending.OPEN)
        elif loader.runs is Runs.IPXE:
            yield from self._firmware(Runs.IPXE)
        else:
            yield from self._loader(by, place, loader)

    def _loader(self, by: Runs, place: str, loader: LoaderFile) -> Stages:
        """What the loader at `place` asks for by itself, then its script; shim starts what it asked for instead."""
        for link in asks(place):
            if link.optional:
                yield from self._fetch_optional("loader", loader.runs, link.name)
                continue
            file = yield from self._fetch("loader", loader.runs, link.name)
            if loader.runs is Runs.SHIM:
                yield from self._start(by, link.name, file)
        if loader.runs is Runs.PXELINUX:
            yield from self._configuration(Runs.PXELINUX, self._address().boot_file)
        elif loader.runs is Runs.GRUB:
            file = yield from self._fetch("script", Runs.GRUB, "/grub/grub.cfg")
            yield from self._follow(Runs.GRUB, "/grub/grub.cfg", file)

    # scripts

    def _domu(self, boot_file: str) -> Stages:
        """netprov's answer for a domU; any other server's pxelinux.cfg."""
        if self._is_answer(boot_file):
            file = yield from self._fetch("script", Runs.XEN, boot_file)
            yield from self._planned(Runs.XEN, boot_file, served.plan(file.text, boot_file))
        else:
            yield from self._configuration(Runs.XEN, boot_file)

    def _configuration(self, runs: Runs, boot_file: str) -> Stages:
        """pxelinux.cfg: the first that is there of the names that PXELINUX tries."""
        address = self._address()
        prefix = names.prefix_of(boot_file, address.path_prefix)
        wanted = names.lookup_names(self._machine.uuid, self._machine.mac, address.ip)
        places = [self._place(place) for place in names.config_names(prefix, wanted, address.config_file)]
        errors = []
        for place in places:
            self._asking = ("script", self._described(place))
            try:
                file = self._get(runs, place)
            except Refused as error:
                errors.append(error)
                continue
            yield self._fetched(file)
            yield from self._follow(runs, place, file)
            return
        # PXELINUX takes every error for "not there"
        telling = next((error for error in errors if not error.missing), errors[0])
        text = f"{NAMES[runs]} finds no configuration under any of {len(places)} names"
        raise PeerError(f"{text}, {places[0]} to {places[-1]}; {telling.text}")

    def _follow(self, runs: Runs, place: str, file: Fetched) -> Stages:
        """The script at `place`, and what it leads to."""
        self._count(place)
        included: list[Stage] = []
        facts = script.facts_of(self._machine, self._address())

        def include(name: str) -> str | None:
            got, stage = self._included(runs, place, name)
            included.extend([stage] if stage is not None else [])
            return got

        read = script.read(runs, file.text, facts, place, include)
        yield from included
        yield from self._shown(runs, place, read)
        yield from self._planned(runs, place, read.plan)

    def _is_answer(self, place: str) -> bool:
        return place.endswith(f"/{domu.answer_name(self._machine.mac)}")

    def _hand_over(self, answer: str) -> Stages:
        """The bootloader tells that Xen has it all; whether the server hears that changes nothing."""
        self._asking = ("handed-over", f"{answer}/report")
        with suppress(PeerError):
            yield self._fetched(self._fetcher.http(f"{answer}/report", b"status=handed-over"))

    def _planned(self, runs: Runs, place: str, plan: BootPlan) -> Stages:
        match plan:
            case Boot():
                yield from self._kernel(runs, place, plan)
            case Local(said):
                yield Stage("end", "", f"its own disk boots ({said})", ending=Ending.LOCAL)
            case Chain(target):
                target = self._named(runs, place, target)
                yield from self._chain(runs, target)
            case Refusal():
                yield from self._refused(runs, place, plan)

    def _shown(self, runs: Runs, place: str, read: Reading) -> Stages:
        for module in modules(*read.modules):
            yield from self._fetch("loader", runs, self._named(runs, place, module))
        if read.notes:
            yield Stage("script", place, notes=read.notes)

    def _chain(self, runs: Runs, place: str) -> Stages:
        known = loader_of(place)
        file = yield from self._fetch("loader" if known is not None else "script", runs, place)
        if known is None and not file.data.startswith(IPXE_MAGIC) and runs is not Runs.IPXE:
            yield from self._follow(runs, place, file)
        else:
            yield from self._start(runs, place, file)

    def _refused(self, runs: Runs, place: str, plan: Refusal) -> Stages:
        """No Linux kernel: another loader is followed, what else there is only looked for."""
        if self._machine.kind.starts is Runs.XEN:
            raise PeerError(plan.reason)
        if not plan.file:
            raise Unfollowed(f"{place} {script.refusal(plan, self._machine)}")
        target = self._named(runs, place, plan.file)
        file = yield from self._fetch("loader", runs, target)
        yield from self._start(runs, target, file)

    # the kernel, and what it does

    def _kernel(self, runs: Runs, place: str, boot: Boot) -> Stages:
        kernel = self._named(runs, place, boot.kernel)
        file = yield from self._fetch("kernel", runs, kernel, {"args": boot.args})
        problem = script.no_kernel(file.data)
        if problem:
            raise Stop(f"{kernel} {problem}", "G9")
        self._check(file, kernel, boot)
        for initrd in boot.initrds:
            file = yield from self._fetch("initrd", runs, self._named(runs, place, initrd))
            if file.size == 0:
                raise Stop(f"{initrd} is empty", "G10")
            self._check(file, initrd, boot)
        if runs is Runs.XEN and self._is_answer(place):
            yield from self._hand_over(place)
        url = script.answers_url(boot.args)
        if url:
            yield from self._installer(url)
        else:
            text = "the kernel starts; its command line names no installer's answers"
            yield Stage("end", "", text, ending=Ending.BOOTS)

    @staticmethod
    def _check(file: Fetched, name: str, boot: Boot) -> None:
        """Raises Stop where the script told another size or checksum (netprov's answer for a domU does)."""
        told = boot.sums.get(name)
        if told is not None and (told.size not in (None, file.size) or told.sha256 not in ("", file.sha256)):
            raise Stop(f"{name} is not the file that the server described: damaged, or changed meanwhile", "G26")

    def _installer(self, url: str) -> Stages:
        yield from self._dhcp(Runs.KERNEL)
        answers = yield from self._fetch("autoinstall", Runs.KERNEL, url)
        if answers.size == 0:
            raise Stop(f"{url} is empty: an installer would ask its questions on the screen", "G10")
        callback = script.callback_url(answers.text)
        if not callback:
            yield Stage("end", "", "the installer starts; its answers name no callback", ending=Ending.BOOTS)
            return
        if not self._callback:
            yield Stage("callback", callback, "not sent: --callback sends it")
        else:
            self._asking = ("callback", callback)
            yield self._fetched(self._fetcher.http(callback, b""))
        yield Stage("end", "", "the installer has all it asks for", ending=Ending.BOOTS)

    # fetching

    def _fetch(self, stage: str, runs: Runs, place: str, details: dict[str, str] | None = None) -> Fetching:
        """The file, once its stage is told. Raises PeerError."""
        self._asking = (stage, self._described(place))
        file = self._get(runs, place)
        yield self._fetched(file, details)
        return file

    def _fetch_optional(self, stage: str, runs: Runs, place: str) -> Stages:
        """A file that the loader goes on without."""
        self._asking = (stage, self._described(place))
        try:
            yield self._fetched(self._get(runs, place))
        except Refused:
            return

    def _included(self, runs: Runs, base: str, name: str) -> tuple[str | None, Stage | None]:
        place = self._named(runs, base, name)
        self._asking = ("script", self._described(place))
        try:
            file = self._get(runs, place)
        except Refused:
            return None, None
        return file.text, self._fetched(file)

    def _get(self, runs: Runs, place: str) -> Fetched:
        blksize = PROGRAMS[runs].blksize or _BLKSIZE
        if "://" in place:
            return self._fetcher.get(place, blksize)
        return self._fetcher.tftp(str(self._server()), place, blksize)

    def _fetched(self, file: Fetched, details: dict[str, str] | None = None) -> Stage:
        stage, asks = self._asking
        told = {**file.details, **(details or {})}
        return Stage(stage, asks, rate(file), file.seconds, file.size, file.sha256, told)

    def _named(self, runs: Runs, base: str, name: str) -> str:
        """The place that `name` means in the script at `base`."""
        if runs is Runs.IPXE:
            return joined(self._url(base), name)
        if runs in (Runs.PXELINUX, Runs.XEN):
            address = self._address()
            return self._place(names.resolve_path(names.prefix_of(address.boot_file, address.path_prefix), name))
        return name

    def _place(self, place: names.Place) -> str:
        if place.url:
            return place.url
        return f"tftp://{place.server}/{place.path}" if place.server else place.path

    def _url(self, place: str) -> str:
        return place if "://" in place else f"tftp://{self._server()}/{place.lstrip('/')}"

    def _described(self, place: str) -> str:
        return place if "://" in place else f"{place} by TFTP from {self._server()}"

    def _server(self) -> object:
        address = self._address()
        return address.server or address.answered_by

    def _address(self) -> Address:
        assert self._bound is not None
        return self._bound.address

    def _count(self, place: str) -> None:
        self._chained += 1
        if self._chained > MOST_CHAINED:
            raise Stop(f"{place} comes after {MOST_CHAINED} loaders and scripts: it is in a boot loop", "G8")
