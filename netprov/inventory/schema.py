"""The field table as JSON Schema (draft 2020-12), for editors: completion, hints and red lines while typing."""

from __future__ import annotations

from netprov.inventory.declared import SECTIONS
from netprov.inventory.fields import FOREIGN, Field, Foreign, Kind, fields_of
from netprov.inventory.types import INHERIT, FieldType, Many, Named, Schema, Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NEEDS: dict[Kind, Schema] = {
    Kind.PROFILE: {"oneOf": [{"required": ["distro"]}, {"required": ["parent"]}]},
    Kind.SYSTEM: {"oneOf": [{"required": ["profile"]}, {"required": ["image"]}]},
    Kind.SUBNET: {"required": ["subnet"]},
}


_SETTINGS = (Kind.SERVER, Kind.DHCP, Kind.TFTP, Kind.HTTP, Kind.SYSLOG)


def schema() -> Schema:
    """The schema of netprov.yaml; of an inventory file too, as that holds some of the same keys."""
    sections: Schema = {kind.value: _unset(_ref(kind)) for kind in _SETTINGS}
    sections["defaults"] = _described(_unset(_ref(Kind.DEFAULTS)), "What every distro, profile and system inherits.")
    for key, description in _FOLDERS.items():
        sections[key] = _described(_unset({"type": "string"}), description)
    objects = {key: _unset(_by_name(kind)) for key, kind in SECTIONS.items()}
    objects["subnets"] = {"type": "array", "items": _ref(Kind.SUBNET)}
    inventory = {"anyOf": [{"type": ["string", "null"]}, _closed(objects)]}
    sections["inventory"] = _described(inventory, "A file or folder of objects, or the objects. Default: inventory/.")
    return {
        "$schema": DIALECT,
        "title": "netprov.yaml",
        **_closed(sections | objects),
        "type": ["object", "null"],
        "$defs": {kind.value: _kind(kind) for kind in Kind},
    }


_FOLDERS = {
    "templates": "Folder of the loaders' templates. Default: pxelinux.cfg.templates/ beside this file.",
    "autoinstall": "Folder of the installers' answers. Default: autoinstall/ beside this file.",
}


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _described(schema: Schema, description: str) -> Schema:
    return schema | {"description": description}


def _ref(kind: Kind) -> Schema:
    return {"$ref": f"#/$defs/{kind.value}"}


def _by_name(kind: Kind) -> Schema:
    body = _unset(_ref(kind))
    if kind is Kind.SNIPPET:
        body["anyOf"].append({"type": "string"})
    return {"type": "object", "additionalProperties": body}


def _unset(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _kind(kind: Kind) -> Schema:
    properties = {name: entry for field in fields_of(kind) for name, entry in _field(field)}
    properties |= {foreign.name: _foreign(foreign) for foreign in FOREIGN if kind in foreign.kinds}
    return _closed(properties) | _NEEDS.get(kind, {})


def _field(field: Field) -> list[tuple[str, Schema]]:
    entry = {"anyOf": [_type(field.type), {"type": "null"}, {"const": INHERIT}]}
    old = _described(entry, f"Another name of `{field.name}`.") | {"deprecated": True}
    return [(field.name, _described(entry, field.help)), *((alias, old) for alias in field.aliases)]


def _foreign(foreign: Foreign) -> Schema:
    entry = {"anyOf": [foreign.type.schema(), {"type": "null"}, {"const": INHERIT}]}
    return _described(entry, f"Cobbler's way to say `{foreign.field}`.") | {"deprecated": True}


def _type(type_: FieldType) -> Schema:
    if isinstance(type_, Section):
        return _ref(Kind(type_.kind))
    if isinstance(type_, Named):
        return {"type": "object", "additionalProperties": _unset(_ref(Kind(type_.kind)))}
    if isinstance(type_, Many):
        return {"type": "array", "items": _ref(Kind(type_.kind))}
    return type_.schema()
