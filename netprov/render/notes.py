"""What lint says of an installer's answers that can be made and read, and may not do what their author means."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from netprov.render.answers import reports_its_end
from netprov.render.leftovers import CALLBACK_SNIPPET, left_over
from netprov.render.marker import SUFFIX, is_template, marker, meant_as_template
from netprov.render.quoting import Kind

LOGINS = ("root_password_crypted", "ssh_keys")
"""The keys of autoinstall_meta by which netprov's own answers let somebody in."""

_REPORTING = frozenset({Kind.KICKSTART, Kind.PRESEED, Kind.XML})


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about a line (from 1; 0: the file as a whole)."""

    line: int
    text: str


def of_source(kind: Kind, name: str, source: str, known: Container[str]) -> Iterator[Note]:
    """Of a file or snippet as it is written. `known`: the variables that a template has."""
    template = is_template(kind, name, source)
    if not template and (found := meant_as_template(source, known)) is not None:
        line, written = found
        yield Note(
            line,
            f"this file is no template, and {written} is served as it stands; if netprov is to fill it in, make "
            f"{marker(kind)!r} its first line, or add {SUFFIX} to its name",
        )
    for one in left_over(kind, source):
        way = "" if template else f", in a template ({marker(kind)!r} as its first line)"
        yield Note(one.line, f"{one.written} is Cobbler's, and nothing replaces it; write {one.instead}{way}")


def of_logins(template: str, source: str, seen: Mapping[str, object]) -> Iterator[Note]:
    """Of answers that let in whom autoinstall_meta names, where it names nobody."""
    if all(key in source for key in LOGINS) and not any(seen.get(key) for key in LOGINS):
        yield Note(
            0,
            f"nobody can log in to what {template} installs: root is locked, and there is no other user; set "
            "ssh_keys (a list of public keys) or root_password_crypted (of `openssl passwd -6`) in autoinstall_meta",
        )


def of_end(kind: Kind, name: str, answers: str, *, template: bool) -> Iterator[Note]:
    """Of answers whose installer never reports that it is done."""
    installs = kind in _REPORTING or (kind is Kind.YAML and "\nautoinstall:" in answers)
    if not installs or reports_its_end(answers):
        return
    if kind is not Kind.KICKSTART:
        way = "docs/reference/templates.md has the lines for it"
    elif template:
        way = f"add {CALLBACK_SNIPPET} at its end"
    else:
        way = (
            f"make {marker(kind)!r} its first line and {CALLBACK_SNIPPET} its last, or add to the plain file the "
            "section that docs/reference/templates.md has for it"
        )
    told = f"{name} does not report the install's end: only `netprov system installed NAME` says that it is done"
    yield Note(0, f"{told}; {way}")
