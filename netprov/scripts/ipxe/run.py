"""iPXE as it runs a script when nobody is at the keyboard. Source: ipxe.org/cmd and src/hci/commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.ipxe.images import Image, Images, image_of
from netprov.scripts.ipxe.line import Call, Line, call, is_script, lines, parts
from netprov.scripts.ipxe.settings import Settings
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.notes import Notes
from netprov.scripts.plan import BootPlan, Chain, Files, Local, Refusal, base_name, refused
from netprov.scripts.straight import MOST_FILES, MOST_STEPS, NotStraight

_DEEPEST = 16  # scripts in scripts
_LISTED = 20  # items named in an error
_KERNELS = ("vmlinuz", "linux", "bzimage", "kernel")  # how a kernel's name begins, where it is chained to
_OWN_DRIVES = frozenset({"", "0x80", "128"})

_PASSED = frozenset(
    {
        "", "echo", "route", "ifstat", "ifclose", "sleep", "console", "colour", "color", "cpair", "imgtrust",
        "imgverify", "nstat", "ipstat", "ntp", "sync", "imgmem", "fcstat", "fcels", "ibstat", "iwstat", "iwlist",
        "params", "param", "pciscan", "usbscan", "profstat", "help", "certstat", "certstore", "certfree", "lotest",
        "ping", "shim", "gdbstub", "stoppxe", "sanunhook", "form", "fdt", "cachedhcp",
    }
)  # fmt: skip
"""What concerns the screen or iPXE's own state; taken to succeed."""
_UNKNOWN: Mapping[str, str] = {
    "autoboot": "starts over with DHCP",
    "imgdecrypt": "opens an encrypted image",
    "imgextract": "unpacks an image",
    "nslookup": "asks a name server",
    "pxebs": "asks a PXE boot server",
    "sanhook": "attaches a disk of the network",
    "startpxe": "starts the firmware's PXE",
    "vcreate": "makes a VLAN",
}
"""What only a running iPXE can do."""
_LONG_MODE = "29"  # CPUID 80000001h, EDX: the bit of 64-bit processors


class _End(Exception):
    """`exit`, or a script that took another one's place: the script ends with this status."""

    def __init__(self, status: bool, said: str) -> None:
        super().__init__()
        self.status = status
        self.said = said


class _Goto(Exception):
    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place


class Done(Exception):
    def __init__(self, plan: BootPlan) -> None:
        super().__init__()
        self.plan = plan


@dataclass(slots=True)
class _Script:
    """`base`: its own name, which others are relative to; "" for the first."""

    name: str
    base: str
    lines: list[Line]
    at: int = 0
    origin: Origin = field(default_factory=lambda: Origin(""))


