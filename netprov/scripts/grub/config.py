"""grub.cfg, as far as it is straight-line: what its default entry boots.

Sans-IO: a text in, a BootPlan out. Loops, functions and tests of things that only GRUB knows are refused by file and
line. Source: the GRUB manual, and the files that installers and provisioning servers write.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub.words import Block, Command, If, Statement, parse_script
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal, refused
from netprov.scripts.straight import LONGEST, MOST_STEPS, NotStraight

_LINUX = frozenset({"linux", "linux16", "linuxefi", "linux32"})
_INITRD = frozenset({"initrd", "initrd16", "initrdefi"})
_XEN = frozenset({"multiboot", "multiboot2", "xen_hypervisor"})
_MODULE = frozenset({"module", "module2", "xen_module"})
_PASSED = frozenset(
    {
        "insmod", "rmmod", "echo", "sleep", "clear", "true", "export", "unset", "terminal", "terminal_input",
        "terminal_output", "serial", "loadfont", "load_video", "background_color", "background_image", "gfxmode",
        "play", "recordfail", "save_env", "load_env", "search", "search.file", "search.fs_uuid", "savedefault",
        "videoinfo", "cutmem", "badram", "keymap", "net_add_addr", "net_bootp", "net_bootp6", "net_dhcp",
        "net_add_dns", "net_add_route", "net_ls_addr", "set_background_image", "menuentry_id_option", "password",
        "password_pbkdf2", "at_keyboard",
    }
)  # fmt: skip
"""What changes the screen, the keyboard or GRUB's own network, not what is booted."""


@dataclass(slots=True)
class Entry:
    title: str
    id: str
    origin: Origin
    body: tuple[Statement, ...]


@dataclass(slots=True)
class _Loaded:
    kernel: str = ""
    args: str = ""
    initrds: tuple[str, ...] = ()
    xen: str = ""
    modules: list[tuple[str, str]] = field(default_factory=list)


class _Done(Exception):
    """`boot`, `exit` and the like: the rest of the script is not reached."""

    def __init__(self, plan: BootPlan) -> None:
        super().__init__()
        self.plan = plan


def plan(text: str, facts: MachineFacts, name: str = "grub.cfg", entry: str | None = None) -> BootPlan:
    """What the script boots: its menu's default entry, or the one named `entry`, or its own commands.

    Raises NotStraight, and PeerError for a script that is none, that boots nothing or has no such entry.
    """
    run = _Run(facts, name)
    try:
        run.statements(parse_script(text, name))
        if run.entries:
            chosen = _chosen(run, name, entry)
            run.loaded = _Loaded()
            run.statements(chosen.body)
            return run.boot(chosen.origin)
        if entry is not None:
            raise PeerError(ScriptMessage.NO_GRUB_ENTRY.said(script=name, entry=repr(entry), known="it has no entries"))
        return run.boot(Origin(name))
    except _Done as done:
        return done.plan


def _chosen(run: _Run, name: str, wanted: str | None) -> Entry:
    """By --id, title or number, as GRUB reads `default`; of a submenu "1>2"."""
    if wanted is None:
        wanted = run.variables.get("default", "0") or "0"
    last = wanted.rpartition(">")[2]
    for entry in run.entries:
        if wanted in (entry.id, entry.title) or last in (entry.id, entry.title):
            return entry
    if wanted.isdecimal() and int(wanted) < len(run.entries):
        return run.entries[int(wanted)]
    if wanted == run.variables.get("default") and "saved" in wanted:
        return run.entries[0]
    titles = ", ".join(repr(entry.id or entry.title) for entry in run.entries[:20])
    raise PeerError(
        ScriptMessage.NO_GRUB_ENTRY.said(script=name, entry=repr(wanted), known=f"its entries are {titles}")
    )


