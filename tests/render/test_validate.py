"""What an installer would not accept, and where the operator finds it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pykickstart.errors import KickstartParseError
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.request import BootRequest, Loader, Via
from netprov.errors import Origin
from netprov.inventory.model import Target
from netprov.render.breeds import NEWEST, Family, Release, release_of
from netprov.render.environment import PACKAGED, Templates
from netprov.render.quoting import Kind
from netprov.render.validate import MOST, faults, handler_version, problems

from .site import LADY, WEB, Site, inventory

RHEL9 = Release(Family.REDHAT, (9,))
K, S, Y, X, J = Kind.KICKSTART, Kind.PRESEED, Kind.YAML, Kind.XML, Kind.JSON

FAULTS = [
    (K, "text\nlang en_US\n", []),
    (K, "text\nbogus --x\n", [(2, "bogus")]),
    (K, "lang\ntext\nrootpw\ntext\n", [(1, "lang"), (3, "rootpw")]),
    (K, "text\n%packages\n@core\n", [(3, "%end")]),
    (K, "text\n%bogus\n%end\n", [(2, "%bogus")]),
    (K, "network --bootproto=telepathy\n", [(1, "telepathy")]),
    (K, "%include /tmp/part\n", []),  # it is on the installer, not here
    (K, "rootpw 'open\n", [(0, "quotation")]),
    (S, "d-i a/b string c\n# x\n\nd-i a/b note\n", []),
    (S, "d-i a/b\n", [(1, "owner, a question and a type")]),
    (S, "d-i a/b strin c\n", [(1, "'strin' is not a debconf type")]),
    (S, "d-i a/b string c \\\n  d\nd-i x\n", [(3, "owner")]),
    (S, "d-i a/b string c \\", [(1, "ends with a backslash")]),
    (Y, "#cloud-config\nautoinstall:\n  version: 1\n", []),
    (Y, "#cloud-config\nautoinstall:\n  version: 2\n", [(2, "version: 1")]),
    (Y, "#cloud-config\n- a\n", [(0, "mapping")]),
    (Y, "a: b: c\n", [(1, "not YAML")]),
    (Y, "a:\n  - b\n c: d\n", [(3, "not YAML")]),
    (Y, "a: \x00\n", [(0, "not YAML")]),
    (Y, "a: !!python/object/apply:os.system [id]\n", [(1, "not YAML")]),
    (Y, "a: 1\n---\nb: 2\n", []),
    (Y, "a: 1\n---\nb: [\n", [(4, "not YAML")]),
    (Y, "#cloud-config\na: 1\n---\nb: 2\n", [(0, "one YAML document")]),
    (Y, "[" * 100_000, [(0, "nests too deeply")]),
    (Y, "#!/bin/sh\n[ -f x ] && : {\n", []),
    (Y, "#include\nhttp://h/a: b: c\n", []),
    (Y, "#cloud-boothook\n#!/bin/sh\n: { [\n", []),
    (Y, "#cloud-config-archive\n- {type: text/x-shellscript, content: x}\n", []),
    (Y, "## template: jinja\n#cloud-config\n{% if v1.x %}\n", []),
    (Y, 'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n--b\n: [\n--b--\n', []),
    (Y, "Content-Type: text\nb: [\n", [(3, "not YAML")]),
    (S, "# caf\x85 and\x0c then\nd-i a/b string c\x85d\n", []),
    (K, "# a\x0c\ntext\nbogus\n", [(3, "bogus")]),
    (J, '{"a": 1}', []),
    (J, '{"a": 1,}', [(1, "not JSON")]),
    (J, '{"a": 1,\n"b" 2}', [(2, "not JSON")]),
    (J, "[" * 100_000, [(0, "nests too deeply")]),
    (X, "<a/>", []),
    (X, "<a>\n</b>", [(2, "not XML")]),
    (Kind.GRUB, "anything {", []),
]


@pytest.mark.parametrize(("kind", "text", "expected"), FAULTS)
def test_faults(kind: Kind, text: str, expected: list[tuple[int, str]]) -> None:
    found = faults(kind, text, RHEL9)
    assert [fault.line for fault in found] == [line for line, _ in expected]
    for fault, (_, says) in zip(found, expected, strict=True):
        assert says in fault.text
        assert "\n" not in fault.text


@pytest.mark.parametrize(
    ("version", "text", "says"),
    [
        ((22, 4), "#cloud-config\npackages: [a]\n", "autoinstall: is not there"),
        ((22, 4), "#cloud-config\nautoinstall: {version: 1}\n", ""),
        ((22, 4), "#!/bin/sh\n", ""),
        ((18, 4), "#cloud-config\npackages: [a]\n", ""),
    ],
)
def test_ubuntus_installer_needs_autoinstall(version: tuple[int, ...], text: str, says: str) -> None:
    found = faults(Y, text, Release(Family.UBUNTU, version))
    assert [says in fault.text for fault in found] == ([True] if says else [])


def test_what_makes_pykickstart_stumble_is_a_fault() -> None:
    assert faults(K, "method --url=http://h\n", Release(Family.REDHAT, (7,)))


def test_no_flood_of_faults() -> None:
    assert len(faults(K, "bogus\n" * 1000, RHEL9)) == MOST
    assert len(faults(S, "x\n" * 1000, RHEL9)) == MOST


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([K, S, Y, X, J]), st.text(max_size=60))
def test_any_text_is_judged(kind: Kind, text: str) -> None:
    for fault in faults(kind, text, RHEL9):
        assert fault.line >= 0
        assert fault.text


VERSIONS = [
    (Family.REDHAT, (9, 4), "RHEL9"),
    (Family.REDHAT, (6,), "RHEL6"),
    (Family.REDHAT, (1,), "RHEL3"),
    (Family.FEDORA, (42,), "F42"),
]


@pytest.mark.parametrize(("family", "version", "expected"), VERSIONS)
def test_handler_version(family: Family, version: tuple[int, ...], expected: str) -> None:
    assert handler_version(Release(family, version)) == expected


@pytest.mark.parametrize("family", [Family.REDHAT, Family.FEDORA, Family.GENERIC])
def test_unheard_of_release_gets_the_newest_language(family: Family) -> None:
    prefix = "RHEL" if family is Family.REDHAT else "F"
    number = int(handler_version(Release(family, NEWEST)).removeprefix(prefix))
    assert number >= (10 if family is Family.REDHAT else 42)


def test_the_version_decides() -> None:
    assert faults(K, "rootpw --lock\n", Release(Family.REDHAT, (6,)))
    assert not faults(K, "rootpw --lock\n", RHEL9)


def test_problem_names_the_templates_line(tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "disk.j2").write_text("\nzerombr\nclearpart --bogus={{ disk }}\n")
    text = "# netprov: template\n{% if 1 %}\nlang en_US\n{% endif %}\nbogus\n{% include 'snippets/disk.j2' %}\n"
    (tmp_path / "web.ks").write_text(text)
    templates = Templates(None, tmp_path)
    text = templates.render(K, "web.ks", {"disk": "sda"}, "system lady")
    found = problems(K, text, RHEL9, where="system lady", template="web.ks", templates=templates)
    assert [problem.origin for problem in found] == [
        Origin(str(tmp_path / "web.ks"), 5),
        Origin(str(tmp_path / "snippets" / "disk.j2"), 3),
    ]
    assert found[0].where == "system lady, rendered line 2, template web.ks"
    assert found[1].text.endswith(": clearpart --bogus=sda")


COMMANDS = [
    "cdrom",
    "nfs --server=h --dir=/x",
    "url --url=http://h/x",
    "url",
    "harddrive --partition=sda1 --dir=/x",
    "url --url=http://h/x\nnfs --server=h --dir=/x",
    "url --url=http://h/x\nrepo --name=a --baseurl=http://h/a",
    "repo --name=a",
    "ostreesetup --osname=a --remote=b --url=http://h --ref=c",
    "part / --size=1 --fstype=xfs\npart / --size=1",
    "volgroup vg pv.1\nlogvol / --vgname=vg --size=1 --name=root",
    "autopart --type=lvm\npart / --size=1",
    "raid / --level=1 --device=md0 raid.1 raid.2",
    "user --name=a\nuser --name=a",
    "sshkey --username=root 'ssh-ed25519 A'",
    "network --device=eth0\nnetwork --device=eth0",
    "timesource --ntp-server=h",
    "selinux --enforcing\nfirewall --enabled\nservices --enabled=sshd",
    "install",
    "authconfig --enableshadow",
]


@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("version", [(6,), (7,), (8,), (9,), (10,)])
def test_the_commands_in_use_are_enough_for_the_check(text: str, version: tuple[int, ...]) -> None:
    """The same verdict as from pykickstart's handler of every command."""
    release = Release(Family.REDHAT, version)
    found = faults(K, f"text\n{text}\n", release)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        line = 0
        try:
            KickstartParser(makeVersion(handler_version(release))).readKickstartFromString(f"text\n{text}\n")
        except KickstartParseError as error:
            line = error.lineno
    assert (found[0].line if found else 0) == line


