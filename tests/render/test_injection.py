"""What a value holds never adds a directive: it is read back as the same value, or refused with its field's name."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pykickstart.errors import KickstartError
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.request import BootRequest, Loader, Via
from netprov.errors import ConfigError
from netprov.inventory.model import Target

from .readers import grub_commands, ipxe_commands, kernel_arguments, pxelinux_directives
from .site import LADY, SERVER, STRANGER, WEB, Site, inventory, menus, names

HOSTILE = [
    "a\nb",
    "a\rb",
    "a\r\nLABEL evil",
    "a\x00b",
    "a\x1b[2Jb",
    "a\x85b",
    "a\u2028b",
    "a; reboot",
    "a;reboot;b",
    "a' ; reboot ; '",
    'a" ; reboot ; "',
    "a' 'b",
    "it's",
    'say "hi"',
    "$(reboot)",
    "`reboot`",
    "${net0/mac}",
    "$net_default_mac",
    "a$",
    "a || reboot",
    "a && reboot",
    "a # b",
    "#a",
    "a\\",
    "a\\nb",
    "%end",
    "%post",
    "%include /etc/shadow",
    "\n%end\n%post\nreboot\n%end",
    "{{ 7 * 7 }}",
    "{% include '/etc/passwd' %}",
    "{# x #}",
    "a: b",
    "- a",
    "a, b: c",
    "</hostname><evil/>",
    "]]>",
    "&amp;",
    "yes",
    "null",
    "0x10",
    "12:30:00",
    "*alias",
    "&anchor",
    "!!python/object/apply:os.system [reboot]",
    " leading",
    "trailing ",
    "two  spaces",
    "--bootproto=static",
    "a --password=x",
    "tab\there",
    "ÄÖÜ→",
    "",
    "}",
    "{ reboot",
    "| reboot",
    "> /dev/sda",
]

ANY = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30), st.text("ab \\'\"$;#{}%|&\n", max_size=12))


def script(loader: Loader, target: Target) -> str | None:
    """The script of `target`, None where its values were refused, which must say which field is meant."""
    try:
        return Site(inventory(target, WEB)).text(names()[loader])
    except ConfigError as error:
        names_its_field(error)
        return None


def names_its_field(error: ConfigError, *fields: str) -> None:
    assert any(word in str(error) for word in fields or ("kernel_options.evil", "hostname")), str(error)


def option_of(value: str) -> Target:
    return replace(LADY, kernel_options={"first": ("1",), "evil": (value,), "last": None}, autoinstall="")


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("loader", [Loader.PXELINUX, Loader.GRUB, Loader.IPXE])
def test_hostile_kernel_option(loader: Loader, value: str) -> None:
    check_option(loader, value)


@settings(max_examples=150, deadline=None)
@given(ANY)
@example("a\\")
def test_any_kernel_option(value: str) -> None:
    for loader in (Loader.PXELINUX, Loader.IPXE):
        check_option(loader, value)


@cache
def plain_skeleton(loader: Loader) -> list[str]:
    plain = script(loader, option_of("plain"))
    assert plain is not None
    return command_line(loader, plain)[1]


def check_option(loader: Loader, value: str) -> None:
    text = script(loader, option_of(value))
    if text is None:
        return
    line, skeleton = command_line(loader, text)
    assert skeleton == plain_skeleton(loader)
    given_back = dict(kernel_arguments(line))
    assert given_back["evil"] == value
    assert list(given_back)[-2:] == (["last", "initrd"] if loader is Loader.IPXE else ["evil", "last"])


def command_line(loader: Loader, text: str) -> tuple[str, list[str]]:
    """The kernel's command line as the loader hands it over, and every directive of the script in order."""
    if loader is Loader.PXELINUX:
        directives = pxelinux_directives(text)
        return dict(directives)["APPEND"], [keyword for keyword, _ in directives]
    if loader is Loader.GRUB:
        commands = grub_commands(text)
        words = next(c for c in commands if c[:2] == ["if", "linux"])[3:]
        # GRUB puts words with spaces in double quotes, and a backslash before these
        assert not any(set(word) & set("\"'\\") for word in words)
        return " ".join(f'"{w}"' if " " in w else w for w in words), [c[0] for c in commands]
    commands = ipxe_commands(text)
    words = next(c for c in commands if c[0] == "kernel")[2:]
    assert "${" not in " ".join(words)
    return " ".join(words), [c[0] for c in commands]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("loader", [Loader.PXELINUX, Loader.GRUB, Loader.IPXE])
