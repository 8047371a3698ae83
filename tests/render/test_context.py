"""What templates see."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from netprov.inventory.model import Disk, Subnet, Target, Virt
from netprov.render.context import Subject, plain, values
from netprov.render.environment import TemplateError, Templates
from netprov.render.quoting import Kind, Words
from netprov.render.server import Server

from .site import LADY, MAC

META = {"timezone": "UTC", "tree": "http://meta/tree", "nested": {"a": ("b", 1)}, "token": "stolen", "comment": "mine"}
SUBNET = Subnet(IPv4Network("10.0.0.0/24"), router=(IPv4Address("10.0.0.254"),), dns=(IPv4Address("10.0.0.53"),))
SEEN = values(Subject(replace(LADY, autoinstall_meta=META), Server("10.0.0.1", 8080), MAC, "tok", SUBNET))

NAMES = [
    ("name", "lady"),
    ("kind", "system"),
    ("system_name", "lady"),
    ("profile_name", "web"),
    ("distro_name", "scotland"),
    ("hostname", "lady.example.org"),
    ("short_hostname", "lady"),
    ("domain", "example.org"),
    ("mac_address", MAC),
    ("ip_address", "10.0.0.5"),
    ("netmask", "255.255.255.0"),
    ("gateway", "10.0.0.1"),
    ("name_servers", ("10.0.0.53",)),
    ("mac_address_eth0", MAC),
    ("ip_address_eth0", "10.0.0.5"),
    ("ip_address_eth1", ""),
    ("server", "10.0.0.1"),
    ("http_server", "10.0.0.1:8080"),
    ("server_url", "http://10.0.0.1:8080"),
    ("kernel_options", Words(["console=tty0", "console=ttyS0,115200", "quiet"])),
    ("autoinstall_url", "http://10.0.0.1:8080/autoinstall/lady?token=tok"),
    ("callback_url", "http://10.0.0.1:8080/api/v1/callback/tok?status=done"),
    ("callback_failed_url", "http://10.0.0.1:8080/api/v1/callback/tok?status=failed"),
    ("install", "install-once"),
    ("os_family", "redhat"),
    ("os_major", 9),
    # autoinstall_meta stands beside the fields, and wins over them
    ("timezone", "UTC"),
    ("tree", "http://meta/tree"),
    ("comment", "mine"),
    # but not over what is made for the request
    ("token", "tok"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_name(name: str, expected: object) -> None:
    assert SEEN[name] == expected


def test_every_field_of_a_target_is_there() -> None:
    left_out = {"origin", "origins", "autoinstall_meta"}
    assert {field.name for field in dataclasses.fields(Target)} - left_out <= set(SEEN)


def test_values_are_plain_and_frozen() -> None:
    check(SEEN)


def check(value: object) -> None:
    assert isinstance(value, str | int | float | None | tuple | dict) or type(value).__name__ == "mappingproxy", value
    parts = value.values() if hasattr(value, "values") else value if isinstance(value, tuple) else ()
    for part in parts:
        check(part)


def test_plain_of_nested_dataclasses() -> None:
    seen = plain(Virt(disks=(Disk(size=4),)))
    assert seen["disks"][0]["size"] == 4  # type: ignore[index]
    with pytest.raises(TypeError):
        seen["ram"] = 1  # type: ignore[index]


def test_template_cannot_change_what_the_next_one_sees() -> None:
    templates = Templates(snippets={"x.j2": "{% set _ = nested.update({'a': 1}) %}"})
    with pytest.raises(TemplateError):
        templates.render(Kind.TEXT, "snippets/x.j2", SEEN, "system lady")
    assert SEEN["nested"] == {"a": ("b", 1)}


TREES = [
    ("", ""),
    ("http://h/x", "http://h/x"),
    ("nfs:h:/x", "nfs:h:/x"),
    ("trees/x y", "http://10.0.0.1/files/trees/x%20y"),
    ("/trees/x", "http://10.0.0.1/files/trees/x"),
]


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_tree(tree: str, expected: str) -> None:
    assert Subject(replace(LADY, tree=tree), Server("10.0.0.1")).tree == expected


def test_names_in_urls_are_escaped() -> None:
    target = replace(LADY, name="la dy/ü?#")
    url = Subject(target, Server("h"), token="a b").autoinstall_url
    assert url == "http://h/autoinstall/la%20dy%2F%C3%BC%3F%23?token=a%20b"


def test_machine_without_a_name_of_its_own() -> None:
    seen = values(Subject(Target("profile", "web"), Server("h"), subnet=replace(SUBNET, domain="sub.example")))
    assert (seen["system_name"], seen["profile_name"], seen["hostname"]) == ("", "web", "")
    assert (seen["domain"], seen["gateway"], seen["mac_address"]) == ("sub.example", "10.0.0.254", "")
    assert seen["callback_url"] == ""
