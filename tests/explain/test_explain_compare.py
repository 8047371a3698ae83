"""--diff and --what-if: what is different, and where that was written."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.cli import main
from netprov.errors import ConfigError
from netprov.explain.change import Changes, Documents, change
from netprov.inventory.load import load
from tests.explain.house import CONFIG, make, said, told
from tests.world import edit


def test_alike(house: Path) -> None:
    """What names a machine does not count: its name, host name, MAC and address stand in its script and answers."""
    edit(
        house,
        '    interfaces: {eth0: {mac: "52:54:00:00:00:01"',
        '    hostname: lady.example.org\n    interfaces: {eth0: {mac: "52:54:00:00:00:01"',
    )
    result = said(house, "--diff", "lady", "earl")
    assert (result.exit_code, result.output) == (0, "lady and earl boot alike\n")
    assert told(house, "--diff", "lady", "earl") == {
        "first": "lady",
        "second": "earl",
        "alike": True,
        "differences": [],
    }


def test_different(house: Path) -> None:
    edit(house, "profile: db", "profile: db\n    install: install-once")
    found = told(house, "--diff", "lady", "duke", status=1)
    by_what = {(row["stage"], row["what"]): (row["first"], row["second"]) for row in found["differences"]}
    first, second = by_what["declared", "profile"]
    assert (first[0]["text"], second[0]["text"]) == ("web", "db")
    lines = (house / "netprov.yaml").read_text().splitlines()
    for side, says in ((first, "profile: web"), (second, "profile: db")):
        assert says in lines[int(side[0]["origin"].rpartition(":")[2]) - 1]
    first, second = by_what["arguments", "gets"]
    assert not first[0]["text"].endswith("quiet")
    assert second[0]["text"].endswith("quiet")
    assert by_what["script", "the text"][1][0]["text"].endswith("quiet")
    assert "hostname" not in [what for _, what in by_what]


def test_one_stops_where_the_other_goes_on(house: Path) -> None:
    text = said(house, "--diff", "lady", "duke").output
    assert "install: local, and no install is armed" in text
    assert "kernel      the stage" in text
    assert said(house, "--diff", "lady", "52:54:00:00:00:99").exit_code == 1


TROUBLE = [
    (("--diff", "lady", "lady"), "are one machine"),
    (("--diff", "lady", "lady", "--arch", "bios"), "are one machine"),
    (("--diff", "lady", "52:54:00:00:00:01"), "are one machine"),
    (("--diff", "lady", "ladi"), "did you mean lady"),
    (("--diff", "lady", "duke", "--via", "http", "--arch", "bios"), "via http"),
    (("lady", "--diff", "lady", "duke"), "exactly two machines"),
    (("--diff", "lady", "duke", "--what-if", "profile=db"), "exactly two machines"),
    (("--diff", "lady"), "requires 2 arguments"),
    ((), "name a machine"),
]


@pytest.mark.parametrize(("arguments", "says"), TROUBLE)
def test_no_comparison(house: Path, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2: neither alike nor different."""
    result = said(house, *arguments)
    assert result.exit_code == 2, result.output
    assert says in result.output


def test_broken_configuration_is_no_difference(house: Path) -> None:
    edit(house, "profile: db", "profile: dbb")
    result = said(house, "--diff", "lady", "duke")
    assert result.exit_code == 2
    assert "no such profile: dbb; did you mean db?" in result.output


WHAT_IF = [
    # the change, the stage and the field that are another then, and what then has
    ("profile=db", "declared", "profile", "db"),
    ("profile=db", "arguments", "gets", "quiet"),
    ("kernel_options.console=ttyS0", "arguments", "gets", "console=ttyS0"),
    ("kernel_options=quiet splash", "arguments", "gets", "quiet splash"),
    ("kopts={console: [tty0, 'ttyS0,115200']}", "arguments", "gets", "console=ttyS0,115200"),
    ("interfaces.eth0.ip=10.0.0.77/24", "firmware", "offer yiaddr", "10.0.0.77"),
    ("install=local", "firmware", "gets", "nothing to boot"),
    ("netboot_enabled=false", "firmware", "gets", "nothing to boot"),
    ("boot_loaders=ipxe", "firmware", "gets", "undionly.kpxe"),
    ("web.kernel_options=nomodeset", "arguments", "gets", "nomodeset"),
    ("profiles.web.kernel_options=nomodeset", "arguments", "gets", "nomodeset"),
    ("profile.web.kernel_options=nomodeset", "arguments", "gets", "nomodeset"),
    ("systems.lady.hostname=l.example.org", "firmware", "offer 12 hostname", ""),
    ("d.tree=http://x/y", "arguments", "gets", "inst.repo=http://x/y"),
    ("distros.d.os_version=6", "arguments", "gets", "method=http://10.0.0.1/t"),
    ("dhcp.mode=proxy", "firmware", "offer yiaddr", "0.0.0.0"),
    ("server.address=10.0.0.5", "firmware", "offer siaddr", "10.0.0.5"),
    ("subnets.10.0.0.0/24.lease=1h", "firmware", "offer 51 lease-time", "3600 s"),
    ("subnet.10.0.0.0/24.router=10.0.0.253", "firmware", "offer 3 router", "10.0.0.253"),
    ("defaults.next_server=10.0.0.8", "firmware", "offer siaddr", "10.0.0.8"),
    ("http.enabled=false", "autoinstall", "problem", "http.enabled is false"),
    ("autoinstall=", "autoinstall", "the stage", ""),
]


