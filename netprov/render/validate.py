"""Whether an installer would accept what was rendered for it."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import yaml
from jinja2.exceptions import TemplateError as JinjaError
from pykickstart.base import BaseHandler
from pykickstart.errors import KickstartParseError
from pykickstart.handlers.control import commandMap
from pykickstart.parser import KickstartParser
from pykickstart.version import returnClassForVersion, versionMap

from netprov.errors import Origin, Problem
from netprov.render.breeds import SUBIQUITY, Family, Release
from netprov.render.environment import Templates
from netprov.render.marker import is_template
from netprov.render.quoting import Kind

_SOURCES = ("method", "cdrom", "harddrive", "hmc", "liveimg", "nfs", "ostreecontainer", "ostreesetup", "url")
"""The commands that look at each other in pykickstart: `method` stands for whichever of them is used."""

MOST = 20
"""Problems told of one text: beyond these they are one mistake's consequences."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a line of a rendered text (from 1; 0: as a whole)."""

    line: int
    text: str


def faults(kind: Kind, text: str, release: Release) -> list[Fault]:
    """What the installer of `release` would not accept in `text`. Loaders' scripts have no checker here."""
    check = _CHECKS.get(kind)
    return list(check(text, release))[:MOST] if check is not None else []


def problems(
    kind: Kind, text: str, release: Release, *, where: str, template: str, templates: Templates
) -> list[Problem]:
    """The same as Problems that name the file and line: a template's as far as the line can be found again."""
    lines = text.split("\n")
    source, file = templates.written(kind, template)
    plain = not is_template(kind, template, source)
    found = []
    for fault in faults(kind, text, release):
        line = lines[fault.line - 1] if 0 < fault.line <= len(lines) else ""
        shown = f": {line.strip()}" if line.strip() else ""
        if plain:
            origin, told = Origin(file, fault.line), where
        else:
            at = f"rendered line {fault.line}, " if fault.line else ""
            origin, told = _template_line(line, kind, template, templates), f"{where}, {at}template {template}"
        found.append(Problem(origin, told, f"{fault.text}{shown}"))
    return found


def handler_version(release: Release) -> str:
    """pykickstart's name for the Kickstart language of `release`: the newest it knows that is not newer."""
    prefix = "RHEL" if release.family is Family.REDHAT else "F"
    known = sorted(int(name[len(prefix) :]) for name in versionMap if re.fullmatch(prefix + r"\d+", name))
    fitting = [number for number in known if number <= release.version[0]]
    return f"{prefix}{fitting[-1] if fitting else known[0]}"