def test_hostile_hostname(loader: Loader, value: str) -> None:
    text = script(loader, replace(LADY, hostname=value, breed="debian", os_version="12"))
    plain = script(loader, replace(LADY, hostname="plain", breed="debian", os_version="12"))
    if text is not None:
        assert plain is not None
        line, skeleton = command_line(loader, text)
        assert skeleton == command_line(loader, plain)[1]
        expected = value.partition(".")[0] or "lady"
        assert dict(kernel_arguments(line)).get("hostname", expected) == expected


@pytest.mark.parametrize("value", [v for v in HOSTILE if v])
@pytest.mark.parametrize("loader", [Loader.PXELINUX, Loader.GRUB, Loader.IPXE])
def test_hostile_menu_title(loader: Loader, value: str) -> None:
    def menu(title: str) -> list[str]:
        declared = tuple(replace(one, display_name=title) if one.name == "servers" else one for one in menus())
        text = Site(inventory(LADY, replace(WEB, menu="servers"), menus=declared)).text(names(STRANGER)[loader])
        return command_line_free(loader, text)

    try:
        found = menu(value)
    except ConfigError:
        return
    assert found == menu("plain")


def command_line_free(loader: Loader, text: str) -> list[str]:
    if loader is Loader.PXELINUX:
        return [" ".join([keyword, *rest.split()[:1]]) for keyword, rest in pxelinux_directives(text)]
    if loader is Loader.GRUB:
        return [command[0] for command in grub_commands(text)]
    return [command[0] for command in ipxe_commands(text)]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("loader", [Loader.PXELINUX, Loader.GRUB, Loader.IPXE])
def test_what_an_installer_reported_never_keeps_a_machine_from_its_disk(loader: Loader, value: str) -> None:
    site = Site(inventory())
    site.state.installs.records["lady"] = InstallRecord(InstallState.FAILED, note=value)
    text = site.text(names()[loader])
    site.state.installs.records["lady"] = InstallRecord(InstallState.FAILED, note="plain")
    assert command_line_free(loader, text) == command_line_free(loader, site.text(names()[loader]))


@pytest.mark.parametrize("value", HOSTILE)
def test_serial_in_a_users_template_is_data(value: str, tmp_path: Path) -> None:
    """A template that shows what a machine said of itself."""
    folder = tmp_path
    for path, line in (("grub/local.cfg", "echo {{ serial }}\n"), ("ipxe/local.ipxe", "#!ipxe\necho {{ serial }}\n")):
        (folder / path).parent.mkdir()
        (folder / path).write_text(line)
    base = inventory(replace(LADY, serial=value))
    site = Site(replace(base, settings=replace(base.settings, templates=folder)))
    site.state.installs.records["lady"] = InstallRecord(InstallState.LOCAL)
    for loader, read in ((Loader.GRUB, grub_commands), (Loader.IPXE, ipxe_commands)):
        try:
            text = site.text(names()[loader])
        except ConfigError as error:
            names_its_field(error, "serial")
            continue
        commands = read(text)
        assert len(commands) == 1
        assert commands[0][0] == "echo"
        if loader is Loader.GRUB:
            assert commands[0][1:] == [value]


