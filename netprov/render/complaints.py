"""What Jinja complains of, in words that name the template's file and line, and the way out."""

from __future__ import annotations

import traceback

from jinja2.exceptions import TemplateNotFound, TemplateSyntaxError, UndefinedError

from netprov.errors import Origin
from netprov.render.folders import Unreadable
from netprov.render.quoting import LOADER_KINDS, Kind


def origin_of(error: BaseException) -> Origin | None:
    """The template's file and line that `error` came from: Jinja puts them into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        file = error.filename or error.name
        return Origin(file, error.lineno) if file else None
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if "__jinja_exception__" in frame.f_globals:
            found = Origin(frame.f_code.co_filename, line)
    return found


_RAW = "this is read as a Jinja template: put {% raw %} … {% endraw %} around what is not Jinja's"
_PLAIN = ", or make the file a plain one (no .j2 in its name, no `netprov: template` in its first line)"


def sentence(error: BaseException, kind: Kind, name: str) -> str:
    """What is wrong with the template `name`, and the way out."""
    match error:
        case Unreadable():
            return error.message or "it cannot be read"
        case TemplateSyntaxError() | UndefinedError():
            plain = "" if kind in LOADER_KINDS else _PLAIN
            return f"{' '.join((error.message or '').split())}; {_RAW}{plain}"
        case TemplateNotFound():
            missing = error.name or str(error)
            if missing == name:
                return f"there is no template {name}; put it into autoinstall/ or pxelinux.cfg.templates/"
            return f"there is no template {missing}, which it includes"
        case RecursionError():
            return "templates include each other endlessly"
        case MemoryError():
            return "rendering takes too much memory"
        case _:
            return " ".join(str(error).split()) or type(error).__name__
