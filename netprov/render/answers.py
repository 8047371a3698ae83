"""Which file answers an installer's question, and in what language it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.errors import PeerError
from netprov.inventory.model import Target
from netprov.render.breeds import Family, release_of
from netprov.render.marker import SUFFIX
from netprov.render.quoting import Kind
from netprov.render.server import CALLBACK

SUFFIXES: Mapping[str, Kind] = {
    "ks": Kind.KICKSTART,
    "cfg": Kind.KICKSTART,
    "preseed": Kind.PRESEED,
    "seed": Kind.PRESEED,
    "user-data": Kind.YAML,
    "yaml": Kind.YAML,
    "yml": Kind.YAML,
    "xml": Kind.XML,
    "json": Kind.JSON,
}
"""The language of a file, by what follows the last dot of its name, a template's `.j2` left out."""

BY_FAMILY: Mapping[Family, Kind] = {
    Family.REDHAT: Kind.KICKSTART,
    Family.FEDORA: Kind.KICKSTART,
    Family.DEBIAN: Kind.PRESEED,
    Family.UBUNTU: Kind.YAML,
    Family.SUSE: Kind.XML,
    Family.GENERIC: Kind.TEXT,
}
"""The language of a template whose name does not tell."""

_CONTENT_TYPES: Mapping[Kind, str] = {
    Kind.XML: "application/xml; charset=utf-8",
    Kind.JSON: "application/json",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """A file, which may be a template, and its language."""

    template: str
    kind: Kind

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES.get(self.kind, "text/plain; charset=utf-8")


def kind_of(template: str, target: Target) -> Kind:
    """The language that `template` is written in."""
    last = template.rpartition("/")[2].removesuffix(SUFFIX)
    suffix = last.rpartition(".")[2].lower()
    if suffix == "cfg" and release_of(target).family in (Family.DEBIAN, Family.UBUNTU):
        return Kind.PRESEED  # Debian's own manual calls its example preseed.cfg
    return SUFFIXES.get(suffix, BY_FAMILY[release_of(target).family])


def answers_of(target: Target) -> Answers:
    """What `target`'s installer gets. Raises PeerError(code=404) where nothing is declared."""
    template = target.autoinstall
    if not template or "://" in template:
        raise PeerError(f"{target.kind} {target.name} has no autoinstall file here", 404)
    return Answers(template, kind_of(template, target))


def reports_its_end(answers: str) -> bool:
    """Whether `answers` tell their installer to report its end."""
    return CALLBACK in answers
