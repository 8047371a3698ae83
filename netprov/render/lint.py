"""netprov lint: every script and every installer's answers of every system and profile, rendered and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from netprov.boot.arch import PCS
from netprov.boot.chain import menu_entries
from netprov.boot.decision import Action, BootDecision, Step
from netprov.boot.owner import PREVIEW_TOKEN, first_mac
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader, Via
from netprov.errors import ConfigError, Origin, PeerError, Problem
from netprov.inventory.model import Inventory, Target
from netprov.render import notes
from netprov.render.answers import Answers, answers_of
from netprov.render.arguments import command_line, too_long
from netprov.render.breeds import release_of
from netprov.render.compose import answers_for, kernel_of, script_of
from netprov.render.context import Subject, values
from netprov.render.environment import Templates
from netprov.render.marker import is_template
from netprov.render.quoting import Kind, Unquotable, kernel_word
from netprov.render.server import Server
from netprov.render.validate import problems
from netprov.render.variables import VARIABLES

SERVER = IPv4Address("192.0.2.1")
"""Stands for our address where none is declared (RFC 5737, for documentation)."""

_LOADERS = (Loader.PXELINUX, Loader.GRUB, Loader.IPXE)


@dataclass(frozen=True, slots=True)
class Findings:
    """`problems` keep machines from booting or installing; `warnings` may."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def lint(inventory: Inventory, systems: Iterable[Target] | None = None) -> Findings:
    """Renders and checks everything that `inventory` declares, as if every install were armed. `systems`: of its
    systems only these."""
    return _Lint(inventory).findings(inventory.systems() if systems is None else systems)


class _Lint:
    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.templates = Templates.of(inventory)
        self.request = BootRequest(Via.TFTP, Loader.PXELINUX, server=SERVER)
        self.server = Server.of(inventory, self.request)

    def findings(self, systems: Iterable[Target]) -> Findings:
        targets = [*self.inventory.profiles(), *systems]
        wrong: list[Problem] = []
        warned: list[Problem] = []
        for target in targets:
            wrong += self.scripts(target)
            answers = self.answers(target)
            wrong += answers.problems
            warned += [*self.lengths(target), *answers.warnings]
        wrong += self.of_everybody()
        warned += self.of_snippets(targets)
        return Findings(_merged(wrong), _merged(warned))

    def scripts(self, target: Target) -> Iterator[Problem]:
        for loader in _loaders(target) if target.kernel else ():
            yield from self.script(Action.KERNEL, replace(self.request, loader=loader), target)

    def of_everybody(self) -> Iterator[Problem]:
        for loader in _LOADERS:
            request = replace(self.request, loader=loader)
            yield from self.script(Action.LOCAL, request)
            yield from self.script(Action.IDENTIFY, request)
            yield from self.script(Action.MENU, request, menu=menu_entries(self.inventory))

    def script(
        self, action: Action, request: BootRequest, target: Target | None = None, menu: tuple[Target, ...] = ()
    ) -> Iterator[Problem]:
        decision = BootDecision(
            action,
            (Step(Reason.RENDERED, "lint"),),
            target=target,
            kernel=kernel_of(target) if target is not None else None,
            menu=menu,
        )
        try:
            script_of(self.inventory, self.templates, request, decision, PREVIEW_TOKEN)
        except ConfigError as error:
            yield from error.problems

    def answers(self, target: Target) -> Findings:
        subject = self.subject(target)
        try:
            answers = answers_of(target)
            rendered = answers_for(subject, self.templates, target.name)
        except PeerError:
            return Findings((), ())
        except ConfigError as error:
            return Findings(error.problems, ())
        text = rendered.body.decode(errors="replace")
        wrong = problems(
            answers.kind,
            text,
            release_of(target),
            where=subject.where,
            template=answers.template,
            templates=self.templates,
        )
        return Findings(tuple(wrong), tuple(self.notes(subject, answers, text)))

    def notes(self, subject: Subject, answers: Answers, text: str) -> Iterator[Problem]:
        """What answers that can be made may not do though their author means it."""
        kind, name, seen = answers.kind, answers.template, values(subject)
        source, file = self.templates.written(kind, name)
        template = is_template(kind, name, source)
        found = [*notes.of_source(kind, name, source, seen), *notes.of_end(kind, name, text, template=template)]
        for note in found:
            yield Problem(Origin(file, note.line), subject.where, note.text)
        for note in notes.of_logins(name, source, seen) if template else ():
            origins = subject.target.origins
            origin = origins.get("autoinstall_meta", origins.get("autoinstall", subject.target.origin))
            yield Problem(origin, f"{subject.where}, field autoinstall_meta", note.text)

    def lengths(self, target: Target) -> Iterator[Problem]:
        facts = self.subject(target).facts(autoinstall=bool(target.autoinstall))
        try:
            words = command_line(target, target.kernel_options, facts)
            text = too_long(target, " ".join(map(kernel_word, words)))
        except (ConfigError, Unquotable):
            return  # told among the problems
        if text:
            yield Problem(target.origins.get("kernel_options", target.origin), f"{target.kind} {target.name}", text)

    def of_snippets(self, targets: Iterable[Target]) -> Iterator[Problem]:
        """What snippets have that nothing fills in, whoever includes them."""
        known = {*VARIABLES, *(name for target in targets for name in target.autoinstall_meta)}
        for name in self.templates.names(Kind.TEXT):
            if name.startswith("snippets/"):
                source, file = self.templates.written(Kind.TEXT, name)
                for note in notes.of_source(Kind.TEXT, name, source, known):
                    yield Problem(Origin(file, note.line), name, note.text)

    def subject(self, target: Target) -> Subject:
        return Subject(target, self.server, first_mac(target), PREVIEW_TOKEN)


def _loaders(target: Target) -> list[Loader]:
    """The loaders that may start the target's kernel; PXELINUX is for x86's BIOS."""
    return [loader for loader in _LOADERS if loader is not Loader.PXELINUX or target.arch in PCS]


def _merged(found: list[Problem]) -> tuple[Problem, ...]:
    """The same problem of many machines told once, with the first of them and their number."""
    first: dict[tuple[str, str], Problem] = {}
    wheres: dict[tuple[str, str], list[str]] = {}
    for problem in found:
        key = (str(problem.origin), problem.text)
        first.setdefault(key, problem)
        names = wheres.setdefault(key, [])
        if problem.where not in names[:1]:
            names.append(problem.where)
    merged = []
    for key, problem in first.items():
        others = len(set(wheres[key])) - 1
        where = f"{problem.where} (and {others} more)" if others > 0 else problem.where
        merged.append(replace(problem, where=where))
    return tuple(merged)
