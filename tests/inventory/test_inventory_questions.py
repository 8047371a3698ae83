"""What the other rooms ask an inventory, and that they ask."""

import ast
from collections.abc import Mapping
from dataclasses import fields, replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

import netprov
from netprov.inventory.marks import recognisable
from netprov.inventory.model import Interface, Inventory, Target
from netprov.mac import Mac

MACS = (Mac("52:54:00:00:00:01"), Mac("52:54:00:00:00:02"))
LADY = Target(
    "system", "lady", hostname="Lady.example.org", uuid="00112233-4455-6677-8899-aabbccddeeff", serial="S1",
    client_id=b"\xffabc", circuit_id=b"port7", remote_id=b"switch9",
    interfaces=(
        Interface("eth0", MACS[0], IPv4Interface("10.0.0.1/24")),
        Interface("eth0.5", MACS[0]),
        Interface("eth1", MACS[1], IPv4Interface("10.0.1.1/24")),
        Interface("eth2"),
    ),
)  # fmt: skip
LORD = Target("system", "lord", serial="S1", interfaces=(Interface("eth0", MACS[1]),))
WEB, RESCUE = Target("profile", "web"), Target("image", "rescue")
INVENTORY = Inventory.of(WEB, LADY, RESCUE, LORD)

QUESTIONS = {
    "name": INVENTORY.system("lady"),
    "MAC": INVENTORY.system_by_mac(MACS[0]),
    "another interface's MAC": INVENTORY.system_by_mac(MACS[1]),
    "address": INVENTORY.system_by_ip(IPv4Address("10.0.1.1")),
    "UUID": INVENTORY.system_by_uuid("00112233-4455-6677-8899-aabbccddeeff"),
    "UUID, little-endian": INVENTORY.system_by_uuid("33221100-5544-7766-8899-aabbccddeeff"),
    "client-id": INVENTORY.system_by_client_id(b"\xffabc"),
    "serial number": INVENTORY.system_by_serial("S1"),
    "circuit-id": INVENTORY.system_by_circuit_id(b"port7"),
    "remote-id": INVENTORY.system_by_remote_id(b"switch9"),
    "hostname": INVENTORY.system_by_hostname("lady.EXAMPLE.org"),
}


@pytest.mark.parametrize("found", QUESTIONS.values(), ids=QUESTIONS)
def test_the_system_that_a_mark_is_of(found: Target | None) -> None:
    assert found is LADY


NOBODY = {
    "name": INVENTORY.system("web"),
    "profile": INVENTORY.profile("lady"),
    "MAC": INVENTORY.system_by_mac(Mac("52:54:00:00:00:03")),
    "address": INVENTORY.system_by_ip(IPv4Address("10.0.0.2")),
    "what is not declared": Inventory.of(Target("system", "bare")).system_by_serial(""),
    "no host name": Inventory.of(Target("system", "bare")).system_by_hostname(""),
    "no client-id": Inventory.of(Target("system", "bare")).system_by_client_id(b""),
}


@pytest.mark.parametrize("found", NOBODY.values(), ids=NOBODY)
def test_a_mark_that_nobody_has(found: Target | None) -> None:
    assert found is None


def test_a_uuid_is_rather_the_one_that_is_written_so() -> None:
    turned = replace(LORD, uuid="33221100-5544-7766-8899-aabbccddeeff")
    inventory = Inventory.of(LADY, turned)
    assert inventory.system_by_uuid(LADY.uuid) is LADY
    assert inventory.system_by_uuid(turned.uuid) is turned


def test_rows_are_in_declared_order() -> None:
    assert list(INVENTORY.systems()) == [LADY, LORD]
    assert list(INVENTORY.profiles()) == [WEB]
    assert list(INVENTORY.images()) == [RESCUE]
    assert list(INVENTORY.macs()) == [(MACS[0], LADY), (MACS[1], LADY)]
    assert [(str(ip), system) for ip, system in INVENTORY.addresses()] == [("10.0.0.1", LADY), ("10.0.1.1", LADY)]
    assert INVENTORY.summary == "2 systems, 1 profile"


@pytest.mark.parametrize(
    ("name", "profiles", "said"),
    [
        ("ladi", False, "; did you mean lady?"),
        ("wep", False, ""),
        ("wep", True, "; did you mean web?"),
        ("xxxxx", True, ""),
    ],
)
def test_names_that_are_near(name: str, profiles: bool, said: str) -> None:
    assert INVENTORY.nearest(name, profiles=profiles) == said


MARKED = {
    "nothing": (Target("system", "bare", hostname="bare"), False),
    "an address": (Target("system", "x", interfaces=(Interface("eth0", ip=IPv4Interface("10.0.0.1/24")),)), False),
    "a MAC": (Target("system", "x", interfaces=(Interface("eth0"), Interface("eth1", MACS[0]))), True),
    **{
        name: (Target("system", "x", **{name: getattr(LADY, name)}), True)
        for name in ("uuid", "serial", "client_id", "circuit_id", "remote_id")
    },
}


@pytest.mark.parametrize(("system", "expected"), MARKED.values(), ids=MARKED)
def test_what_a_packet_is_recognised_by(system: Target, expected: bool) -> None:
    assert recognisable(system) is expected


def test_other_rooms_ask_and_never_walk() -> None:
    """So that the inventory can keep its records in another shape."""
    kept = {field.name for field in fields(Inventory) if field.name.startswith("_")}
    assert kept
    root = Path(netprov.__file__).parent
    walking = [
        f"{path.relative_to(root)}:{node.lineno}: {node.attr}"
        for path in root.rglob("*.py")
        if path.parent != root / "inventory"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in kept and ast.unparse(node.value) != "self"
    ]
    assert walking == []


def test_the_objects_are_kept_in_private() -> None:
    public = [getattr(INVENTORY, field.name) for field in fields(Inventory) if not field.name.startswith("_")]
    holding = [value for value in public if isinstance(value, Mapping) and value is not INVENTORY.snippets]
    assert holding == []