def _kickstart(text: str, release: Release) -> Iterator[Fault]:
    """pykickstart stops at the first error: what is in error is blanked, and the rest read again."""
    version = handler_version(release)
    lines = text.splitlines()  # as pykickstart does, for which U+0085 and a form feed end a line too
    for _ in range(MOST):
        try:
            parser = KickstartParser(_handler(version, lines), followIncludes=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # deprecated commands still install
                parser.readKickstartFromString("\n".join(lines) + "\n")
        except KickstartParseError as error:
            line = getattr(error, "lineno", 0) or 0
            yield Fault(_as_counted(line, text), f"{_kickstart_text(error)} (Kickstart of {version})")
            if not 0 < line < len(lines):
                return  # the text as a whole, or its end: a section that is never closed
            _blank(lines, line - 1)
        except Exception as error:  # pykickstart lets others out: ValueError of a quote, TypeError of a bare method
            yield Fault(0, f"{_kickstart_text(error)} (Kickstart of {version})")
            return
        else:
            return


def _as_counted(line: int, text: str) -> int:
    """The line of `text` that an editor counts, of one that pykickstart counts."""
    return "".join(text.splitlines(keepends=True)[: line - 1]).count("\n") + 1 if line else 0


def _handler(version: str, lines: list[str]) -> BaseHandler:
    """pykickstart's handler with the commands that the text may use: to make all of them takes 10 ms a kickstart."""
    words = {line.split(None, 1)[0] for line in lines if line.strip()}
    commands = commandMap[versionMap[version]]
    mapping = {name: command for name, command in commands.items() if name in words or name in _SOURCES}
    return returnClassForVersion(version)(mapping=mapping)


def _blank(lines: list[str], start: int) -> None:
    """Takes a command out, or a section as a whole."""
    section = lines[start].lstrip().startswith("%")
    for number in range(start, len(lines)):
        ends = not section or lines[number].lstrip().startswith("%end")
        lines[number] = ""
        if ends:
            return


def _kickstart_text(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error)
    text = re.sub(r"^The following problem occurred on line \d+ of the kickstart file:\s*", "", text)
    return " ".join(text.split()) or type(error).__name__


_DEBCONF_TYPES = frozenset(
    {"boolean", "error", "multiselect", "note", "password", "seen", "select", "string", "text", "title"}
)


def _preseed(text: str, release: Release) -> Iterator[Fault]:
    """debconf-set-selections(1): owner, question, type, value; a backslash at the end continues a line."""
    start, joined = 0, ""
    for number, line in enumerate(text.split("\n"), 1):  # for debconf, nothing else ends a line
        start = start if joined else number
        if line.endswith("\\"):
            joined += line[:-1]
            continue
        whole, joined = (joined + line).strip(), ""
        if not whole or whole.startswith("#"):
            continue
        parts = whole.split(None, 3)
        if len(parts) < 3:
            yield Fault(start, "a preseed line needs an owner, a question and a type")
        elif parts[2] not in _DEBCONF_TYPES:
            yield Fault(start, f"{parts[2]!r} is not a debconf type; they are {', '.join(sorted(_DEBCONF_TYPES))}")
    if joined:
        yield Fault(start, "the last line ends with a backslash")


_OTHER_USER_DATA = re.compile(
    r"#!|#include\b|#cloud-boothook|#cloud-config-(?:archive|jsonp)|#part-handler|#upstart-job|##\s*template:\s*jinja"
    r"|(?:From |[\w-]+: ?)(?:.*\n)*?MIME-Version:",
    re.IGNORECASE,
)
"""How user-data begins that is no YAML, or is only once the machine has filled it in (cloud-init, "User-data formats";
a MIME message is known by its header)."""

_CLOUD_CONFIG = "#cloud-config"


def _yaml(text: str, release: Release) -> Iterator[Fault]:
    if _OTHER_USER_DATA.match(text[:4096]):
        return
    try:
        read = list(yaml.safe_load_all(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        yield Fault(mark.line + 1 if mark else 0, f"this is not YAML: {error.problem}")
    except (yaml.YAMLError, ValueError) as error:
        yield Fault(0, f"this is not YAML: {' '.join(str(error).split())}")
    except RecursionError:
        yield Fault(0, "this is not YAML that can be read: it nests too deeply")
    else:
        if text.startswith(_CLOUD_CONFIG):
            yield from _cloud_config(text, read, release)


def _cloud_config(text: str, read: Sequence[object], release: Release) -> Iterator[Fault]:
    config = read[0] if read else None
    if len(read) > 1:
        yield Fault(0, f"a {_CLOUD_CONFIG} is one YAML document, and there are {len(read)}")
    elif not isinstance(config, dict):
        yield Fault(0, f"a {_CLOUD_CONFIG} is a mapping")
    elif "autoinstall" in config:
        answers = config["autoinstall"]
        if not isinstance(answers, dict) or answers.get("version") != 1:
            yield Fault(_line_of(text, "autoinstall:"), "autoinstall: needs version: 1")
    elif release.family is Family.UBUNTU and release.version >= SUBIQUITY:
        yield Fault(0, "autoinstall: is not there, so that Ubuntu's installer asks all its questions")


def _line_of(text: str, start: str) -> int:
    return next((n for n, line in enumerate(text.split("\n"), 1) if line.startswith(start)), 0)


def _json(text: str, release: Release) -> Iterator[Fault]:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        yield Fault(error.lineno, f"this is not JSON: {error.msg}")
    except RecursionError:
        yield Fault(0, "this is not JSON that can be read: it nests too deeply")


def _xml(text: str, release: Release) -> Iterator[Fault]:
    try:
        ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        yield Fault(error.position[0], f"this is not XML: {error}")


_CHECKS: Mapping[Kind, Callable[[str, Release], Iterator[Fault]]] = {
    Kind.KICKSTART: _kickstart,
    Kind.PRESEED: _preseed,
    Kind.YAML: _yaml,
    Kind.XML: _xml,
    Kind.JSON: _json,
}


def _template_line(line: str, kind: Kind, template: str, templates: Templates) -> Origin:
    """Where the rendered `line` stands in the template or a snippet: the same text, up to the first value in it."""
    try:
        _, file = templates.written(kind, template)
    except JinjaError:
        return Origin(template)
    names = [template, *(name for name in templates.names(kind) if name.startswith("snippets/"))]
    for exact in (True, False):
        for name in names if line.strip() else ():
            source, source_file = templates.written(kind, name)
            for number, written in enumerate(source.split("\n"), 1):
                if _is_from(line.strip(), written.strip(), exact=exact):
                    return Origin(source_file, number)
    return Origin(file)


def _is_from(line: str, written: str, *, exact: bool) -> bool:
    if exact:
        return line == written
    literal, *values = re.split(r"\{[{%]", written)
    return len(literal) > 3 and bool(values) and line.startswith(literal.rstrip())
