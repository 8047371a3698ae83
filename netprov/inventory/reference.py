"""The field table as docs/reference/configuration.md."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from netprov.dhcpoptions.table import OPTIONS
from netprov.inventory.fields import FOREIGN, Field, Inherits, Kind, Merge, fields_of
from netprov.inventory.options import OURS
from netprov.inventory.types import DURATION, Many, Named, Section
from netprov.inventory.values import SECONDS

_INTRO = """\
# Configuration

<!-- Written by `netprov schema --reference` from the field table. -->

netprov reads one YAML file, `netprov.yaml`. Every key in it has a default, and an empty file works. Objects are in
it, or in the file or folder that `inventory:` names (`inventory/` beside it, where there is one): all `*.yaml` and
`*.yml` in there, however many. An object may be in one place only. Relative paths are relative to `netprov.yaml`.

`netprov schema` prints a JSON Schema that editors understand. `netprov lint` lists everything that is wrong.

## Inheritance

`defaults` → distro → profile → sub-profile → system, and `defaults` → image → system. A field that is not set, is
empty (`field:`), or is `<<inherit>>`, always inherits; `""` sets it to nothing. What a value does to the inherited one:

- **override**: it takes its place;
- **dict**: it is merged key by key; `"!key":` removes an inherited key;
- **list**: it is appended, each item once; `"!item"` removes an inherited item.

Values are read by their field's type, as written: `os_version: 9`, `9.10` and `010` stay what they are, a MAC needs no
quotes. Where a list is meant, one value will do, or several with commas or blanks between.

*Not sent* marks a field that changes nothing that netprov sends to a machine as it boots: `netprov explain` says the
same with and without it. Your own templates may use it all the same. *A note* is for people and for your own templates:
netprov itself does not read it.
"""

_SECTIONS: tuple[tuple[str, Kind, str], ...] = (
    ("`server`", Kind.SERVER, ""),
    ("`users` of `server`", Kind.USER, "By name."),
    ("`tokens` of `server`", Kind.TOKEN, "By name."),
    ("`webhooks` of `server`", Kind.WEBHOOK, "By name. What they are sent: [Webhooks](webhooks.md)."),
    ("`dhcp`", Kind.DHCP, ""),
    ("`dhcp.subnets`", Kind.SUBNET, "A list; `subnets:` of an inventory file adds to it. No subnet holds another."),
    ("`tftp`", Kind.TFTP, ""),
    ("`http`", Kind.HTTP, ""),
    ("`syslog`", Kind.SYSLOG, "Installers log here, and their lines appear in the timeline."),
    ("`defaults`", Kind.DEFAULTS, "What every distro, image, profile and system inherits."),
    ("`distros`", Kind.DISTRO, "By name: what can be installed."),
    ("`profiles`", Kind.PROFILE, "By name: how it is installed. A profile has a distro or a parent."),
    ("`systems`", Kind.SYSTEM, "By name: the machines. A system has a profile or an image."),
    ("`interfaces` of a system", Kind.INTERFACE, "By name."),
    (
        "`images`",
        Kind.IMAGE,
        "By name: kernels that systems boot without a profile, such as rescue systems.",
    ),
    ("`virt`", Kind.VIRT, ""),
    ("`disks` of `virt`", Kind.DISK, ""),
    ("`menus`", Kind.MENU, "By name: submenus of the boot menu."),
    ("`snippets`", Kind.SNIPPET, "By name: texts that [templates](templates.md) include."),
)


def reference() -> str:
    """The page, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRO
    for title, kind, text in _SECTIONS:
        yield f"## {title}\n"
        if text:
            yield f"{text}\n"
        yield from _table(kind)
        yield ""
    yield "## Folders\n"
    yield "Of the user's own, each beside `netprov.yaml` where there is one, unless the key names another:\n"
    yield "- `templates`: the loaders' templates; default `pxelinux.cfg.templates/`."
    yield "- `autoinstall`: the installers' answers, and their [templates](templates.md); default `autoinstall/`.\n"
    yield from _options()


def _options() -> Iterator[str]:
    yield "## DHCP options by name\n"
    yield "For `options:` of a subnet, and for `dhcp_options:`, which may set 43, 66 and 67 as well; `netprov explain`"
    yield "shows the same names. Case is ignored, and `_` is the same as `-`. Any other option is given by its number,"
    yield "as octets: `224: hex:0102`. What the server works out for each client cannot be set here: its row names the"
    yield "field to use instead, where there is one.\n"
    yield "| code | name | holds | set by | also written | source |"
    yield "|---|---|---|---|---|---|"
    for option in OPTIONS.values():
        by = OURS.get(option.code, "`options`") or "the server"
        also = ", ".join(f"`{name}`" for name in option.aliases)
        yield f"| {option.code} | `{option.name}` | {option.type.holds} | {by} | {also} | {option.source} |"
    yield ""


def _table(kind: Kind) -> Iterator[str]:
    merges = kind in (Kind.DEFAULTS, Kind.DISTRO, Kind.PROFILE, Kind.SYSTEM, Kind.IMAGE)
    yield "| field | type | default |" + (" merge |" if merges else "") + " meaning | also written |"
    yield "|---|---|---|" + ("---|" if merges else "") + "---|---|"
    for field in fields_of(kind):
        merge = f" {field.merge if field.inherits is Inherits.CHAIN else 'not inherited'} |" if merges else ""
        also = ", ".join(f"`{name}`" for name in (*field.aliases, *_foreign(kind, field)))
        text = _cell(field.help) + ("" if field.boot else " *A note.*" if field.note else " *Not sent.*")
        yield f"| `{field.name}` | {_type(field)} | {_default(field)} |{merge} {text} | {also} |"


def _foreign(kind: Kind, field: Field) -> list[str]:
    return [f.name for f in FOREIGN if kind in f.kinds and f.field.partition(".")[0] == field.name]


def _type(field: Field) -> str:
    if isinstance(field.type, (Section, Named, Many)):
        return f"{field.type.label}, see `{field.type.kind}`" if field.name != field.type.kind else field.type.label
    return _cell(field.type.label)


def _default(field: Field) -> str:
    value = field.default
    if isinstance(field.type, Section) or value is None or value in ("", b"", (), {}):
        return "{}" if field.merge is Merge.DICT else ""
    if field.type is DURATION and isinstance(value, int):
        size, unit = next((size, unit) for unit, size in SECONDS.items() if value % size == 0)
        return f"`{value // size}{unit}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(_written, value))}]`"
    return f"`{_written(value)}`"


def _written(value: object) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
