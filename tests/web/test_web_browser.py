"""The pages in Chromium: clicks, keys, what changes by itself, and what axe-core says of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from chromium import Browser, chromium, needs_chromium
from click.testing import CliRunner
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from web_world import ACCESS, JOCK, LADY, PASSWORD, Site, lady, serving, stranger, tramp

from netprov.boot.install import InstallState
from netprov.boot.reason import Reason
from netprov.cli.system import system
from netprov.inventory.edit import add_system
from netprov.journal.event import Event, Kind
from netprov.state.leases import Lease
from tests.journal import scenes
from tests.journal.scenes import Machine

PAGES = ("/", "/machines/lady", "/machines/jock", "/machines/52:54:00:aa:bb:cc", "/leases", "/machines/tramp?armed=on")

PICTURES = {
    "machines": "/", "machine": "/machines/lady?boot=2", "verdict": "/machines/jock",
    "add": "/machines/52:54:00:aa:bb:cc#add", "explain": "/machines/tramp?armed=on#explain-title",
}  # fmt: skip

pytestmark = [pytest.mark.e2e, needs_chromium]


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    with chromium() as driver:
        yield driver


def to_the_kernel(machine: Machine) -> None:
    scenes.ipxe_chain(machine)
    machine.events = machine.events[:9]


def times_out(machine: Machine) -> None:
    machine.address("firmware", "pxelinux.0")
    for number in range(4):
        facts = {"stage": "loader", "ip": machine.ip, "peer": f"{machine.ip}:20{number}1", "name": "pxelinux.0"}
        machine.say(Kind.TFTP_REQUEST, Reason.TFTP_OK, "asks for pxelinux.0", **facts)
        machine.wait(6)
        text = "pxelinux.0: the client stopped answering after 0 of 42000 octets"
        detail = (("blksize", "512"), ("acknowledged", "0"))
        machine.say(Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, text, size=42000, seconds=6.0, detail=detail, **facts)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    site = Site(tmp_path_factory.mktemp("web"), access=ACCESS)
    site.boot(scenes.uefi_grub, 3 * 86400, **lady())
    site.boot(scenes.bios_pxelinux, 200, **lady())
    site.boot(times_out, 400, mac=JOCK, ip="192.168.77.117", system="jock", uuid="")
    site.boot(scenes.ignored, 90, **stranger())
    leases = [Lease(IPv4Address(f"192.168.77.{100 + n}"), LADY, expires=time.time() + 3600 * (n - 1)) for n in range(3)]
    site.state.leases.commit(leases)
    with serving(site) as url:
        yield site, url
    site.close()


@pytest.fixture
def browser(world: tuple[Site, str], driver: webdriver.Chrome, pictures: Path) -> Iterator[Browser]:
    browser = Browser(driver, world[1], pictures)
    browser.show(1280)
    browser.log_in("alice", PASSWORD)
    yield browser
    complaints = browser.complaints()
    driver.delete_all_cookies()
    assert not complaints


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(browser: Browser, width: int, dark: bool) -> None:
    browser.show(width, dark=dark)
    for path in PAGES:
        browser.get(path)
        for details in browser.all("details"):
            browser.driver.execute_script("arguments[0].open = true", details)
        assert browser.violations() == [], path
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= width, path
    browser.driver.delete_all_cookies()
    browser.get("/login")
    assert browser.violations() == []


def test_the_list_changes_by_itself(world: tuple[Site, str], browser: Browser) -> None:
    site, _ = world
    browser.get("/")
    browser.live()
    row = 'tr[data-machine="tramp"]'
    assert "not seen" in browser.text(row)
    mark = browser.driver.execute_script("return document.marked = Math.random()")
    site.boot(scenes.uefi_grub, 0, 12, **tramp())
    browser.until("script", row)
    site.boot(scenes.ignored, 0, mac="52:54:00:aa:bb:dd", ip="192.168.77.131", system="", uuid="")
    browser.until("52:54:00:aa:bb:dd", "#strangers")
    assert browser.driver.execute_script("return document.marked") == mark  # nothing was loaded anew as a whole


def test_a_machines_page_changes_by_itself_and_keeps_its_place(world: tuple[Site, str], browser: Browser) -> None:
    site, _ = world
    browser.get("/machines/lady")
    browser.live()
    browser.one(".stages summary").click()
    focused = browser.one(".lanes a")
    focused.send_keys("")
    before = browser.driver.execute_script("return document.activeElement.getAttribute('href')")
    site.record(Event(time.time(), Kind.DHCP_ACK, Reason.DHCP_OK, "confirms again", mac=LADY, system="lady",
                      stage="address", detail=(("loader", "os"),)))  # fmt: skip
    browser.until("confirms again")
    assert browser.driver.execute_script("return document.querySelector('.stages details').open")
    assert browser.driver.execute_script("return document.activeElement.getAttribute('href')") == before


def test_arm_by_keyboard_and_boot_locally(world: tuple[Site, str], browser: Browser) -> None:
    site, _ = world
    browser.get("/machines/lady")
    browser.one("#arm summary").send_keys(Keys.ENTER)
    browser.one("#arm button").send_keys(Keys.ENTER)
    browser.until("will be installed at its next network boot", ".install")
    assert site.state.installs.get("lady").state is InstallState.ARMED  # type: ignore[union-attr]
    browser.one('form[action$="/local"] button').click()
    browser.until("boots its own disk", ".install")
    assert site.state.installs.get("lady").state is InstallState.LOCAL  # type: ignore[union-attr]


def test_spans_are_read_by_hover_and_focus(browser: Browser) -> None:
    browser.get("/machines/lady?boot=2")
    loader = browser.one('.lanes a[aria-label^="pxelinux.0, 42"]')
    browser.driver.execute_script("arguments[0].focus()", loader)
    browser.until("pxelinux.0, 42.0 kB", "#hint")
    kernel = browser.one('.lanes a[aria-label*="vmlinuz"] rect')
    webdriver.ActionChains(browser.driver).move_to_element(kernel).perform()
    browser.until("vmlinuz, 8.1 MB, 1.300 s, 6.2 MB/s", "#hint")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    number = browser.driver.execute_script("return document.querySelector(':target').id")
    assert "pxelinux.0" in browser.text(f"#{number}")


def test_every_control_is_reached_by_tab(browser: Browser) -> None:
    browser.get("/machines/jock")
    wanted = browser.driver.execute_script(
        "return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]"
        ".filter(e => e.checkVisibility()).length"
    )
    reached = set()
    for _ in range(wanted + 40):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(browser.driver.execute_script(
            "return [...document.querySelectorAll('*')].indexOf(document.activeElement)"
        ))  # fmt: skip
    assert len(reached) >= wanted


def test_a_stranger_is_added_to_the_inventory(world: tuple[Site, str], browser: Browser) -> None:
    site, _ = world
    site.boot(scenes.ignored, 5, mac="52:54:00:aa:bb:ee", ip="192.168.77.139", system="", uuid="")
    browser.get("/")
    browser.one('#strangers a.button[href*="aa%3Abb%3Aee"]').click()
    browser.until("Add it", "#add")
    field = browser.one('#add input[name="name"]')
    field.clear()
    field.send_keys("lady", Keys.ENTER)
    browser.until("a system is called lady already", '#add [role="alert"]')
    assert browser.violations() == []
    before = (site.folder / "netprov.yaml").read_text()
    field = browser.one('#add input[name="name"]')
    field.clear()
    field.send_keys("new-one", Keys.ENTER)
    browser.until("new-one", "h1")
    assert (site.folder / "netprov.yaml").read_text().startswith(before.rstrip())
    browser.until("will be installed at its next network boot", ".install")
    browser.get("/")
    assert "52:54:00:aa:bb:ee" not in browser.text("#strangers")
    assert browser.one('tr[data-machine="new-one"]').is_displayed()


def test_a_stranger_declared_elsewhere_leaves_the_list(world: tuple[Site, str], browser: Browser) -> None:
    site, _ = world
    mac = "52:54:00:aa:bb:ff"
    site.boot(scenes.ignored, 5, mac=mac, ip="192.168.77.140", system="", uuid="")
    browser.get("/")
    browser.live()
    assert mac in browser.text("#strangers")
    add_system(site.folder / "netprov.yaml", "elsewhere", {"profile": "web", "interfaces": {"eth0": {"mac": mac}}})
    site.record(Event(time.time(), Kind.DHCP_OFFER, Reason.DHCP_OK, "offers", mac=mac, system="elsewhere",
                      detail=(("loader", "firmware"),)))  # fmt: skip
    browser.until("elsewhere", "tbody")
    assert mac not in browser.text("#strangers")


def test_a_transfer_moves_on_the_list_and_on_its_page(world: tuple[Site, str], browser: Browser) -> None:
    site, _ = world
    way = {"stage": "initrd", "ip": "192.168.77.114", "peer": "192.168.77.114:4711", "mac": LADY, "system": "lady",
           "name": "/files/probe/initrd.img", "size": 60_000_000}  # fmt: skip

    def at(kind: Kind, seconds: float) -> Event:
        return Event(time.time(), kind, Reason.HTTP_OK, seconds=seconds, **way)  # type: ignore[arg-type]

    site.boot(to_the_kernel, 15, **lady())
    for path, place in (("/", 'tr[data-machine="lady"]'), ("/machines/lady", "main")):
        browser.get(path)
        browser.live()
        for percent in (20, 60):
            site.move(at(Kind.HTTP_DONE, percent / 10), percent * 600_000)
            browser.until(f"initrd.img: {percent} % of 60.0 MB, 11.2 MB/s", f"{place} .moving-text")
            browser.until("initrd …", f'{place} [data-cell="stage"]')
        assert browser.one(f"{place} progress").get_attribute("value") == "60"
        assert browser.violations() == []
        browser.picture("progress-list" if path == "/" else "progress")
        site.record(at(Kind.HTTP_DONE, 10.0))
        site.finish(at(Kind.HTTP_DONE, 10.0))
        WebDriverWait(browser.driver, 20).until(lambda _, p=place: not browser.one(f"{p} .moving").is_displayed())


def test_what_a_command_does_shows_on_the_page(world: tuple[Site, str], browser: Browser) -> None:
    site, _ = world
    browser.get("/machines/tramp")
    browser.live()
    for verb, says in (("local", "boots its own disk"), ("install", "will be installed at its next network boot")):
        done = CliRunner().invoke(system, [verb, "tramp", "-c", str(site.folder / "netprov.yaml")])
        assert done.exit_code == 0, done.output
        browser.until(says, ".install")
    browser.one("#changes summary").click()
    browser.until(", netprov system install", "#changes")


def test_search_and_no_script(world: tuple[Site, str], browser: Browser) -> None:
    browser.get("/")
    browser.one("input[type=search]").send_keys("jock", Keys.ENTER)
    browser.until("1 system found", "footer")
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get("/machines/jock")
        assert browser.one(".verdict .sentence").is_displayed()
        assert browser.one("#arm summary").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (320, False)])
def test_pictures(browser: Browser, width: int, dark: bool) -> None:
    browser.show(width, dark=dark)
    for name, path in PICTURES.items():
        browser.get(path)
        browser.live()
        browser.picture(f"{name}-{width}-{'dark' if dark else 'light'}")


def test_the_policy_stops_what_is_not_ours(browser: Browser) -> None:
    browser.get("/")
    ran = browser.driver.execute_async_script(
        "const done = arguments[0]; const s = document.createElement('script'); s.textContent = 'window.ran = true';"
        "document.addEventListener('securitypolicyviolation', e => done([e.effectiveDirective, window.ran === true]));"
        "document.body.append(s); setTimeout(() => done(['none', window.ran === true]), 3000)"
    )
    assert ran == ["script-src-elem", False]
    assert any("Content Security Policy" in text for text in browser.complaints())