@pytest.mark.parametrize(("change", "stage", "what", "then"), WHAT_IF)
def test_what_if(house: Path, change: str, stage: str, what: str, then: str) -> None:
    # what it comes to if somebody writes an empty value, or what the field inherits then, differs by the field
    if change == "autoinstall=":
        edit(
            house,
            'install: install-once\n    interfaces: {eth0: {mac: "52:54:00:00:00:01"',
            'autoinstall: default.ks\n    install: install-once\n    interfaces: {eth0: {mac: "52:54:00:00:00:01"',
        )
        edit(house, "web: {distro: d, autoinstall: default.ks}", "web: {distro: d}")
    rows = told(house, "lady", "--what-if", change, status=None)["differences"]
    found = [row for row in rows if (row["stage"], row["what"]) == (stage, what)]
    assert found or then == "", rows
    if found:
        assert then in " ".join(one["text"] for one in found[0]["second"])


def test_what_if_says_where_both_stand(house: Path) -> None:
    rows = told(house, "lady", "--what-if", "profile=db")["differences"]
    (profile,) = [row for row in rows if row["what"] == "profile"]
    assert profile["first"][0]["origin"].endswith("netprov.yaml:14")
    assert profile["second"][0]["origin"] == "--what-if 'profile=db'"


def test_several_changes_and_none(house: Path) -> None:
    rows = told(house, "lady", "--what-if", "profile=db", "--what-if", "web.kernel_options=x=1")["differences"]
    (line,) = [row["second"][0]["text"] for row in rows if (row["stage"], row["what"]) == ("arguments", "gets")]
    assert line.endswith("x=1 quiet")
    assert said(house, "lady", "--what-if", "comment=x").output.startswith("declared comment now")
    assert said(house, "lady", "--what-if", "duke.hostname=d").output == "nothing in its boot changes\n"
    before = (house / "netprov.yaml").read_text()
    said(house, "lady", "--what-if", "profile=db")
    assert (house / "netprov.yaml").read_text() == before


def test_what_if_of_an_unknown_machine(house: Path) -> None:
    rows = told(house, "52:54:00:00:00:99", "--what-if", "server.unknown=ignore")["differences"]
    assert "server.unknown is ignore: nothing to boot" in str(rows)


def test_what_if_says_where_it_would_stop(house: Path) -> None:
    result = said(house, "lady", "--what-if", "arch=aarch64", "--arch", "bios")
    assert result.exit_code == 1
    result = said(house, "lady", "--what-if", "d.arch=aarch64", "--arch", "bios")
    assert result.exit_code == 1
    assert "✗ then it stops at: firmware: " in result.output


REFUSED = [
    # the change, what it says: the loader's own words where the field or the value are wrong
    ("profile=dbb", "--what-if 'profile=dbb': system lady, field profile: no such profile: dbb; did you mean db?"),
    ("profil=db", "--what-if 'profil=db': system lady, field profil: no such field; did you mean profile?"),
    ("install=maybe", "system lady, field install: 'maybe' is not one of local, install-once, always"),
    ("interfaces.eth0.ip=10.0.0.999", "field interfaces.eth0.ip: '10.0.0.999' is not an IPv4 address"),
    ("interfaces.eth0.mac=52:54:00:00:00:02", "the MAC 52:54:00:00:00:02 is that of system lady too"),
    ("ip=10.0.0.4", "it belongs to an interface"),
    ("image=x", "has both profile: and image:"),
    ("duke.profile=x", "system duke, field profile: no such profile: x"),
    ("ladi.profile=x", "no object and no section is called ladi; did you mean lady?"),
    ("systems.ladi.profile=x", "no such system: ladi; did you mean lady?"),
    ("dhcp.modes=x", "dhcp, field modes: no such field; did you mean mode?"),
    ("dhcp.mode=x", "dhcp, field mode: 'x' is not one of full, reserved, proxy, off"),
    ("subnets.10.7.0.0/24.router=10.7.0.1", "no such subnet: 10.7.0.0/24"),
    ("profile", "is not a change: write FIELD=VALUE"),
    ("=db", "is not a change"),
    ("profile=[a", "--what-if 'profile=[a':2: did not find"),
    ("profile=!x", "the YAML tag !x means nothing here"),
    ("distro.d.kernel=nosuch", "distro d, field kernel"),
]


