"""GRUB as it runs a script: its variables, functions and menu, what it has loaded, and what it can ask the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub.environment import Device, device_of, first
from netprov.scripts.grub.syntax import Command, For, Function, If, Statement, While, parse_script
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.notes import Notes
from netprov.scripts.plan import Boot, BootPlan, Files, refused
from netprov.scripts.straight import LARGEST, LONGEST, MOST_FILES, MOST_STEPS, NotStraight

_DEEPEST = 48  # statements in functions in files
_NETWORK = ("tftp", "http", "https")


@dataclass(frozen=True, slots=True)
class Entry:
    """A menuentry or submenu. `users`: who may boot it by password; None: everybody."""

    title: str
    id: str
    origin: Origin
    body: tuple[Statement, ...]
    arguments: tuple[str, ...] = ()
    submenu: bool = False
    users: str | None = None


@dataclass(slots=True)
class Loaded:
    """What `boot` starts."""

    origin: Origin | None = None
    kernel: str = ""
    args: str = ""
    initrds: tuple[str, ...] = ()
    xen: str = ""
    modules: list[tuple[str, str]] = field(default_factory=list)
    other: BootPlan | None = None  # of chainloader


class Done(Exception):
    """`boot`, `exit` and the like: the rest of the script is not reached."""

    def __init__(self, plan: BootPlan) -> None:
        super().__init__()
        self.plan = plan


class _Leave(Exception):
    """break and continue: `loops` to leave; the last of them goes on with its next round where `again`."""

    def __init__(self, loops: int, again: bool) -> None:
        super().__init__()
        self.loops = loops
        self.again = again


class _Return(Exception):
    def __init__(self, status: bool) -> None:
        super().__init__()
        self.status = status


Run = Callable[["Machine", list[str], Origin, "tuple[Statement, ...] | None"], bool]
"""A command: its name and arguments, where it stands, and its block. Returns whether it succeeds."""


class Machine:
    """`home`: where the script came from. `found`: the questions about the machine's own disk, by where they stand,
    that are answered with yes; nobody knows here. `asked`: those whose answers decided something."""

    def __init__(
        self,
        facts: MachineFacts,
        files: Files | None,
        home: Device,
        folder: str,
        commands: Run,
        found: frozenset[Origin],
    ) -> None:
        self.facts = facts
        self.home = home
        self.found = found
        self.asked: list[Origin] = []
        self.searched: Origin | None = None  # the search whose status is that of the last command
        self.environment = first(facts, home, folder)
        self.functions: dict[str, Function] = {}
        self.loaded = Loaded()
        self.menu: list[Entry] = []
        self.notes = Notes()
        self.ever_searched = False
        self._files = files
        self._run_command = commands
        self._arguments: list[str] = []
        self._status = True
        self._steps = self._fetched = self._depth = 0
        self._loops = self._called = 0  # that are being run: the loops of this function, and functions

    # statements

    def source(self, text: str, name: str) -> bool:
        """Runs a script as it stands."""
        script = parse_script(text, name)
        self.notes.update(script.notes)
        return self.run(script.statements)

    def run(self, statements: tuple[Statement, ...]) -> bool:
        """Whether the last one succeeds."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotStraight(statements[0].origin, "functions and files call each other endlessly")
        status = True
        for statement in statements:
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise NotStraight(statement.origin, "loops endlessly")
            status = self._statement(statement)
        self._depth -= 1
        return status

    def _statement(self, statement: Statement) -> bool:
        match statement:
            case Command():
                status = self._command(statement)
            case If():
                status = self._if(statement)
            case For():
                rounds = iter([text for word in statement.words for text in word.expand(self._values)])
                status = self._loop(lambda: self._next(statement.name, rounds), statement.body)
            case While():
                status = self._loop(lambda: self._holds(statement.condition) is not statement.until, statement.body)
            case Function():
                self.functions[statement.name] = statement
                status = True
        self._status = status
        return status

    def _if(self, statement: If) -> bool:
        for condition, body in statement.branches:
            if self._holds(condition):
                return self.run(body)
        return self.run(statement.otherwise) if statement.otherwise else True

    def _holds(self, condition: tuple[Statement, ...]) -> bool:
        self.searched = None
        status = self.run(condition)
        self.decide()
        return status

    def _next(self, name: str, rounds: Iterator[str]) -> bool:
        value = next(rounds, None)
        if value is not None:
            self.set(name, value, None)
        return value is not None

    def _loop(self, goes_on: Callable[[], bool], body: tuple[Statement, ...]) -> bool:
        status, depth, loops = True, self._depth, self._loops
        while goes_on():
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise NotStraight(body[0].origin, "loops endlessly")
            self._loops = loops + 1
            try:
                status = self.run(body)
            except _Leave as leave:
                self._depth = depth
                if leave.loops > 1:
                    raise _Leave(leave.loops - 1, leave.again) from None
                if not leave.again:
                    break
            finally:
                self._loops = loops
        return status

    def _command(self, command: Command) -> bool:
        words = self._expanded(command)
        if not words:
            return True
        inverted = words[0] == "!" and len(words) > 1
        words = words[1:] if inverted else words
        self.searched = None
        function = self.functions.get(words[0])
        if function is not None:
            status = self._call(function, words[1:])
        else:
            status = self._run_command(self, words, command.origin, command.block)
        return status is not inverted

    def _expanded(self, command: Command) -> list[str]:
        words = [text for word in command.words for text in word.expand(self._values)]
        if sum(map(len, words)) > LONGEST:
            raise NotStraight(command.origin, f"grows beyond {LONGEST} characters")
        return words

    def _call(self, function: Function, arguments: list[str]) -> bool:
        depth, loops = self._depth, self._loops
        self._loops, self._called = 0, self._called + 1
        with self.arguments(arguments):
            try:
                return self.run(function.body)
            except _Return as back:
                self._depth = depth
                return back.status
            finally:
                self._loops, self._called = loops, self._called - 1

    @contextmanager
    def arguments(self, arguments: list[str]) -> Iterator[None]:
        """What $1, $2 … are for a function or an entry."""
        before, self._arguments = self._arguments, arguments
        try:
            yield
        finally:
            self._arguments = before

    def set_arguments(self, arguments: list[str]) -> None:
        self._arguments = arguments

    def shift(self, count: int) -> bool:
        if count > len(self._arguments):
            return False
        self._arguments = self._arguments[count:]
        return True

    def leave(self, loops: int, again: bool) -> bool:
        """`break` and `continue`: of no more loops than there are."""
        if self._loops:
            raise _Leave(min(loops, self._loops), again)
        return True

    def back(self, status: bool | None) -> bool:
        """`return`, which fails where nothing was called."""
        if self._called:
            raise _Return(self._status if status is None else status)
        return False

    # variables

    def value(self, name: str) -> str:
        """What is not set is empty."""
        return self.environment.values.get(name, "")

    def set(self, name: str, value: str, origin: Origin | None) -> None:
        if name == "root":
            value = value.removeprefix("(").removesuffix(")")
        self.environment.set(name, value)
        if self.environment.size > LARGEST:
            raise NotStraight(origin or Origin("grub.cfg"), f"its variables grow beyond {LARGEST} characters")

    def _values(self, name: str) -> list[str]:
        if name == "?":
            self.decide()
            return [str(int(not self._status))]
        if name == "#":
            return [str(len(self._arguments))]
        if name == "@":
            return self._arguments or [""]
        if name == "*":
            return [" ".join(self._arguments)]
        if name.isdecimal():
            place = int(name[:6])
            return [self._arguments[place - 1] if 0 < place <= len(self._arguments) else ""]
        return [self.value(name)]

    # the machine's own disk

    def decide(self) -> None:
        """The last command's status counts."""
        if self.searched is not None:
            self.asked.append(self.searched)

    def ask_disk(self, origin: Origin) -> bool:
        """Whether something is there on the machine's own disk."""
        self.asked.append(origin)
        return origin in self.found

    # files

    def device(self, name: str) -> tuple[Device, str]:
        """The device and the path that a name means."""
        if name.startswith("(") and ")" in name:
            inside, _, path = name[1:].partition(")")
        else:
            inside, path = self.value("root"), name
        device = device_of(inside)
        if device.kind in _NETWORK and not device.host:
            device = Device(device.kind, self.value("net_default_server"))
        return device, path

    def place(self, name: str, origin: Origin) -> str:
        """A name that can be fetched: the path on the script's own server, or a URL of another."""
        device, path = self.device(name)
        if device.kind not in _NETWORK:
            where = f"on the disk {device}" if device.kind else "on no device"
            raise NotStraight(origin, f"{name} is {where}; a domU boots its disk with pygrub")
        if device == self.home or not device.host:
            return path
        return f"{device}/{path.lstrip('/')}".replace(",", "://", 1)

    def knows_files(self) -> bool:
        return self._files is not None

    def text(self, name: str, origin: Origin) -> str | None:
        """The text of a file; None: there is none."""
        if self._files is None:
            raise NotStraight(origin, f"asks whether {name} is there, which only a running GRUB finds out")
        self._fetched += 1
        if self._fetched > MOST_FILES:
            raise NotStraight(origin, f"asks for more than {MOST_FILES} files")
        place = self.place(name, origin)
        return self._files(place) if place.strip("/") else None

    # what boots

    def boot(self, origin: Origin) -> BootPlan:
        """Raises PeerError where nothing is loaded."""
        loaded, where = self.loaded, str(origin)
        if loaded.other is not None:
            return loaded.other
        if loaded.xen and loaded.modules:
            (kernel, args), *others = loaded.modules
            initrds = tuple(name for name, _ in others[:1])
            return refused(kernel, initrds, where, by_suffix=False) or Boot(kernel, initrds, args)
        if loaded.kernel:
            refusal = refused(loaded.kernel, loaded.initrds, where, by_suffix=False)
            return refusal or Boot(loaded.kernel, loaded.initrds, loaded.args)
        raise PeerError(ScriptMessage.NO_KERNEL_NAMED.said(where=origin))

    @property
    def has_loaded(self) -> bool:
        loaded = self.loaded
        return bool(loaded.kernel or loaded.other is not None or (loaded.xen and loaded.modules))

    @contextmanager
    def context(self) -> Iterator[None]:
        """A configfile's or a submenu's own variables and menu."""
        before = self.environment, self.menu
        self.environment, self.menu = before[0].opened(), []
        try:
            yield
        finally:
            self.environment, self.menu = before
