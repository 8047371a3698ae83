"""The pages in Chromium: clicks, keys, what changes by itself, and what axe-core says of them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import axe_core_python
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from web_world import ACCESS, JOCK, LADY, PASSWORD, Site, lady, serving, stranger, tramp

from netprov.boot.install import InstallState
from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.state.leases import Lease
from tests.journal import scenes
from tests.journal.scenes import Machine

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
AXE = Path(axe_core_python.__file__ or "").parent / "axe.min.js"
PAGES = ("/", "/machines/lady", "/machines/jock", "/machines/52:54:00:aa:bb:cc", "/leases", "/machines/tramp?armed=on")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromium-driver are not installed"),
]


@dataclass
class Browser:
    driver: webdriver.Chrome
    url: str

    def show(self, width: int, *, dark: bool = False) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def get(self, path: str) -> None:
        self.driver.get(self.url + path)

    def all(self, selector: str) -> list:  # type: ignore[type-arg]
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str):  # type: ignore[no-untyped-def]
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str = "main") -> str:
        return str(self.driver.execute_script("return document.querySelector(arguments[0])?.textContent", selector))

    def until(self, what: str, selector: str = "main") -> None:
        WebDriverWait(self.driver, 20, 0.1).until(lambda _: what in self.text(selector), f"{what!r} in {selector}")

    def live(self) -> None:
        """The stream is open, and the reader knows where the journal ends."""
        self.until("live", "#live-state")
        time.sleep(1.0)

    def log_in(self, name: str) -> None:
        self.get("/login")
        self.one("input[name=name]").send_keys(name)
        self.one("input[name=password]").send_keys(PASSWORD, Keys.ENTER)
        self.until("Machines", "h1")

    def violations(self) -> list[str]:
        self.driver.execute_script(AXE.read_text())
        script = "axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','best-practice']})"
        found = self.driver.execute_async_script(f"{script}.then(arguments[0])")
        return [
            f"{v['id']}: {node['html'][:150]} {node['failureSummary']}"
            for v in found["violations"]
            for node in v["nodes"]
        ]

    def complaints(self) -> list[str]:
        """What the browser's console says: a policy violated, a script's error."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "favicon" not in entry["message"]]


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = CHROMIUM or ""
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium has none for root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


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
def browser(world: tuple[Site, str], driver: webdriver.Chrome) -> Iterator[Browser]:
    browser = Browser(driver, world[1])
    browser.show(1280)
    browser.log_in("alice")
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


def test_a_stranger_is_declared_by_what_the_page_says(browser: Browser) -> None:
    browser.get("/")
    browser.one('#strangers a.button[href*="aa%3Abb%3Acc"]').click()
    browser.until("Add it", "#add")
    field = browser.one('#add input[name="name"]')
    field.clear()
    field.send_keys("new-one", Keys.ENTER)
    browser.until('"new-one"', "#yaml")


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
def test_pictures(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """NETPROV_PICTURES=docs/pictures keeps them."""
    folder = Path(os.environ.get("NETPROV_PICTURES", tmp_path))
    folder.mkdir(exist_ok=True)
    browser.show(width, dark=dark)
    for name, path in (("machines", "/"), ("machine", "/machines/lady?boot=2"), ("verdict", "/machines/jock")):
        browser.get(path)
        browser.live()
        file = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
        assert browser.driver.save_screenshot(str(file))
        assert file.stat().st_size > 10_000


def test_the_policy_stops_what_is_not_ours(browser: Browser) -> None:
    browser.get("/")
    ran = browser.driver.execute_async_script(
        "const done = arguments[0]; const s = document.createElement('script'); s.textContent = 'window.ran = true';"
        "document.addEventListener('securitypolicyviolation', e => done([e.effectiveDirective, window.ran === true]));"
        "document.body.append(s); setTimeout(() => done(['none', window.ran === true]), 3000)"
    )
    assert ran == ["script-src-elem", False]
    assert any("Content Security Policy" in text for text in browser.complaints())
