"""The template engine: where templates are found, what they may do, and how their errors read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from types import CodeType
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, PrefixLoader, StrictUndefined, Undefined, nodes, pass_context
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.exceptions import (
    SecurityError,
    TemplateNotFound,
    TemplateRuntimeError,
    TemplateSyntaxError,
)
from jinja2.ext import Extension
from jinja2.lexer import TOKEN_COMMENT_BEGIN, TokenStream
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from netprov.errors import ConfigError, Origin, Problem
from netprov.inventory.model import Inventory
from netprov.recent import Recent
from netprov.render.complaints import origin_of, sentence
from netprov.render.folders import MAX_TEMPLATE, Folders, Snippets
from netprov.render.marker import is_template, without_marker
from netprov.render.quoting import LOADER_KINDS, Kind, Unquotable, filters, quote

MAX_OUTPUT = MAX_TEMPLATE
"""Characters that a template renders to."""

MAX_COMPILED = 200
"""Templates of one kind that are kept compiled: there are some twenty, and an operator's own."""

MAX_RANGE = 10_000
"""Steps of a loop over a range: enough for a line about every machine."""

MAX_REPEATED = 1 << 20
"""Parts of a text or list that a multiplication makes."""

PACKAGED = Path(__file__).parent


class TemplateError(ConfigError):
    """A template cannot be rendered: which, at what line, and for which machine."""


class Templates:
    """The templates of one inventory generation: the operator's folders first, then the packaged ones.

    A loader's templates are named "pxelinux/kernel.cfg"; an installer's "web.ks", their snippets "snippets/network".
    Safe to use from several threads.
    """

    def __init__(
        self,
        loaders: Path | None = None,
        autoinstall: Path | None = None,
        snippets: Mapping[str, str] | None = None,
    ) -> None:
        self._scripts = Folders([loaders, PACKAGED / "templates"])
        self._own = Folders([autoinstall, PACKAGED / "autoinstall"])
        self._answers = ChoiceLoader(
            [
                Snippets(snippets or {}),
                self._own,
                PrefixLoader({"snippets": Folders([PACKAGED / "snippets"])}),
            ]
        )
        self._environment = cache(self._make)

    @classmethod
    def of(cls, inventory: Inventory) -> Templates:
        """The templates that `inventory` names."""
        return cls(inventory.settings.templates, inventory.settings.autoinstall, inventory.snippets)

    def render(self, kind: Kind, name: str, values: Mapping[str, object], where: str) -> str:
        """The template `name` with `values`, quoted for `kind`. `where` says for whom ("system lady").

        Raises TemplateError.
        """
        try:
            template = self._environment(kind).get_template(name)
            return _joined(template.generate(**values), name)
        except (Exception, RecursionError) as error:  # a template can raise anything that Python can
            raise TemplateError(self._problem(error, kind, name, where)) from error

    def answers(self, kind: Kind, name: str, values: Mapping[str, object], where: str) -> bytes:
        """An installer's answers: the template `name` with `values`, or the octets of a file that is none.

        Raises TemplateError.
        """
        plain = self.plain(kind, name, where)
        return plain if plain is not None else self.render(kind, name, values, where).encode()

    def plain(self, kind: Kind, name: str, where: str) -> bytes | None:
        """The octets of an installer's answers that are no template; None where they are, or are not there.

        Raises TemplateError for what cannot be read.
        """
        try:
            data, _ = self._own.read(name)
        except TemplateNotFound:
            return None
        except TemplateSyntaxError as error:
            raise TemplateError(self._problem(error, kind, name, where)) from error
        return None if is_template(kind, name, data.decode(errors="replace")) else data

    def exists(self, kind: Kind, name: str) -> bool:
        """Whether there is such a template."""
        try:
            self._loader(kind).get_source(self._environment(kind), name)
        except TemplateNotFound:
            return False
        except TemplateSyntaxError:
            return True
        return True

    def source(self, kind: Kind, name: str) -> tuple[str, str]:
        """The template's text, and the file it stands in. Raises TemplateNotFound."""
        text, file, _ = self._loader(kind).get_source(self._environment(kind), name)
        return text, file or name

    def written(self, kind: Kind, name: str) -> tuple[str, str]:
        """The same as `source` of a file that need not be UTF-8. Raises TemplateNotFound, TemplateSyntaxError."""
        try:
            data, file = self._own.read(name)
        except TemplateNotFound:
            return self.source(kind, name)
        return data.decode(errors="replace"), file

    def names(self, kind: Kind) -> list[str]:
        """Every template of the kind's folders."""
        return self._loader(kind).list_templates()

    def _loader(self, kind: Kind) -> BaseLoader:
        return self._scripts if kind in LOADER_KINDS else self._answers

    def _make(self, kind: Kind) -> _Environment:
        return _Environment(kind, self._loader(kind))

    def _problem(self, error: BaseException, kind: Kind, name: str, where: str) -> Problem:
        origin = origin_of(error) or self._file(kind, name)
        told = where if origin.file.endswith(name) else f"{where}, template {name}"
        return Problem(origin, told, sentence(error, kind, name))

    def _file(self, kind: Kind, name: str) -> Origin:
        try:
            return Origin(self.source(kind, name)[1])
        except (TemplateNotFound, TemplateSyntaxError):
            return Origin(name)


