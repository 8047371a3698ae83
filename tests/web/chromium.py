"""Chromium, headless, and what the tests do with it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import axe_core_python
import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
AXE = Path(axe_core_python.__file__ or "").parent / "axe.min.js"

needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromium-driver are not installed")


@dataclass
class Browser:
    """`pictures`: the folder that keeps them."""

    driver: webdriver.Chrome
    url: str
    pictures: Path

    def picture(self, name: str) -> None:
        file = self.pictures / f"{name}.png"
        assert self.driver.save_screenshot(str(file))
        assert file.stat().st_size > 5_000

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

    def click(self, selector: str) -> None:
        """What a person clicks is there; the page may have put it there anew since it was looked for."""
        for _ in range(5):
            with suppress(StaleElementReferenceException):
                return self.one(selector).click()
        raise AssertionError(f"{selector} does not stay")

    def text(self, selector: str = "main") -> str:
        return str(self.driver.execute_script("return document.querySelector(arguments[0])?.textContent", selector))

    def until(self, what: str, selector: str = "main", patience: float = 20) -> None:
        wait = WebDriverWait(self.driver, patience, 0.1)
        wait.until(lambda _: what in self.text(selector), f"{what!r} in {selector}")

    def live(self) -> None:
        """The stream is open, and the reader knows where the journal ends."""
        self.until("live", "#live-state")
        time.sleep(1.0)

    def log_in(self, name: str, password: str) -> None:
        self.get("/login")
        self.one("input[name=name]").send_keys(name)
        self.one("input[name=password]").send_keys(password, Keys.ENTER)
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


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
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
