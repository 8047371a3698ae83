"""iPXE scripts, as far as they are straight-line: what they boot when every command succeeds.

Sans-IO: a text in, a BootPlan out. Source: ipxe.org/scripting and the command references.
"""

from __future__ import annotations

import re

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal, refused
from netprov.scripts.straight import LONGEST, MOST_STEPS, NotStraight, without_initrd

MAGIC = "#!ipxe"
_PASSED = frozenset(
    {
        "echo", "dhcp", "ifopen", "ifclose", "ifconf", "ifstat", "route", "sleep", "prompt", "login", "console",
        "colour", "color", "cpair", "imgstat", "imgtrust", "imgverify", "imgfree", "nstat", "ntp", "sync", "time",
        "config", "cpuid", "inc", "clear", "imgmem", "shell", "fcstat", "show", "params", "param", "pciscan",
    }
)  # fmt: skip
"""What concerns the screen or iPXE's own state; taken to succeed."""
_KERNEL = frozenset({"kernel", "linux", "imgload"})
_INITRD = frozenset({"initrd", "module", "imgfetch"})
_SMBIOS = {"manufacturer": "SYSVENDOR", "product": "SYSPRODUCT", "serial": "SYSSERIAL"}
_SETTING = re.compile(r"\$\{([^{}]*)\}")
_VALUED = frozenset({"-n", "--name", "-t", "--timeout", "-a", "-d", "--default", "-k", "--key", "-m", "--menu"})


