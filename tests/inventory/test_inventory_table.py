# ruff: noqa: E501 - a row of a table is a line
"""The field table, the model, the schema and the reference page say the same."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from inventory_world import Loads

from netprov.cli.schema import schema as schema_command
from netprov.inventory import model
from netprov.inventory.fields import FIELDS, FOREIGN, MERGES, SPELLINGS, Inherits, Kind, Merge, fields_of
from netprov.inventory.schema import schema

CLASSES = {
    Kind.INTERFACE: model.Interface,
    Kind.VIRT: model.Virt,
    Kind.DISK: model.Disk,
    Kind.SUBNET: model.Subnet,
    Kind.MENU: model.Menu,
    Kind.SERVER: model.ServerSettings,
    Kind.USER: model.User,
    Kind.TOKEN: model.Token,
    Kind.WEBHOOK: model.Webhook,
    Kind.DHCP: model.DhcpSettings,
    Kind.TFTP: model.TftpSettings,
    Kind.HTTP: model.HttpSettings,
    Kind.SYSLOG: model.SyslogSettings,
}
TARGETS = (Kind.PROFILE, Kind.SYSTEM, Kind.IMAGE, Kind.DISTRO, Kind.DEFAULTS)
ELSEWHERE = {  # fields that become another attribute, or none
    (Kind.INTERFACE, "netmask"), (Kind.SUBNET, "range"), (Kind.DHCP, "subnets"), (Kind.PROFILE, "parent"), (Kind.MENU, "comment"),
}  # fmt: skip
MADE = {"kind", "name", "origin", "origins", "ranges"}  # attributes that no field sets under their name


def defaults_of(cls: Any) -> dict[str, object]:
    missing = dataclasses.MISSING
    return {
        f.name: f.default if f.default is not missing else f.default_factory() if f.default_factory is not missing else None
        for f in dataclasses.fields(cls)
    }  # fmt: skip


@pytest.mark.parametrize("kind", [*CLASSES, *TARGETS])
def test_table_and_model_agree(kind: Kind) -> None:
    defaults = defaults_of(CLASSES.get(kind, model.Target))
    rows = {field.name: field.default for field in fields_of(kind) if (kind, field.name) not in ELSEWHERE}
    assert {name: defaults.get(name, "no such attribute") for name in rows} == rows
    if kind in CLASSES:
        assert set(defaults) - MADE == set(rows)


def test_every_attribute_of_a_target_is_some_field() -> None:
    fields = {field.name for kind in TARGETS for field in fields_of(kind)}
    assert set(defaults_of(model.Target)) - MADE <= fields


def test_no_key_means_two_things() -> None:
    for kind in Kind:
        names = [name for field in fields_of(kind) for name in (field.name, *field.aliases)]
        names += [foreign.name for foreign in FOREIGN if kind in foreign.kinds]
        assert len(names) == len(set(names)), kind
        assert set(names) == set(SPELLINGS[kind])


def test_what_merges_is_inherited() -> None:
    assert all(field.merge is Merge.OVERRIDE or field.inherits is Inherits.CHAIN for field in FIELDS)
    assert {name for name, merge in MERGES.items() if merge is Merge.DICT} == {
        "kernel_options",
        "autoinstall_meta",
        "virt",
    }
    assert all(field.help.endswith(".") and field.help[0] in "`ABCDEFGHIJKLMNOPQRSTUVWXYZ" for field in FIELDS)


VALUES = {  # one value other than the default for each inheritable field
    "name_servers": "10.0.0.1", "name_servers_search": "example.org", "breed": "redhat", "os_version": "9", "arch": "aarch64", "kernel": "k",
    "initrd": "initrd.img", "tree": "http://x", "kernel_options": "quiet", "autoinstall": "web.ks", "autoinstall_meta": "a=b",
    "boot_loaders": "grub", "next_server": "10.0.0.9", "filename": "x.efi", "dhcp_options": "{224: hex:01}", "install": "always", "install_attempts": "9", "menu": "m",
    "enable_menu": "false", "proxy": "http://p", "virt": "{ram: 1G}", "owners": "me",
}  # fmt: skip


@pytest.mark.parametrize("name", MERGES)
def test_every_inheritable_field_reaches_the_system(name: str, loads: Loads) -> None:
    """bootimus#116: an override that is stored but never applied."""
    kinds = next(field.kinds for field in FIELDS if field.name == name and field.inherits is Inherits.CHAIN)
    default = defaults_of(model.Target)[name]
    for kind in kinds:
        if kind is Kind.IMAGE:
            continue
        own = f"{name}: {VALUES[name]}"
        written = {kind_: own if kind_ is kind else "" for kind_ in kinds} | {k: "" for k in TARGETS if k not in kinds}
        inventory = loads(
            f"defaults: {{{written[Kind.DEFAULTS]}}}\ndistros: {{d: {{{written[Kind.DISTRO]}}}}}\nmenus: {{m: }}\n"
            f"profiles: {{p: {{distro: d, {written[Kind.PROFILE]}}}, q: {{parent: p}}}}\n"
            f"systems: {{s: {{profile: q, {written[Kind.SYSTEM]}}}}}\n"
        )
        assert getattr(inventory.system("s"), name) != default, kind
        assert inventory.system("s").origins[name].line > 0