class Ipxe:
    """`label`: the menu's item that a person named, in place of its default."""

    def __init__(self, facts: MachineFacts, files: Files | None, label: str | None) -> None:
        self.notes = Notes()
        self.label = label
        self._facts = facts
        self._files = files
        self._settings = Settings(facts)
        self._images = Images()
        self._items: list[tuple[str, bool]] = []  # names, and whether one is the default
        self._offered: list[str] = []
        self._scripts: list[_Script] = []
        self._steps = self._fetched = 0

    def plan(self, text: str, name: str) -> BootPlan:
        """Raises NotStraight, and PeerError for what is no script, or has not the item that was named."""
        if not is_script(text):
            raise PeerError(ScriptMessage.NO_IPXE.said(script=f"{name}:1"))
        try:
            found: BootPlan = Local(self._run(_Script(name, "", lines(text, name)))[1])
        except Done as done:
            found = done.plan
        if self.label is None or isinstance(found, Chain):
            return found
        known = f"its menu offers {', '.join(self._offered[:_LISTED])}" if self._offered else "it shows no menu"
        raise PeerError(ScriptMessage.NO_LABEL.said(script=name, label=self.label, known=known))

    # scripts

    def _run(self, script: _Script) -> tuple[bool, str]:
        """Whether it ends well, and how it ends."""
        if len(self._scripts) >= _DEEPEST:
            raise NotStraight(self._scripts[-1].origin, f"scripts lead to scripts more than {_DEEPEST} deep")
        self._scripts.append(script)
        try:
            while script.at < len(script.lines):
                line = script.lines[script.at]
                script.at += 1
                script.origin = Origin(script.name, line.number)
                try:
                    if not self._line(line.command):
                        return False, f"{script.origin}: the script ends here, as {line.command!r} fails"
                except _Goto as goto:
                    script.at = goto.place
        except _End as end:
            return end.status, end.said
        finally:
            self._scripts.pop()
        return True, f"{script.name}: ends without a boot"

    @property
    def _script(self) -> _Script:
        return self._scripts[-1]

    @property
    def _origin(self) -> Origin:
        return self._scripts[-1].origin

    def _line(self, command: str) -> bool:
        """`a || b`: b only where a fails; `a && b`: b only where a succeeds. The last status is the line's."""
        status, first = True, True
        for part in parts(command):
            if first or part.after == ";" or (part.after == "&&") is status:
                words = [self._settings.expand(word, self._origin) for word in part.words]
                status = self._command(words) if words else True
            first = False
        return status

    def _command(self, words: list[str]) -> bool:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise NotStraight(Origin(self._script.name), "loops endlessly")
        name = words[0]
        if name == "time" and len(words) > 1:
            return self._command(words[1:])
        if name in _UNKNOWN:
            raise NotStraight(self._origin, f"{name} {_UNKNOWN[name]}, which a domU's boot cannot follow")
        command = _COMMANDS.get(name)
        if command is None and name not in _PASSED:
            self.notes.add(f"{self._origin}: iPXE has no command {name}, and it fails")
            return False
        taken = call(words)
        return taken is not None and (command is None or command(self, taken))

    # settings and conditions

    def _set(self, told: Call) -> bool:
        if not told.words:
            return False
        try:
            self._settings.set(told.words[0], " ".join(told.words[1:]), self._origin)
        except ValueError:
            return False
        return True

    def _clear(self, told: Call) -> bool:
        for name in told.words[:1]:
            self._settings.clear(name)
        return len(told.words) == 1

    def _inc(self, told: Call) -> bool:
        try:
            by = int(told.words[1], 0) if told.words[1:] else 1
            self._settings.increase(told.words[0], by, self._origin)
        except (ValueError, IndexError):
            return False
        return True

    def _read(self, told: Call) -> bool:
        """Nobody types: with a time to wait it fails, without it is as if Enter were pressed."""
        self.notes.add(f"{self._origin}: read: nobody is at the keyboard")
        return len(told.words) == 1 and not told.has("timeout")

    def _isset(self, told: Call) -> bool:
        return len(told.words) == 1 and bool(told.words[0])

    def _iseq(self, told: Call) -> bool:
        return len(told.words) == 2 and told.words[0] == told.words[1]

    def _show(self, told: Call) -> bool:
        return len(told.words) == 1 and self._settings.value(told.words[0].partition(":")[0], self._origin) is not None

    def _cpuid(self, told: Call) -> bool:
        if told.has("ext") and told.words == (_LONG_MODE,):
            return self._facts.arch != "i386" or self._facts.platform == "pcbios"
        raise NotStraight(self._origin, "cpuid asks the processor")

    def _interface(self, told: Call) -> bool:
        """dhcp, ifconf, ifopen, iflinkwait: the card that boots is there, and configured; others are not."""
        return not told.words or any(word in ("net0", "netX") for word in told.words)

    # menus

    def _menu(self, told: Call) -> bool:
        self._items = []
        return True

    def _item(self, told: Call) -> bool:
        gap = told.has("gap") or told.has("g")
        if told.words and not gap:
            self._items.append((told.words[0], told.has("default") or told.has("d")))
        return True

    def _choose(self, told: Call) -> bool:
        """The default is chosen, else the first item."""
        names = [name for name, _ in self._items]
        if not names or len(told.words) != 1:
            return False
        marked = next((name for name, default in self._items if default), names[0])
        default = told.options.get("default", "")
        chosen = default if default in names else marked
        self._offered += [name for name in names if name not in self._offered]
        if self.label in names:
            chosen, self.label = self.label or "", None
        self.notes.add(f"{self._origin}: a menu; with nobody at the keyboard it is {chosen}")
        return self._set(Call("set", (told.words[0], chosen)))

    def _goto(self, told: Call) -> bool:
        for place, line in enumerate(self._script.lines):
            if told.words and line.label == told.words[0]:
                raise _Goto(place)
        self.notes.add(f"{self._origin}: there is no label :{' '.join(told.words)}")
        return False

    # images

    def _fetch(self, told: Call) -> bool:
        if not told.words:
            return False
        self._images.loaded.append(image_of(told, self._script.base, self._origin))
        return True

    def _select(self, told: Call) -> bool:
        image = self._acquired(told) if told.words else None
        self._images.selected = image or self._images.selected
        return image is not None

    def _args(self, told: Call) -> bool:
        image = self._acquired(told) if told.words else None
        if image is not None:
            image.args = " ".join(told.words[1:])
        return image is not None

    def _acquired(self, told: Call) -> Image | None:
        return self._images.acquired(told, self._script.base, self._origin)

    def _free(self, told: Call) -> bool:
        return self._images.free(told.words)

    def _stat(self, told: Call) -> bool:
        return all(self._images.find(name) is not None for name in told.words)

    def _execute(self, told: Call) -> bool:
        """boot, chain, imgexec: a script is run, a kernel booted."""
        images = self._images
        if not told.words or images.find(told.words[0]) is not None:
            image = self._acquired(told)
            if image is None:
                self.notes.add(f"{self._origin}: {told.name}, and nothing is loaded")
                return False
            if image is images.selected or image.args or len(images.loaded) > 1:
                raise Done(images.boot(image, self._origin))
            images.loaded.remove(image)
        else:
            image = image_of(told, self._script.base, self._origin)
        refusal = refused(image.uri, (), str(self._origin))
        if refusal is not None:
            raise Done(refusal)
        if image.args or (images.loaded and base_name(image.uri).startswith(_KERNELS)):
            raise Done(images.boot(image, self._origin))
        return self._chain(image, replace=told.has("replace") or told.has("r"))

    def _chain(self, image: Image, replace: bool) -> bool:
        if self._files is None:
            raise Done(Chain(image.uri, label=self.label))
        self._fetched += 1
        if self._fetched > MOST_FILES:
            raise NotStraight(self._origin, f"asks for more than {MOST_FILES} files")
        text = self._files(image.uri)
        if text is None:
            self.notes.add(f"{self._origin}: {image.uri} is not there")
            return False
        if not is_script(text):
            raise Done(Chain(image.uri, label=self.label))
        status, said = self._run(_Script(image.uri, image.uri, lines(text, image.uri)))
        if not status:
            self.notes.add(said)
        if replace:
            raise _End(status, said)
        return status

    # the end

    def _exit(self, told: Call) -> bool:
        raise _End((told.words or ("0",))[0] == "0", f"{self._origin}: {' '.join(('exit', *told.words))}")

    def _sanboot(self, told: Call) -> bool:
        said = " ".join(
            ("sanboot", *(f"--{name} {value}".strip() for name, value in told.options.items()), *told.words)
        )
        if told.words or told.options.get("drive", "") not in _OWN_DRIVES:
            why = "boots a disk that is not the domU's own: only sanboot --drive 0x80 without an address is that"
            message = ScriptMessage.FOREIGN.said(where=self._origin, file=said, why_a_domu_cannot_run_it=why)
            raise Done(Refusal(message))
        raise Done(Local(f"{self._origin}: {said}"))

    def _stop(self, told: Call) -> bool:
        raise Done(Refusal(ScriptMessage.NO_KERNEL_NAMED.said(where=f"{self._origin}: {told.name}")))

    def _waits(self, told: Call) -> bool:
        raise Done(Refusal(ScriptMessage.WAITS.said(where=f"{self._origin}: {told.name}")))

    def _nobody(self, told: Call) -> bool:
        """prompt, login: no key is pressed, so that the time runs out."""
        self.notes.add(f"{self._origin}: {told.name} fails, as nobody is at the keyboard")
        return False