def answers(target: Target) -> str | None:
    site = Site(inventory(target))
    site.state.installs.records["lady"] = InstallRecord(InstallState.BOOTING, token="tok")
    try:
        request = BootRequest(Via.HTTP, Loader.OS, server=SERVER)
        return site.autoinstall("system", "lady", request, "tok").body.decode()
    except ConfigError as error:
        names_its_field(error, *META, "hostname", "proxy", "has a")
        return None


META = ("timezone", "lang", "root_password_crypted", "ssh_keys", "packages")


def meta_of(template: str, value: str, **fields: object) -> Target:
    meta = {**dict.fromkeys(META, value), "ssh_keys": (value,), "packages": (value,)}
    return replace(LADY, hostname=value, autoinstall=template, autoinstall_meta=meta, **fields)  # type: ignore[arg-type]


@cache
def plain_answers(template: str) -> str:
    text = answers(meta_of(template, "plain"))
    assert text is not None
    return text


@cache
def plain_user_data() -> frozenset[str]:
    return frozenset(yaml.safe_load(plain_answers("default.user-data"))["autoinstall"])


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_kickstart(value: str) -> None:
    check_kickstart(value)


@settings(max_examples=60, deadline=None)
@given(ANY)
def test_any_value_in_kickstart(value: str) -> None:
    check_kickstart(value)


def check_kickstart(value: str) -> None:
    text = answers(meta_of("default.ks", value))
    if text is None:
        return
    assert len(text.splitlines()) == len(plain_answers("default.ks").splitlines())
    parser = KickstartParser(makeVersion("RHEL9"))
    try:
        parser.readKickstartFromString(text)
    except KickstartError:
        return  # one that Kickstart itself refuses, as an empty time zone, adds nothing
    handler = parser.handler
    assert handler.rootpw.password == value
    assert handler.timezone.timezone == value
    assert len(handler.scripts) == 3  # ssh keys, callback, onerror
    assert [script.script.count("reboot") for script in handler.scripts[1:]] == [0, 0]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_user_data(value: str) -> None:
    text = answers(meta_of("default.user-data", value, breed="ubuntu", os_version="24.04"))
    if text is None:
        return
    read = yaml.safe_load(text)["autoinstall"]
    assert set(read) == plain_user_data()
    assert read["timezone"] == value
    assert read["user-data"]["users"][0]["ssh_authorized_keys"] == [value]
    assert read["user-data"]["users"][0]["hashed_passwd"] == value
    assert read["packages"] == [value]


@settings(max_examples=80, deadline=None)
@given(st.one_of(ANY, st.text("a:-?#,[]{}&*!|>'\"%@` \t\n0123456789.e~", max_size=8)))
def test_any_value_in_user_data(value: str) -> None:
    test_hostile_values_in_user_data(value)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_autoyast(value: str) -> None:
    text = answers(meta_of("default.autoyast.xml", value, breed="suse"))
    if text is None:
        return
    plain = ElementTree.fromstring(answers(meta_of("default.autoyast.xml", "plain.example.org")) or "")
    read = ElementTree.fromstring(text)
    tags = [element.tag for element in read.iter() if not element.tag.endswith(("}domain", "}hostname"))]
    assert tags == [element.tag for element in plain.iter() if not element.tag.endswith(("}domain", "}hostname"))]
    namespace = "{http://www.suse.com/1.0/yast2ns}"
    assert (read.findtext(f"{namespace}users/{namespace}user/{namespace}user_password") or "") == value


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_preseed(value: str) -> None:
    text, plain = (
        answers(meta_of("default.preseed", v, breed="debian", os_version="12", proxy=v)) for v in (value, "plain")
    )
    if text is None:
        return
    assert plain is not None
    questions = [line.split()[:3] for line in text.splitlines() if not line.startswith("#")]
    assert questions[:-8] == [line.split()[:3] for line in plain.splitlines() if not line.startswith("#")][:-8]
    assert len(text.splitlines()) == len(plain.splitlines())
