"""Scripts: who asks, what it gets, and what is written down by it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from netprov.boot.decision import Action
from netprov.boot.install import SAME_BOOT, InstallRecord, InstallState
from netprov.boot.names import parse_name
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader, Via
from netprov.errors import PeerError
from netprov.inventory.model import HttpSettings, InstallMode, Menu, ServerSettings, Settings, Target, UnknownPolicy
from netprov.render.environment import TemplateError

from .readers import grub_commands, ipxe_commands, kernel_arguments, pxelinux_directives
from .site import DASHED, LADY, MAC, SERVER, STRANGER, UUID, WEB, Seen, Site, inventory, menus, names

IP = IPv4Address("10.0.0.77")
HEX_IP = "0A00004D"
LOCAL = InstallRecord(InstallState.LOCAL)
LOADERS = [Loader.PXELINUX, Loader.GRUB, Loader.IPXE]


def policy(unknown: UnknownPolicy) -> Settings:
    return Settings(server=ServerSettings(address=SERVER, unknown=unknown))


def action(site: Site, path: str, **fields: object) -> Action | None:
    rendered = site.ask(path, **fields)
    return rendered.decision.action if rendered is not None else None


# what each loader gets


def test_pxelinux_kernel() -> None:
    directives = dict(pxelinux_directives(Site(inventory()).text(names()[Loader.PXELINUX])))
    assert directives["DEFAULT"] == directives["LABEL"]
    assert directives["LINUX"] == "scotland/vmlinuz"
    assert directives["INITRD"] == "scotland/initrd.img"
    arguments = kernel_arguments(directives["APPEND"])
    assert arguments[0] == ("inst.ks", "http://10.0.0.1/autoinstall/lady?token=t1")
    assert ("BOOTIF", f"01-{DASHED}") in arguments
    assert arguments[-3:] == [("console", "tty0"), ("console", "ttyS0,115200"), ("quiet", None)]


def test_pxelinux_initrds_and_com32() -> None:
    target = replace(LADY, kernel="tools/mboot.c32", initrd=("a.img", "b/c.img"), autoinstall="", kernel_options={})
    directives = dict(pxelinux_directives(Site(inventory(target)).text(names()[Loader.PXELINUX])))
    assert directives["KERNEL"] == "tools/mboot.c32"
    assert directives["INITRD"] == "a.img,b/c.img"


def test_grub_kernel() -> None:
    target = replace(LADY, initrd=("scotland/initrd.img", "b.img"))
    commands = grub_commands(Site(inventory(target)).text(names()[Loader.GRUB]))
    linux = next(c for c in commands if "linux" in c)
    assert linux[2:4] == ["/scotland/vmlinuz", "inst.ks=http://10.0.0.1/autoinstall/lady?token=t1"]
    assert ["if", "initrd", "/scotland/initrd.img", "/b.img"] in commands
    assert commands[-1] == ["exit", "1"]


def test_grub_that_came_by_http_fetches_from_files() -> None:
    site = Site(inventory())
    request = BootRequest(Via.HTTP, Loader.GRUB, mac=MAC)
    name = parse_name("grub/grub.cfg")
    assert name is not None
    rendered = site.script(request, name)
    assert rendered is not None
    assert "linux /files/scotland/vmlinuz " in rendered.body.decode()


GRUB_URLS = [
    ("http://mirror:8080/a/vmlinuz", "(http,mirror:8080)/a/vmlinuz"),
    ("tftp://10.9.9.9/vmlinuz", "(tftp,10.9.9.9)/vmlinuz"),
    ("scotland/vmlinuz", "/scotland/vmlinuz"),
    ("/scotland/vmlinuz", "/scotland/vmlinuz"),
    ("with space/vmlinuz", "/with space/vmlinuz"),
]


@pytest.mark.parametrize(("kernel", "expected"), GRUB_URLS)
def test_grub_names(kernel: str, expected: str) -> None:
    commands = grub_commands(Site(inventory(replace(LADY, kernel=kernel))).text(names()[Loader.GRUB]))
    assert next(c for c in commands if "linux" in c)[2] == expected


def test_ipxe_kernel() -> None:
    target = replace(LADY, initrd=("a/initrd.img", "b/initrd.img", "c/other img"))
    commands = ipxe_commands(Site(inventory(target)).text(names()[Loader.IPXE]))
    kernel = next(c for c in commands if c[0] == "kernel")
    assert kernel[1] == "http://10.0.0.1/files/scotland/vmlinuz"
    initrds = [c for c in commands if c[0] == "initrd"]
    assert [c[3] for c in initrds] == [
        "http://10.0.0.1/files/a/initrd.img",
        "http://10.0.0.1/files/b/initrd.img",
        "http://10.0.0.1/files/c/other%20img",
    ]
    called = [c[2] for c in initrds]
    assert len(set(called)) == 3
    assert [word for word in kernel if word.startswith("initrd=")] == [f"initrd={name}" for name in called]
    assert ["goto", "failed"] in commands
    assert commands[-1] == ["exit", "1"]


def test_every_goto_of_ipxe_has_its_label() -> None:
    for text in every_script(Loader.IPXE):
        commands = ipxe_commands(text)
        labels = {c[0][1:] for c in commands if c[0].startswith(":")}
        items = {c[1] for c in commands if c[0] == "item"}
        gone = {c[1] for c in commands if c[0] == "goto" and "${" not in c[1]}
        assert gone | items <= labels


@pytest.mark.parametrize("loader", LOADERS)
def test_every_script_is_one_the_loader_can_read(loader: Loader) -> None:
    read = {Loader.PXELINUX: pxelinux_directives, Loader.GRUB: grub_commands, Loader.IPXE: ipxe_commands}[loader]
    for text in every_script(loader):
        assert read(text)
        assert "{{" not in text
        assert text.isascii()


def every_script(loader: Loader) -> list[str]:
    deep = replace(WEB, name="deep", menu="deep")
    site = Site(inventory(LADY, WEB, deep, replace(WEB, name="s", menu="servers"), menus=menus()))
    texts = [site.text(names(STRANGER)[loader]), site.text(names()[loader])]
    site.state.installs.records["lady"] = LOCAL
    texts.append(site.text(names()[loader]))
    if loader is not Loader.PXELINUX:
        texts.append(site.text({Loader.GRUB: "grub/grub.cfg", Loader.IPXE: "boot.ipxe"}[loader]))
    return texts


def test_menu_is_a_tree() -> None:
    profiles = [replace(WEB, name=n, menu=m) for n, m in (("top", ""), ("s", "servers"), ("d", "deep"), ("x", "gone"))]
    site = Site(inventory(LADY, *profiles, menus=menus()))
    text = site.text(names(STRANGER)[Loader.GRUB])
    assert text.index("menuentry top") < text.index("menuentry x") < text.index("submenu 'All servers'")
    assert text.index("submenu 'All servers'") < text.index("menuentry s ") < text.index("submenu deep")
    assert "submenu none" not in text
    assert "set default=local" in text
    directives = pxelinux_directives(site.text(names(STRANGER)[Loader.PXELINUX]))
    assert [d for d in directives if d[0] == "MENU" and d[1].startswith(("BEGIN", "END"))] == [
        ("MENU", "BEGIN menu1"),
        ("MENU", "BEGIN menu2"),
        ("MENU", "END"),
        ("MENU", "END"),
    ]
    assert ("MENU", "DEFAULT") in directives
    assert ("ONTIMEOUT", "local") in directives
    assert ("LOCALBOOT", "-1") in directives


def test_menu_entry_has_its_profiles_answers() -> None:
    text = Site(inventory()).text(names(STRANGER)[Loader.IPXE])
    assert "inst.ks=http://10.0.0.1/autoinstall/profile/web " in text
    assert "token" not in text


def test_circular_menus_end() -> None:
    loop = (Menu("a", parent="b"), Menu("b", parent="a"))
    assert Site(inventory(LADY, replace(WEB, menu="a"), menus=loop)).text(names(STRANGER)[Loader.GRUB])


def test_without_our_http_server_ipxe_is_sent_to_tftp() -> None:
    settings = replace(policy(UnknownPolicy.MENU), http=HttpSettings(enabled=False))
    site = Site(inventory(settings=settings))
    assert "kernel tftp://10.0.0.1/scotland/vmlinuz " in site.text(names()[Loader.IPXE])
    assert "set script tftp://10.0.0.1/ipxe/${netX/mac:hexhyp}\n" in site.text("boot.ipxe")


def test_port_and_address_of_the_server() -> None:
    settings = Settings(server=ServerSettings(unknown=UnknownPolicy.MENU), http=HttpSettings(port=8080))
    site = Site(inventory(settings=settings))
    text = site.text(names()[Loader.IPXE], server=IPv4Address("10.0.0.9"))
    assert "inst.ks=http://10.0.0.9:8080/autoinstall/lady" in text


@pytest.mark.parametrize("loader", [Loader.GRUB, Loader.IPXE])
def test_anonymous_loader_is_told_to_say_who_it_is(loader: Loader) -> None:
    text = Site(inventory()).text({Loader.GRUB: "grub/grub.cfg", Loader.IPXE: "boot.ipxe"}[loader])
    expected = {
        Loader.GRUB: "configfile /grub/system/$net_default_mac\n",
        Loader.IPXE: "set script http://10.0.0.1/ipxe/${netX/mac:hexhyp}?${facts}\n",
    }
    assert expected[loader] in text


# who asks


EXACT = [
    (f"pxelinux.cfg/{UUID}", Action.KERNEL),
    ("pxelinux.cfg/99999999-2222-3333-4444-555555555555", None),
    ("pxelinux.cfg/0A000005", Action.KERNEL),  # lady's declared address
    (f"pxelinux.cfg/{HEX_IP}", None),
    (f"grub/grub.cfg-{HEX_IP}", None),
    (f"pxelinux.cfg/01-{DASHED}", Action.KERNEL),
    (f"pxelinux.cfg/01-{STRANGER.replace(':', '-')}", Action.MENU),
    ("pxelinux.cfg/default", Action.MENU),
]


@pytest.mark.parametrize(("path", "expected"), EXACT)
def test_exact_names_are_there_for_declared_machines_only(path: str, expected: Action | None) -> None:
    assert action(Site(inventory()), path, ip=IP) is expected


def test_unknown_machine_that_is_ignored_gets_no_script() -> None:
    site = Site(inventory(settings=policy(UnknownPolicy.IGNORE)))
    assert action(site, names(STRANGER)[Loader.PXELINUX]) is None


SIGHTINGS = [
    # what was seen at the address, what the loader asks for: what it gets
    (Seen(mac=MAC), "pxelinux.cfg/default", Action.KERNEL),
    (Seen(mac=MAC), "grub/grub.cfg", Action.KERNEL),
    (Seen(uuid=UUID), "grub/grub.cfg", Action.KERNEL),
    (Seen(mac=STRANGER), "grub/grub.cfg", Action.MENU),
    (Seen(mac=STRANGER, uuid=UUID), "grub/grub.cfg", Action.KERNEL),
    # the name counts more than what was seen
    (Seen(mac=MAC), names(STRANGER)[Loader.PXELINUX], Action.MENU),
    (Seen(mac=MAC, uuid=UUID), names(STRANGER)[Loader.PXELINUX], Action.MENU),
    (Seen(mac=STRANGER), names()[Loader.PXELINUX], Action.KERNEL),
    # a UUID that two machines share does not make them one
    (Seen(mac=MAC, uuid="00000000-0000-0000-0000-000000000000"), names(STRANGER)[Loader.PXELINUX], Action.MENU),
    # a second card of the same machine: its UUID is in the name
    (Seen(mac=STRANGER, uuid=UUID), f"pxelinux.cfg/{UUID}", Action.KERNEL),
]


@pytest.mark.parametrize(("seen", "path", "expected"), SIGHTINGS)
def test_sighting_tells_who_asks(seen: Seen, path: str, expected: Action) -> None:
    site = Site(inventory())
    site.state.sightings.seen = {IP: seen}
    assert action(site, path, ip=IP) is expected


def test_bootif_is_the_card_that_boots() -> None:
    site = Site(inventory())
    second = "52-54-00-00-00-02"
    assert f"BOOTIF=01-{second}" in site.text(f"pxelinux.cfg/01-{second}")
    site.state.sightings.seen = {IP: Seen(mac="52:54:00:00:00:02")}
    assert f"BOOTIF=01-{second}" in site.text(f"pxelinux.cfg/{UUID}", ip=IP)


def test_arch_of_the_sighting_counts() -> None:
    site = Site(inventory())
    site.state.sightings.seen = {IP: Seen(mac=MAC, arch=11)}
    assert action(site, "grub/grub.cfg", ip=IP) is Action.LOCAL  # an x86_64 kernel on ARM firmware


# what is written down


def test_serving_an_install_starts_it() -> None:
    site = Site(inventory())
    rendered = site.ask(names()[Loader.GRUB])
    assert rendered is not None
    after = site.state.installs.records["lady"]
    assert (after.state, after.attempts) == (InstallState.BOOTING, 1)
    assert rendered.told is not None
    assert (rendered.told.text, rendered.told.stage) == ("lady: booting (attempt 1)", "script")
    assert after.token
    assert rendered.token == after.token
    assert f"token={after.token}" in rendered.body.decode()


def test_names_asked_for_in_one_boot_are_one_attempt() -> None:
    site = Site(inventory())
    site.ask(f"pxelinux.cfg/{UUID}")
    site.now += SAME_BOOT / 2
    rendered = site.ask(names()[Loader.PXELINUX])
    assert rendered is not None
    assert rendered.told is None
    assert site.state.installs.records["lady"].attempts == 1


def test_preview_changes_nothing() -> None:
    site = Site(inventory())
    rendered = site.ask(names()[Loader.GRUB], preview=True)
    assert rendered is not None
    assert "token=preview" in rendered.body.decode()
    assert not site.state.installs.applied


def test_one_attempt_too_many_boots_the_disk() -> None:
    site = Site(inventory())
    for attempt in range(1, LADY.install_attempts + 1):
        assert action(site, names()[Loader.GRUB]) is Action.KERNEL
        assert site.state.installs.records["lady"].attempts == attempt
        site.now += SAME_BOOT
    rendered = site.ask(names()[Loader.GRUB])
    assert rendered is not None
    assert rendered.decision.action is Action.LOCAL
    assert rendered.told is not None
    assert rendered.told.reason is Reason.INSTALL_FAILED
    assert "linux" not in rendered.body.decode()
    assert action(site, names()[Loader.GRUB]) is Action.LOCAL


def test_template_error_costs_no_attempt(tmp_path: Path) -> None:
    folder = tmp_path / "grub"
    folder.mkdir()
    (folder / "kernel.cfg").write_text("linux {{ typo }}\n")
    base = inventory()
    site = Site(replace(base, settings=replace(base.settings, templates=folder.parent)))
    with pytest.raises(TemplateError, match=r"grub/kernel\.cfg:1: system lady: 'typo' is undefined"):
        site.ask(names()[Loader.GRUB])
    assert not site.state.installs.applied


def test_installed_machine_boots_its_disk() -> None:
    site = Site(inventory())
    site.state.installs.records["lady"] = InstallRecord(InstallState.INSTALLED, token="t")
    for path in names().values():
        assert action(site, path) is Action.LOCAL
    assert not site.state.installs.applied


def test_machine_that_always_boots_its_kernel_has_no_record() -> None:
    site = Site(inventory(replace(LADY, install=InstallMode.ALWAYS)))
    rendered = site.ask(names()[Loader.GRUB])
    assert rendered is not None
    assert rendered.decision.action is Action.KERNEL
    assert not site.state.installs.applied
    assert "token" not in rendered.body.decode()


def test_machine_of_a_subnets_profile_is_installed_under_its_mac() -> None:
    base = inventory()
    site = Site(replace(base, subnets=(replace(base.subnets[0], profile="web"),)))
    text = site.text(names(STRANGER)[Loader.GRUB], ip=IP)
    record = site.state.installs.records[STRANGER]
    assert record.state is InstallState.BOOTING
    assert f"/autoinstall/profile/web?token={record.token}" in text
    request = BootRequest(Via.HTTP, Loader.OS, ip=IP)
    rendered = site.autoinstall("profile", "web", request, record.token)
    assert rendered.decision.record == STRANGER
    assert site.state.installs.records[STRANGER].state is InstallState.INSTALLING
    assert f"/api/v1/callback/{record.token}?status=done" in rendered.body.decode()


# the installer's answers


def booted(target: Target = LADY) -> Site:
    site = Site(inventory(target, WEB))
    site.state.installs.records["lady"] = InstallRecord(InstallState.BOOTING, token="tok", attempts=1)
    return site


REQUEST = BootRequest(Via.HTTP, Loader.OS, ip=IP)


def test_fetched_with_the_token() -> None:
    site = booted()
    rendered = site.autoinstall("system", "lady", REQUEST, "tok")
    assert "# netprov-callback: http://10.0.0.1/api/v1/callback/tok?status=done\n" in rendered.body.decode()
    assert (rendered.stage, rendered.template, rendered.token) == ("autoinstall", "default.ks", "tok")
    assert rendered.told is not None
    assert (rendered.told.text, rendered.told.stage) == ("lady: booting → installing", "autoinstall")
    assert rendered.told.ip == str(IP)
    assert site.autoinstall("system", "lady", REQUEST, "tok").told is None


@pytest.mark.parametrize("preview", [True, False])
def test_who_has_no_token_learns_none(preview: bool) -> None:
    site = booted()
    rendered = site.autoinstall("system", "lady", REQUEST, preview=preview)
    assert "callback" not in rendered.body.decode()
    assert "tok" not in rendered.body.decode()
    assert not site.state.installs.applied


WRONG = [
    ("system", "lady", "wrong"),
    ("system", "lady", "tok "),
    ("system", "lady", "\u00e9"),
    ("profile", "web", "tok"),
]


@pytest.mark.parametrize(("kind", "name", "token"), WRONG)
def test_wrong_token_is_refused(kind: str, name: str, token: str) -> None:
    site = booted()
    with pytest.raises(PeerError) as caught:
        site.autoinstall(kind, name, REQUEST, token)
    assert caught.value.code == 403
    assert not site.state.installs.applied


def test_another_machines_token_is_refused() -> None:
    duke = replace(LADY, name="duke", interfaces=(), uuid="")
    site = Site(inventory(LADY, duke))
    site.state.installs.records["duke"] = InstallRecord(InstallState.BOOTING, token="dukes")
    with pytest.raises(PeerError) as caught:
        site.autoinstall("system", "lady", REQUEST, "dukes")
    assert caught.value.code == 403


MISSING = [("system", "nobody"), ("profile", "nobody"), ("system", "web"), ("profile", "lady")]


@pytest.mark.parametrize(("kind", "name"), MISSING)
def test_unknown_target_is_not_found(kind: str, name: str) -> None:
    with pytest.raises(PeerError) as caught:
        Site(inventory()).autoinstall(kind, name, REQUEST)
    assert caught.value.code == 404


@pytest.mark.parametrize("autoinstall", ["", "http://elsewhere/x.ks"])
def test_target_without_answers_here_is_not_found(autoinstall: str) -> None:
    site = booted(replace(LADY, autoinstall=autoinstall))
    with pytest.raises(PeerError) as caught:
        site.autoinstall("system", "lady", REQUEST, "tok")
    assert caught.value.code == 404


def test_answers_elsewhere_are_told_as_they_are() -> None:
    text = Site(inventory(replace(LADY, autoinstall="http://elsewhere/x.ks"))).text(names()[Loader.PXELINUX])
    assert "inst.ks=http://elsewhere/x.ks " in text


CONTENT = [
    ("default.ks", "redhat", "text/plain; charset=utf-8"),
    ("default.preseed", "debian", "text/plain; charset=utf-8"),
    ("default.user-data", "ubuntu", "text/plain; charset=utf-8"),
    ("default.autoyast.xml", "suse", "application/xml; charset=utf-8"),
]


@pytest.mark.parametrize(("template", "breed", "expected"), CONTENT)
def test_content_type(template: str, breed: str, expected: str) -> None:
    site = booted(replace(LADY, autoinstall=template, breed=breed))
    assert site.autoinstall("system", "lady", REQUEST, "tok").content_type == expected