META: list[dict[str, object]] = [
    {},
    {
        "ssh_keys": ("ssh-ed25519 AAAA a@b",),
        "packages": ("vim", "git"),
        "root_password_crypted": "$6$salt$hash",
        "keep_ssh_host_keys": True,
        "disk": "sda",
        "products": ("SLES",),
        "kernel_options_post": "console=ttyS0",
    },
]
PACKAGED_FOR = [
    *(("default.ks", "redhat", version) for version in ("6", "7", "8", "9", "10", "")),
    *(("default.ks", "fedora", version) for version in ("35", "42")),
    ("probe.ks", "generic", ""),
    ("probe.ks", "probe", ""),
    ("probe.ks", "redhat", "9"),
    *(("default.preseed", "debian", version) for version in ("12", "trixie")),
    *(("default.user-data", "ubuntu", version) for version in ("20.04", "noble")),
    ("default.autoyast.xml", "suse", "15.6"),
]


@pytest.mark.parametrize("meta", META)
@pytest.mark.parametrize(("template", "breed", "os_version"), PACKAGED_FOR)
def test_packaged_answers_are_valid(template: str, breed: str, os_version: str, meta: dict[str, object]) -> None:
    target = replace(LADY, autoinstall=template, breed=breed, os_version=os_version, autoinstall_meta=meta)
    bare = Target("profile", "bare", breed=breed, os_version=os_version, autoinstall=template, autoinstall_meta=meta)  # type: ignore[arg-type]
    site = Site(inventory(target, bare, WEB))
    site.state.installs.records["lady"] = InstallRecord(InstallState.BOOTING, token="tok--en")
    for kind, name, token in (("system", "lady", "tok--en"), ("system", "lady", ""), ("profile", "bare", "")):
        rendered = site.autoinstall(kind, name, BootRequest(Via.HTTP, Loader.OS), token)
        text = rendered.body.decode()
        language = next(k for k in (K, S, Y, X) if faults(k, text, release_of(target)) == [])
        assert language is {"ks": K, "preseed": S, "user-data": Y, "xml": X}[template.rpartition(".")[2]]
        assert ("callback" in text) == bool(token)
        if token and template != "default.autoyast.xml":
            assert "# netprov-callback: http://10.0.0.1/api/v1/callback/tok--en?status=done" in text.splitlines()


def test_every_packaged_template_was_tried() -> None:
    there = {path.name for path in (PACKAGED / "autoinstall").iterdir()}
    assert there == {template for template, _, _ in PACKAGED_FOR}