class _Run:
    """The script's state as its commands are carried out; every command is taken to succeed."""

    def __init__(self, facts: MachineFacts, name: str) -> None:
        mac = facts.mac or ""
        self.name = name
        self.variables: dict[str, str] = {
            "grub_platform": facts.platform,
            "grub_cpu": facts.arch,
            "net_default_mac": mac,
            "net_default_ip": str(facts.ip or ""),
            "net_default_server": str(facts.server or ""),
            "pxe_default_server": str(facts.server or ""),
            "prefix": "/grub",
            "root": "",
            "default": "0",
            "timeout": "",
            "feature_all_video_module": "y",
            "feature_menuentry_id": "y",
            "feature_default_font_path": "y",
            "feature_timeout_style": "y",
            "menuentry_id_option": "--id",
            "next_entry": "",
            "prev_saved_entry": "",
            "saved_entry": "",
            "initrdfail": "",
            "boot_once": "",
            "linux_gfx_mode": "",
        }
        self.entries: list[Entry] = []
        self.loaded = _Loaded()
        self._steps = 0

    def statements(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise NotStraight(statement.origin, "too many commands")
            match statement:
                case Command():
                    self.command(statement)
                case If():
                    self.statements(self._branch(statement))
                case Block():
                    self._block(statement)

    def _branch(self, statement: If) -> tuple[Statement, ...]:
        for condition, body in statement.branches:
            if self._holds(condition):
                return body
        return statement.otherwise

    def _holds(self, condition: Command) -> bool:
        words = self._expand(condition)
        if words[0] == "[" and words[-1] == "]":
            return self._test(words[1:-1], condition.origin)
        if words[0] == "test":
            return self._test(words[1:], condition.origin)
        self.command(condition)  # `if linux …; then`: taken to succeed
        return words[0] != "false"

    def _test(self, words: list[str], origin: Origin) -> bool:
        match words:
            case [left, "=" | "==", right]:
                return left == right
            case [left, "!=", right]:
                return left != right
            case ["-z", text]:
                return not text
            case ["-n", text] | [text]:
                return bool(text)
            case ["!", *rest]:
                return not self._test(rest, origin)
            case ["-s" | "-f" | "-e" | "-d", _]:
                raise NotStraight(origin, f"asks whether {words[1]} is there, which GRUB finds out only when it runs")
        raise NotStraight(origin, f"the test {' '.join(words)!r} is more than equality of texts")

    def _block(self, block: Block) -> None:
        words = self._expand(block.head)
        if words[0] == "submenu":
            self.statements(block.body)
            return
        title, ident, rest = "", "", iter(words[1:])
        for word in rest:
            if word in ("--id", "--class", "--users", "--hotkey"):
                value = next(rest, "")
                ident = value if word == "--id" else ident
            elif word.startswith("--id="):
                ident = word[5:]
            elif not word.startswith("--") and not title:
                title = word
            elif ident == "" and word.startswith("$menuentry_id_option"):
                ident = next(rest, "")
        self.entries.append(Entry(title, ident, block.head.origin, block.body))

    def _expand(self, command: Command) -> list[str]:
        words = [text for word in command.words for text in word.expand(self._value, command.origin)]
        if sum(map(len, words)) > LONGEST:
            raise NotStraight(command.origin, f"grows beyond {LONGEST} characters")
        return words or [""]

    def _value(self, name: str, origin: Origin) -> str:
        if name not in self.variables:
            raise NotStraight(origin, f"the value of ${name} is known only to a running GRUB")
        return self.variables[name]

    def command(self, command: Command) -> None:
        first = command.words[0].plain()
        if first in _PASSED or first == "":
            return
        words = self._expand(command)
        name, rest, origin = words[0], words[1:], command.origin
        if name == "set":
            self._set(rest, origin)
        elif name in _LINUX and rest:
            self.loaded.kernel = self.place(rest[0], origin)
            self.loaded.args = " ".join(_kernel_word(word) for word in rest[1:])
        elif name in _INITRD:
            self.loaded.initrds = tuple(self.place(word, origin) for word in rest if not word.startswith("--"))
        elif name in _XEN and rest:
            self.loaded.xen = self.place(next((w for w in rest if not w.startswith("--")), ""), origin)
        elif name in _MODULE:
            self._module([word for word in rest if not word.startswith("--")], origin)
        elif name == "configfile" and rest:
            raise _Done(Chain(self.place(rest[0], origin)))
        elif name == "boot":
            raise _Done(self.boot(origin))
        elif name in ("exit", "localboot") or (name == "chainloader" and rest[-1:] == ["+1"]):
            raise _Done(Local(f"{origin}: {' '.join(words)}"))
        elif name == "chainloader":
            raise _Done(refused(rest[-1] if rest else "", (), str(origin)) or _no_loader(origin, words))
        elif name in ("reboot", "halt"):
            raise _Done(Refusal(ScriptMessage.NO_KERNEL_NAMED.said(where=f"{origin}: {name}")))
        else:
            raise NotStraight(origin, f"{name} is a command that a domU's boot cannot follow")

    def _set(self, words: list[str], origin: Origin) -> None:
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                raise NotStraight(origin, f"set {word}: has no =")
            self.variables[name] = value

    def _module(self, words: list[str], origin: Origin) -> None:
        if words:
            self.loaded.modules.append((self.place(words[0], origin), " ".join(map(_kernel_word, words[1:]))))

    def place(self, name: str, origin: Origin) -> str:
        """A name that can be fetched: a URL for (http,host)/… and (tftp,host)/…, else the path on the same server."""
        device, path = _device(name)
        if not device:
            device = self.variables["root"].strip("()")
        kind, _, host = device.partition(",")
        if kind in ("", "tftp", "pxe", "http", "https") and not host:
            return path
        if kind in ("tftp", "http", "https"):
            return f"{kind}://{host}/{path.lstrip('/')}"
        raise NotStraight(origin, f"{name} is on the disk {device}; a domU boots its disk with pygrub")

    def boot(self, origin: Origin) -> BootPlan:
        loaded = self.loaded
        if loaded.xen and loaded.modules:
            (kernel, args), *others = loaded.modules
            return refused(kernel, (), str(origin)) or Boot(kernel, tuple(name for name, _ in others[:1]), args)
        if loaded.kernel:
            refusal = refused(loaded.kernel, loaded.initrds, str(origin))
            return refusal or Boot(loaded.kernel, loaded.initrds, loaded.args)
        raise PeerError(ScriptMessage.NO_KERNEL_NAMED.said(where=origin))


def _no_loader(origin: Origin, words: list[str]) -> Refusal:
    why = "starts another loader, which a domU cannot run"
    return Refusal(ScriptMessage.FOREIGN.said(where=origin, file=" ".join(words), why_a_domu_cannot_run_it=why))


def _device(name: str) -> tuple[str, str]:
    if name.startswith("(") and ")" in name:
        device, _, path = name[1:].partition(")")
        return device, path
    return "", name


def _kernel_word(word: str) -> str:
    """GRUB gives words with spaces to the kernel in double quotes (grub-core/lib/cmdline.c)."""
    return f'"{word}"' if " " in word else word
