"""Kernel arguments by breed and version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netprov.errors import ConfigError, Origin
from netprov.inventory.fields import ARCHES
from netprov.render.arguments import LIMITS, TABLE, Facts, command_line, row_of, too_long
from netprov.render.breeds import NEWEST, Family, Release, release_of
from netprov.render.quoting import Words

from .site import LADY

FACTS = Facts(
    url="http://h/autoinstall/lady?token=t",
    seed="http://h/autoinstall/lady/t/",
    tree="http://h/tree",
    hostname="lady",
    domain="example.org",
)
KS = "http://h/autoinstall/lady?token=t"
ANACONDA = f"inst.ks={KS} inst.ks.sendmac inst.repo=http://h/tree"
OLD_ANACONDA = f"ks={KS} ksdevice=bootif kssendmac method=http://h/tree"
PRESEED = f"auto=true priority=critical url={KS} hostname=lady domain=example.org"

BREEDS = [
    ("redhat", "9", ANACONDA),
    ("redhat", "rhel9", ANACONDA),
    ("redhat", "rhel10.1", ANACONDA),
    ("redhat", "7", ANACONDA),
    ("redhat", "", ANACONDA),
    ("redhat", "stream", ANACONDA),
    ("rocky", "9.4", ANACONDA),
    ("redhat", "6", OLD_ANACONDA),
    ("redhat", "rhel6", OLD_ANACONDA),
    ("redhat", "fedora42", ANACONDA),
    ("fedora", "17", ANACONDA),
    ("fedora", "16", OLD_ANACONDA),
    ("debian", "12", f"{PRESEED} netcfg/choose_interface=auto"),
    ("debian", "bookworm", f"{PRESEED} suite=bookworm netcfg/choose_interface=auto"),
    ("debian", "", f"{PRESEED} netcfg/choose_interface=auto"),
    ("ubuntu", "20.04", "autoinstall ds=nocloud;s=http://h/autoinstall/lady/t/ ip=dhcp"),
    ("ubuntu", "noble", "autoinstall ds=nocloud;s=http://h/autoinstall/lady/t/ ip=dhcp"),
    ("ubuntu", "", "autoinstall ds=nocloud;s=http://h/autoinstall/lady/t/ ip=dhcp"),
    ("ubuntu", "18.04", f"{PRESEED} netcfg/choose_interface=auto"),
    ("ubuntu", "bionic", f"{PRESEED} suite=bionic netcfg/choose_interface=auto"),
    ("suse", "sles15sp6", f"autoyast={KS} install=http://h/tree"),
    ("opensuse", "15.6", f"autoyast={KS} install=http://h/tree"),
    ("generic", "", f"netprov.autoinstall={KS}"),
    ("probe", "", f"netprov.autoinstall={KS}"),
    ("", "", f"netprov.autoinstall={KS}"),
    ("REDHAT", "9", ANACONDA),
]


@pytest.mark.parametrize(("breed", "os_version", "expected"), BREEDS)
def test_arguments_by_breed(breed: str, os_version: str, expected: str) -> None:
    target = replace(LADY, breed=breed, os_version=os_version)
    suite = release_of(target).codename
    assert " ".join(command_line(target, {}, replace(FACTS, suite=suite))) == expected


def test_every_family_has_a_row_for_every_version() -> None:
    for family in Family:
        for version in ((0,), (1,), (7,), (99,), NEWEST):
            assert row_of(Release(family, version)).family is family
        versions = [row.since for row in TABLE if row.family is family]
        assert versions == sorted(versions, reverse=True)


def test_iso_tree_of_ubuntu_is_not_taken_for_configuration() -> None:
    target = replace(LADY, breed="ubuntu", os_version="24.04")
    line = command_line(target, {}, replace(FACTS, iso="http://h/noble.iso"))
    assert line[-2:] == ("url=http://h/noble.iso", "cloud-config-url=/dev/null")


def test_without_answers_only_the_tree_is_told() -> None:
    assert command_line(LADY, {}, Facts(tree="http://h/tree")) == ("inst.repo=http://h/tree",)
    assert command_line(LADY, {}, Facts(bootif="01-aa")) == ("BOOTIF=01-aa",)


OPTIONS = [
    ({"quiet": None}, ["quiet"]),
    ({"console": ("tty0", "ttyS0,115200")}, ["console=tty0", "console=ttyS0,115200"]),
    ({"root": ("UUID=1-2",)}, ["root=UUID=1-2"]),
    ({"foo": ("a b",)}, ["foo=a b"]),
    ({"empty": ("",)}, ["empty="]),
    ({"b": None, "a": None}, ["b", "a"]),
    ({"---": None, "after": None}, ["---", "after"]),
]


@pytest.mark.parametrize(("options", "expected"), OPTIONS)
def test_operators_options(options: dict[str, tuple[str, ...] | None], expected: list[str]) -> None:
    assert list(command_line(LADY, options, Facts())) == expected


def test_operators_option_replaces_the_generated_one() -> None:
    line = command_line(LADY, {"inst.ks": ("http://other",), "BOOTIF": ("eth0",)}, replace(FACTS, bootif="01-aa"))
    assert list(line) == ["inst.ks.sendmac", "inst.repo=http://h/tree", "inst.ks=http://other", "BOOTIF=eth0"]


BAD = ["a b", "", "a\nb", "=x", 'a"b', "a\tb"]


@pytest.mark.parametrize("key", BAD)
def test_bad_option_names_its_field_and_line(key: str) -> None:
    target = replace(LADY, origins={"kernel_options": Origin("site.yaml", 7)})
    with pytest.raises(ConfigError) as caught:
        command_line(target, {key: None}, Facts())
    assert str(caught.value).startswith("site.yaml:7: system lady, field kernel_options.")


def test_hostname_that_does_not_fit_names_its_field() -> None:
    with pytest.raises(ConfigError, match="system lady, field hostname: has a line break"):
        command_line(replace(LADY, breed="debian"), {}, replace(FACTS, hostname="a\nb"))


def test_every_architectures_limit_is_known() -> None:
    assert LIMITS.keys() == set(ARCHES)


@pytest.mark.parametrize(("arch", "limit"), LIMITS.items())
def test_command_line_limit(arch: str, limit: int) -> None:
    target = replace(LADY, arch=arch)
    assert too_long(target, "x" * (limit - 1)) == ""
    assert str(limit - 1) in too_long(target, "x" * limit)
    assert Words(["a"])[0] == "a"