def as_json(text: str) -> object:
    """As an editor sees it: keys are texts."""
    return json.loads(json.dumps(yaml.safe_load(text)))


SAMPLE = Path(__file__).parent / "sample"
GOOD = [
    "", "server: {address: 10.0.0.1}", "tftp:", "tftp: {single_port: yes}", "systems: {a: {profile: p, hostname: 7, virt_ram: 512}}",
    "snippets: {a: text, b: {text: x}}", "inventory: {menus: {m: }}", "profiles: {p: {distro: <<inherit>>}}",
]  # fmt: skip
BAD = [
    "[]", "serve: {}", "server: {users: {a: {password: secret}}}", "server: {tokens: {t: {hash: secret}}}", "server: {tokens: {t: {scopes: [root]}}}", "server: {adress: x}", "server: {address: here}", "systems: {a: {}}", "systems: {a: {profile: p, image: i}}",
    "systems: {a: {profile: p, install: never}}", "systems: {a: {profile: p, interfaces: {e: {mac: 1:2}}}}",
    "systems: {a: {profile: p, virt: {disks: [{size: 4}]}}}", "subnets: [{router: 10.0.0.1}]", "subnets: [{subnet: x}]", "tftp: {port: 70000}",
    "subnets: [{subnet: 10.0.0.0/8, options: {nonsense: 1}}]", "distros: {d: {kernel_options: {a: {}}}}", "repos: {r: {mirror: http://x}}",
    "server: {state: 'postgresql://db/netprov'}", "images: {i: {file: rescue.iso}}",
]  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("text", GOOD)
def test_schema_takes_a_good_inventory(text: str, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(as_json(text))


@pytest.mark.parametrize("text", BAD)
def test_schema_refuses_a_bad_inventory(text: str, validator: jsonschema.Draft202012Validator) -> None:
    assert not validator.is_valid(as_json(text))


@pytest.mark.parametrize("file", sorted(SAMPLE.rglob("*.y*ml")), ids=lambda path: path.name)
def test_schema_takes_the_sample(file: Path, validator: jsonschema.Draft202012Validator) -> None:
    text = re.sub(
        r"(mac|mac_address|client_id): ([0-9a-fA-F:.-]{10,})", r"\1: '\2'", file.read_text()
    )  # PyYAML is YAML 1.1
    validator.validate(as_json(text))


def test_the_command_prints_both() -> None:
    printed = CliRunner().invoke(schema_command, [])
    assert printed.exit_code == 0
    assert json.loads(printed.output) == schema()
    page = CliRunner().invoke(schema_command, ["--reference"]).output
    assert all(f"| `{field.name}` |" in page for field in FIELDS)
    columns = {line.count("|") - line.count("\\|") for line in page.splitlines() if line.startswith("|")}
    assert columns == {6, 7}