_Command = Callable[[Ipxe, Call], bool]
_COMMANDS: Mapping[str, _Command] = {
    "set": Ipxe._set, "clear": Ipxe._clear, "inc": Ipxe._inc, "read": Ipxe._read, "isset": Ipxe._isset,
    "iseq": Ipxe._iseq, "show": Ipxe._show, "cpuid": Ipxe._cpuid, "menu": Ipxe._menu, "item": Ipxe._item,
    "choose": Ipxe._choose, "goto": Ipxe._goto, "imgargs": Ipxe._args, "imgfree": Ipxe._free, "imgstat": Ipxe._stat,
    "exit": Ipxe._exit, "sanboot": Ipxe._sanboot,
    **dict.fromkeys(("dhcp", "ifconf", "ifopen", "iflinkwait"), Ipxe._interface),
    **dict.fromkeys(("imgfetch", "module", "initrd"), Ipxe._fetch),
    **dict.fromkeys(("kernel", "imgload", "imgselect", "linux"), Ipxe._select),
    **dict.fromkeys(("boot", "chain", "imgexec"), Ipxe._execute),
    **dict.fromkeys(("reboot", "poweroff"), Ipxe._stop),
    **dict.fromkeys(("config", "present", "shell"), Ipxe._waits),
    **dict.fromkeys(("prompt", "login"), Ipxe._nobody),
}  # fmt: skip
