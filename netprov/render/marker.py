"""Which of an operator's files are templates: those that say so, by their name or in their first line.

Kickstarts, scripts and user-data are full of what Jinja would take for its own: `${#array[@]}` opens a comment,
`{{.Names}}` a value, and cloud-init has templates too. So a file that does not say so is served octet for octet.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from netprov.render.quoting import LOADER_KINDS, Kind

SUFFIX = ".j2"

_MARKER = re.compile(
    r"\ufeff?[ \t]*(?:#+|//|;+|<!--|\{#-?)[ \t]*netprov:[ \t]*template[ \t]*(?:-->|-?#\})?[ \t]*(?:\r?\n|\Z)"
)
_MARKERS: Mapping[Kind, str] = {Kind.XML: "<!-- netprov: template -->", Kind.JSON: "// netprov: template"}

_CLOUD_INITS = re.compile(r"##\s*template:\s*jinja", re.IGNORECASE)  # cloud-init fills these in on the machine
_TAG = re.compile(r"\{%[-+]?\s*(?P<word>[a-z]+)(?P<rest>.*?)%\}|\{\{[-+]?\s*(?P<value>[A-Za-z_]\w*).*?\}\}")
_NAME = re.compile(r"[A-Za-z_]\w*")


def is_template(kind: Kind, name: str, text: str) -> bool:
    """Whether the file `name` of that text is one. Loaders' scripts, which netprov alone writes, always are."""
    return kind in LOADER_KINDS or name.lower().endswith(SUFFIX) or _MARKER.match(text) is not None


def marker(kind: Kind) -> str:
    """The first line that makes a file of `kind` a template."""
    return _MARKERS.get(kind, "# netprov: template")


def without_marker(text: str) -> str:
    """`text` with its marker in a form that leaves nothing behind: XML and cloud-init have first lines of their own.
    Lines keep their numbers."""
    return _MARKER.sub("{##}\n", text, count=1)


def meant_as_template(text: str, known: Container[str]) -> tuple[int, str] | None:
    """The first line (from 1) and text in a plain file that looks as if netprov was to fill it in.

    `known`: the variables of templates. What names none of them is somebody else's: Go's, Salt's, Ansible's.
    """
    if _CLOUD_INITS.match(text):
        return None
    for number, line in enumerate(text.split("\n"), 1):
        for found in _TAG.finditer(line):
            if _ours(found, known):
                return number, found[0]
    return None


def _ours(found: re.Match[str], known: Container[str]) -> bool:
    if found["value"]:
        return found["value"] in known
    if found["word"] in ("include", "extends", "import", "from"):
        return "snippets/" in found["rest"]
    return found["word"] == "raw" or any(name in known for name in _NAME.findall(found["rest"]))