def plan(text: str, facts: MachineFacts, name: str = "script.ipxe") -> BootPlan:
    """What the script boots. Raises NotStraight, and PeerError for a script that boots nothing."""
    lines = _lines(text)
    if not lines or not lines[0][1].startswith(MAGIC):
        raise PeerError(ScriptMessage.NO_IPXE.said(script=f"{name}:1"))
    return _Run(facts, name, lines).run()


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers; a backslash at the end joins the next."""
    found: list[tuple[int, str]] = []
    joined = ""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        if joined.strip():
            found.append((number, joined.strip()))
        joined = ""
    return found


class _Run:
    def __init__(self, facts: MachineFacts, name: str, lines: list[tuple[int, str]]) -> None:
        self._name = name
        self._lines = lines
        self._at = 1
        self._settings = _known(facts)
        self._kernel = self._args = self._chosen = ""
        self._initrds: list[str] = []
        self._items: list[str] = []
        self._plan: BootPlan | None = None

    def run(self) -> BootPlan:
        for _ in range(MOST_STEPS):
            if self._plan is not None:
                return self._plan
            if self._at >= len(self._lines):
                return self._boot(Origin(self._name)) if self._kernel else Local(f"{self._name}: ends without a boot")
            number, line = self._lines[self._at]
            self._at += 1
            if not line.startswith(("#", ":")):
                self._line(line, Origin(self._name, number))
        raise NotStraight(Origin(self._name), "loops without end")

    def _line(self, line: str, origin: Origin) -> None:
        """`a || b`: b only where a fails; `a && b`: b only where a succeeds."""
        succeeded, joint = True, "&&"
        for part in re.split(r"(?:^|(?<=\s))(\|\||&&)(?=\s|$)", line):
            part = part.strip()
            if part in ("||", "&&"):
                joint = part
            elif (joint == "&&") == succeeded and part:
                at = self._at
                succeeded = self._command(part, origin)
                if self._plan is not None or self._at != at:
                    return
            elif not part and joint == "||":
                succeeded = True  # `command ||`: a failure does not end the script
        if not succeeded:
            self._plan = Local(f"{origin}: the script ends here, as {line!r} fails")

    def _command(self, text: str, origin: Origin) -> bool:
        name, _, raw = text.partition(" ")
        if name in _PASSED:
            return True
        if name == "isset":
            return bool(self._expand(raw.strip(), origin, strict=False))
        words = self._expand(raw, origin).split()
        plain = _positional(words)
        if name in ("set", "clear"):
            self._set(words)
        elif name == "iseq" and len(plain) == 2:
            return plain[0] == plain[1]
        elif name == "goto" and plain:
            self._goto(plain[0], origin)
        elif name in _KERNEL and plain:
            self._kernel, self._args = plain[0], without_initrd(" ".join(_after(words, plain[0])))
        elif name in _INITRD and plain:
            self._initrds.append(plain[0])
        elif name == "imgargs" and plain:
            self._args = without_initrd(" ".join(_after(words, plain[0])))
        elif name in ("menu", "item", "choose"):
            return self._menu(name, words, plain)
        elif name in ("boot", "chain", "imgexec", "imgselect"):
            self._execute(name, plain, origin)
        elif name in ("exit", "sanboot"):
            self._plan = Local(f"{origin}: {text}")
        elif name in ("reboot", "poweroff"):
            self._plan = Refusal(ScriptMessage.NO_KERNEL_NAMED.said(where=f"{origin}: {name}"))
        else:
            raise NotStraight(origin, f"{name} is a command that a domU's boot cannot follow")
        return True

    def _execute(self, name: str, plain: list[str], origin: Origin) -> None:
        if name == "imgselect":
            return
        if name == "chain" and plain:
            self._plan = refused(plain[0], (), str(origin)) or Chain(plain[0])
        elif self._kernel:
            self._plan = self._boot(origin)
        elif plain:
            self._plan = refused(plain[0], (), str(origin)) or Chain(plain[0])
        else:
            raise NotStraight(origin, f"{name} without a kernel")

    def _boot(self, origin: Origin) -> BootPlan:
        initrds = tuple(self._initrds)
        return refused(self._kernel, initrds, str(origin)) or Boot(self._kernel, initrds, self._args)

    def _set(self, words: list[str]) -> None:
        if words:
            self._settings[words[0].partition(":")[0]] = " ".join(words[1:])

    def _goto(self, label: str, origin: Origin) -> None:
        for place, (_, line) in enumerate(self._lines):
            if line.split()[0] == f":{label}":
                self._at = place + 1
                return
        raise NotStraight(origin, f"there is no label :{label}")

    def _menu(self, name: str, words: list[str], plain: list[str]) -> bool:
        """Nobody is at the keyboard: the menu's default is chosen, else its first item."""
        if name == "menu":
            self._items = []
        elif name == "item":
            if plain and not {"--gap", "-g"} & set(words):
                self._items.append(plain[0])
        else:
            default = next((words[i + 1] for i, w in enumerate(words[:-1]) if w in ("-d", "--default")), "")
            self._settings[plain[-1] if plain else ""] = default or (self._items[0] if self._items else "")
        return True

    def _expand(self, text: str, origin: Origin, strict: bool = True) -> str:
        """Settings, the innermost first. One that is neither set nor known makes the script more than straight-line."""
        for _ in range(100):
            found = _SETTING.search(text)
            if found is None:
                return text
            value = self._value(found[1])
            if value is None and strict:
                raise NotStraight(origin, f"the value of ${{{found[1]}}} is known only to a running iPXE")
            text = text[: found.start()] + (value or "") + text[found.end() :]
            if len(text) > LONGEST:
                raise NotStraight(origin, f"grows beyond {LONGEST} characters")
        raise NotStraight(origin, "settings stand in settings without end")

    def _value(self, setting: str) -> str | None:
        name, _, kind = setting.partition(":")
        scope, _, last = name.rpartition("/")
        if re.fullmatch(r"net[0-9X]+(\.dhcp)?|smbios", scope):
            name = last
        value = self._settings.get(name)
        if value is None:
            return None
        if kind == "hexhyp":
            return value.replace(":", "-")
        if kind == "hexraw":
            return value.replace(":", "")
        return value


def _known(facts: MachineFacts) -> dict[str, str]:
    values = {
        "mac": facts.mac,
        "ip": facts.ip,
        "netmask": facts.netmask,
        "gateway": facts.gateway,
        "next-server": facts.server,
        "dhcp-server": facts.server,
        "uuid": facts.uuid,
    }
    known = {name: str(value) for name, value in values.items() if value}
    known |= {name: facts.dmi[key] for name, key in _SMBIOS.items() if key in facts.dmi}  # also where it says nothing
    return known | {"platform": facts.platform, "buildarch": facts.arch}


def _positional(words: list[str]) -> list[str]:
    """The words that are neither options nor an option's value."""
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in _VALUED:
            skip = True
        elif not word.startswith("-") or found:
            found.append(word)
    return found


def _after(words: list[str], word: str) -> list[str]:
    return words[words.index(word) + 1 :]
