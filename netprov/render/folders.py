"""Where templates are read from: folders, of which the first that has one wins, and the inventory's own snippets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, FileSystemLoader
from jinja2.exceptions import TemplateNotFound, TemplateSyntaxError
from jinja2.loaders import split_template_path

MAX_TEMPLATE = 1 << 20
"""Octets of a template, or a plain file: the largest kickstarts in use have some hundred kilobytes."""


class Folders(FileSystemLoader):
    """Templates in folders; the first that has one wins."""

    def __init__(self, folders: Sequence[Path | None]) -> None:
        super().__init__([str(folder) for folder in folders if folder is not None], followlinks=True)

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        data, file = self.read(template)
        modified = Path(file).stat().st_mtime
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Unreadable(f"it is not UTF-8 (octet {error.start})", 1, template) from None
        return text, file, lambda: _modified(file) == modified

    def read(self, template: str) -> tuple[bytes, str]:
        """The octets of a file, and its path. Raises TemplateNotFound, TemplateSyntaxError."""
        pieces = split_template_path(template)
        try:
            file = next((path for folder in self.searchpath if (path := Path(folder, *pieces)).is_file()), None)
            if file is None:
                raise TemplateNotFound(template)
            with file.open("rb") as opened:
                data = opened.read(MAX_TEMPLATE + 1)
        except TemplateNotFound:  # an OSError too
            raise
        except (OSError, ValueError) as error:
            raise Unreadable(f"it cannot be read: {error}", 1, template) from None
        if len(data) > MAX_TEMPLATE:
            raise Unreadable(f"it is larger than {MAX_TEMPLATE} octets", 1, template, str(file))
        return data, str(file)


class Unreadable(TemplateSyntaxError):
    """The file is at fault, not what is written in it."""


def _modified(file: str) -> float | None:
    try:
        return Path(file).stat().st_mtime
    except OSError:
        return None


class Snippets(BaseLoader):
    """The inventory's own snippets, as snippets/NAME."""

    def __init__(self, snippets: Mapping[str, str]) -> None:
        self._snippets = snippets

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        folder, _, name = template.partition("/")
        if folder != "snippets" or name not in self._snippets:
            raise TemplateNotFound(template)
        return self._snippets[name], f"snippet {name}", lambda: True

    def list_templates(self) -> list[str]:
        return [f"snippets/{name}" for name in self._snippets]