class _GrubQuotes(Extension):
    """Refuses `{{ … }}` inside quotes of a GRUB script: values come with quotes of their own, which would end them."""

    def filter_stream(self, stream: TokenStream) -> Any:
        open_quote = ""
        for token in stream:
            if token.type == "data":
                open_quote = _quote_after(token.value, open_quote)
            elif token.type == "variable_begin" and open_quote:
                text = f"{{{{ … }}}} is inside {open_quote}…{open_quote}; values are quoted automatically"
                raise TemplateSyntaxError(f"{text}: leave these out", token.lineno, stream.name, stream.filename)
            yield token


def _quote_after(text: str, quote_before: str) -> str:
    """The quote that is open after `text`, where `quote_before` was open before it ("": none)."""
    quote_now, escaped, comment = quote_before, False, False
    for char in text:
        if char == "\n":
            comment = False
        elif escaped:
            escaped = False
            continue
        elif comment:
            continue
        if char == "\\" and quote_now != "'":
            escaped = True
        elif quote_now:
            quote_now = "" if char == quote_now else quote_now
        elif char == "#":
            comment = True
        elif char in "'\"":
            quote_now = char
    return quote_now


class _Compiled(BytecodeCache):
    """Templates of one kind as they compile, by file and text. Most edits of an inventory change none: to compile those
    that an installer's answers are made of takes 40 ms, which the first machine of each generation would wait for.
    """

    def __init__(self) -> None:
        self._codes: Recent[tuple[str, str], CodeType] = Recent(MAX_COMPILED)
        self._lock = Lock()

    def load_bytecode(self, bucket: Bucket) -> None:
        with self._lock:
            bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        with self._lock:
            self._codes.put((bucket.key, bucket.checksum), bucket.code)


@cache
def _compiled(kind: Kind) -> _Compiled:
    return _Compiled()


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with quoting by kind; autoescape is on so that macros' and blocks' text counts as quoted."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, kind: Kind, loader: BaseLoader) -> None:
        @pass_context
        def finalize(context: Context, value: object) -> object:
            if isinstance(value, Undefined):
                return str(value)  # raises, naming the variable
            try:
                return quote(kind, value)
            except Unquotable as error:
                raise TemplateRuntimeError(f"{_called(value, context)} {error}") from None

        self._kind = kind
        super().__init__(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=True,
            finalize=finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            extensions=[_GrubQuotes] if kind is Kind.GRUB else [],
            bytecode_cache=_compiled(kind),
        )
        self.globals["range"] = _range
        del self.globals["lipsum"]
        self.filters.update(filters(kind))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """What says that it is a template is parsed; any other file that is included is text, whatever stands in it."""
        if not is_template(self._kind, name or "", source):
            text = nodes.Output([nodes.TemplateData(source, lineno=1)], lineno=1)
            plain = nodes.Template([text], lineno=1)
            plain.set_environment(self)
            return plain
        source = without_marker(source)
        self._refuse_shells_lengths(source, name, filename)
        return super()._parse(source, name, filename)

    def _refuse_shells_lengths(self, source: str, name: str | None, filename: str | None) -> None:
        """A shell's `${#array[@]}` would open a comment, and take all up to the next `#}` out without a word."""
        before = ""
        for line, token, value in self.lex(source, name, filename):
            if token == TOKEN_COMMENT_BEGIN and before.endswith("$"):
                raise TemplateSyntaxError("${# opens a comment", line, name, filename)
            before = value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            for sized, times in ((left, right), (right, left)):
                if hasattr(sized, "__len__") and isinstance(times, int) and len(sized) * times > MAX_REPEATED:
                    raise SecurityError("a multiplication makes too long a value")
        elif isinstance(right, int) and (abs(right) > 1000 or abs(left) > 1 << 64):
            raise SecurityError("a power is too large")
        return super().call_binop(context, operator, left, right)


def _range(*arguments: int) -> range:
    steps = range(*arguments)
    if len(steps) > MAX_RANGE:
        raise OverflowError(f"a range of {len(steps)} steps; at most {MAX_RANGE} are allowed")
    return steps


def _joined(parts: Any, name: str) -> str:
    size, kept = 0, []
    for part in parts:
        size += len(part)
        if size > MAX_OUTPUT:
            raise TemplateRuntimeError(f"it renders to more than {MAX_OUTPUT} characters")
        kept.append(part)
    return "".join(kept)


def _called(value: object, context: Context) -> str:
    """What the template calls `value`, for an error: the name of the variable that holds it, and the value."""
    shown = repr(value if not isinstance(value, tuple) else " ".join(map(str, value)))
    if len(shown) > 60:
        shown = shown[:57] + "…"
    name = _path_to(value, context.get_all(), 3)
    return f"{name} ({shown})" if name else shown


def _path_to(value: object, holder: Mapping[str, object], depth: int) -> str:
    for key, held in holder.items():
        if held is value:
            return key
        inner = _path_to(value, held, depth - 1) if isinstance(held, Mapping) and depth else ""
        if inner:
            return f"{key}.{inner}"
        if isinstance(held, tuple | list) and depth:
            for index, part in enumerate(held):
                if part is value:
                    return f"{key}[{index}]"
                inner = _path_to(value, part, depth - 1) if isinstance(part, Mapping) else ""
                if inner:
                    return f"{key}[{index}].{inner}"
    return ""
