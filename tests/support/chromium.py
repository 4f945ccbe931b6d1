"""A headless Chromium that looks at pages as somebody with a wide screen or a phone, by day or by night."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from support.places import CACHE, wait_until
from support.requirements import program

_PACKAGE = Path(__file__).parent / "browser" / "package.json"
_FOLDER = CACHE / "browser"
_PHONE_WIDTH = 500


class Browser:
    """One window. Whatever the page complains about is kept by the browser until `complaints`."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def wear(self, width: int, scheme: str) -> None:
        """A screen so wide, whose owner prefers "light" or "dark"."""
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < _PHONE_WIDTH}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        self.driver.get(url)

    def one(self, selector: str) -> WebElement:
        """The only element that a CSS selector finds, soon; AssertionError unless there is one."""
        wait_until(lambda: len(self.driver.find_elements(By.CSS_SELECTOR, selector)) == 1, selector)
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def ask(self, script: str, *values: Any) -> Any:
        """What a function body in JavaScript returns."""
        return self.driver.execute_script(script, *values)

    def complaints(self) -> list[str]:
        """What stands in the console since the last time, but for advice."""
        return [one["message"] for one in self.driver.get_log("browser") if one["level"] != "DEBUG"]

    def sideways(self) -> int:
        """By how many pixels the page is wider than the screen."""
        wide: int = self.ask("return document.documentElement.scrollWidth - innerWidth")
        return wide

    def faults(self) -> list[str]:
        """What axe-core finds against WCAG 2.2, levels A and AA: contrast, names, order, and more."""
        self.driver.execute_script((_axe() / "axe.min.js").read_text())
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
            ".then((found) => done(found), (error) => done({violations: [{id: String(error), nodes: []}]}))"
        )
        return [
            f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
            for one in found["violations"]
            for node in one["nodes"] or [{"target": "the page"}]
        ]

    def picture(self, path: Path) -> None:
        """All of the page as a PNG file."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A fresh one, whose profile is a folder of ours."""
    options = ChromeOptions()
    options.binary_location = program("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # it cannot be had as root
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(program("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


def _axe() -> Path:
    """The folder of axe-core, which npm installs at the first use."""
    there = _FOLDER / "node_modules" / "axe-core"
    wanted = json.loads(_PACKAGE.read_text())["dependencies"]["axe-core"]
    known = there / "package.json"
    if not known.exists() or json.loads(known.read_text())["version"] != wanted:
        _FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.copy(_PACKAGE, _FOLDER)
        command = [program("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=_FOLDER, capture_output=True, check=True)
    return there