@pytest.mark.parametrize(("change", "says"), REFUSED)
def test_what_if_refused(house: Path, change: str, says: str) -> None:
    result = said(house, "lady", "--what-if", change)
    assert result.exit_code == 1
    assert says in result.output


def test_plain_field_of_nobody(house: Path) -> None:
    result = said(house, "52:54:00:00:00:99", "--what-if", "profile=db")
    assert result.exit_code == 1
    assert "no declared system is named: say whose field it is, like systems.NAME.FIELD=VALUE" in result.output


def test_names_with_dots_and_twice(tmp_path: Path, house: Path) -> None:
    """The longest name that fits is meant; one that stands in several sections is to be written with its section."""
    edit(house, "  db: {parent: web", "  web.a: {parent: web}\n  d: {parent: web}\n  db: {parent: web")
    edit(
        house,
        "profile: web\n    install: install-once\n    interfaces: {eth0: {mac",
        "profile: web.a\n    install: install-once\n    interfaces: {eth0.5: {}, eth0: {mac",
    )
    rows = told(house, "lady", "--what-if", "web.a.kernel_options=q")["differences"]
    assert "q" in str([row["second"] for row in rows if row["what"] == "kernel_options"])
    rows = told(house, "lady", "--what-if", "interfaces.eth0.5.mtu=1400")["differences"]
    assert [row["what"] for row in rows if row["stage"] == "declared"] == ["interfaces"]
    assert (
        "write distros.d.kernel_options or profiles.d.kernel_options"
        in said(house, "lady", "--what-if", "d.kernel_options=x").output
    )


def test_objects_in_files_of_their_own(house: Path) -> None:
    text = (house / "netprov.yaml").read_text()
    at = text.index("distros:")
    (house / "netprov.yaml").write_text(text[:at])
    (house / "inventory").mkdir()
    (house / "inventory" / "all.yaml").write_text(
        text[at:] + "snippets: {s: hello}\nsubnets: [{subnet: 10.5.0.0/24}]\n"
    )
    for setting, what in (
        ("profile=db", "profile"),
        ("tftp.blksize=1024", "TFTP"),
        ("subnets.10.5.0.0/24.profile=web", ""),
    ):
        rows = told(house, "lady", "--what-if", setting)["differences"]
        assert what in [row["what"] for row in rows] or not what
    assert said(house, "lady", "--what-if", "snippets.s=bye").exit_code == 1
    assert said(house, "lady", "--what-if", "snippets.s.text=bye").exit_code == 0


def test_missing_configuration(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["explain", "lady", "--what-if", "a=b", "-c", str(tmp_path / "no.yaml")])
    assert result.exit_code == 1
    assert "no such file: write one" in result.output


HEADS = (
    "",
    "lady.",
    "systems.lady.",
    "profiles.web.",
    "dhcp.",
    "dhcp.subnets.",
    "subnets.10.0.0.0/24.",
    "interfaces.eth0.",
    "defaults.",
    "inventory.",
    "server.",
)
WORDS = (
    "profile",
    "kernel_options",
    "interfaces",
    "mac",
    "mode",
    "subnets",
    "virt.disks",
    "users",
    "a.b.c",
    "",
    ".",
    "eth0",
)
VALUES = (
    "",
    "x",
    "[]",
    "{}",
    "{a: 1}",
    "[{}]",
    "*a",
    "&a b",
    "!x",
    "1",
    "null",
    "<<inherit>>",
    "'",
    "a: b",
    "\t",
    "- a",
    "#",
)


@settings(max_examples=150)
@given(
    st.builds(
        "{}{}={}".format,
        st.sampled_from(HEADS),
        st.sampled_from(WORDS) | st.text(max_size=9),
        st.sampled_from(VALUES) | st.text(max_size=9),
    )
    | st.text(max_size=20)
)
def test_any_change_is_made_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    if not folder.exists():
        make(folder, CONFIG)
    config = folder / "netprov.yaml"
    documents = Documents()
    load(config, edit=documents)
    with suppress(ConfigError):  # nothing else is raised
        changes = Changes([change(text, documents.names, "lady")], str(config))
        load(config, edit=changes)
        changes.check()
