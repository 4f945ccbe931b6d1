"""The status page in Chromium, served by `sms-milter web` from a queue in the middle of its day."""

from __future__ import annotations

import grp
import os
import pwd
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from sms_milter.queue.sqlite import SqliteQueue
from support import busy
from support.chromium import Browser, chromium
from support.places import ROOT, folder, free_port, wait_until
from support.requirements import program

WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
COMMAND = "from sms_milter.cli import main; main()"


class Served:
    """`sms-milter web` in a process of its own."""

    def __init__(self, folder: Path, **web: Any) -> None:
        """Where `web` says, else at a free port."""
        port = free_port()
        configuration = busy.configured(folder, **{"listen": f"127.0.0.1:{port}", **web})
        self.queue = SqliteQueue(configuration.queue.path)
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "log"
        busy.fill(self.queue, time.time())
        arguments = [sys.executable, "-c", COMMAND, "web", "--config", str(folder / "sms-milter.yaml")]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(arguments, stderr=log, stdout=log)

        wait_until(lambda: "status page at" in self.log(), "the page to be served", 20)

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(20)
        self.queue.close()
        return code


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    page = Served(tmp_path_factory.mktemp("served"))
    yield page
    assert page.stop() == 0
    assert "Traceback" not in page.log()


@pytest.fixture(scope="module")
def visitor(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def browser(visitor: Browser, served: Served) -> Browser:
    """Logged in by keyboard."""
    visitor.wear(1280, "light")
    visitor.open(served.url)
    assert visitor.driver.current_url.endswith("/login")
    assert visitor.faults() == []
    visitor.driver.switch_to.active_element.send_keys(busy.PASSWORD, Keys.ENTER)
    wait_until(lambda: visitor.driver.current_url == f"{served.url}/", "the overview")
    return visitor


def address(browser: Browser, served: Served, asked: str) -> str:
    """Of the message that is found by it."""
    browser.open(f"{served.url}/messages?q={asked}")
    return browser.one(".found a").get_attribute("href") or ""


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", ["/", "/messages?q=4FAILED0001", "/messages?q=nothing", "message"])
def test_every_page_can_be_read_by_everybody(
    browser: Browser, served: Served, page: str, width: int, scheme: str, tmp_path: Path
) -> None:
    browser.wear(width, scheme)
    browser.open(address(browser, served, "4WAITS00001") if page == "message" else served.url + page)
    for details in browser.driver.find_elements(By.TAG_NAME, "summary"):
        details.click()
    browser.picture(tmp_path / "page.png")
    assert browser.sideways() <= 0
    assert browser.faults() == []
    assert browser.complaints() == []
    ground = browser.ask("return getComputedStyle(document.body).backgroundColor")
    assert (int(ground.removeprefix("rgb(").split(",")[0]) < 128) == (scheme == "dark")


def test_pale_text_would_be_found(browser: Browser, served: Served) -> None:
    browser.wear(1280, "light")
    browser.open(served.url)
    browser.ask("document.querySelector('h1').style.color = '#bbb'")
    assert [fault.partition(":")[0] for fault in browser.faults()] == ["color-contrast"]


def test_the_theme_is_chosen_and_kept(browser: Browser, served: Served) -> None:
    browser.wear(1280, "dark")
    browser.open(served.url)
    switch = browser.one("#theme")
    said = [switch.text]
    for _ in range(3):
        switch.click()
        said.append(f"{switch.text} {browser.ask('return getComputedStyle(document.body).color')}")
    light, dark = "rgb(23, 28, 34)", "rgb(232, 236, 240)"
    assert said == ["Theme: auto", f"Theme: light {light}", f"Theme: dark {dark}", f"Theme: auto {dark}"]
    switch.click()
    browser.open(served.url)
    assert browser.one("#theme").text == "Theme: light"
    browser.ask("localStorage.clear()")
    assert browser.complaints() == []


def test_what_can_be_done_can_be_done_by_keyboard(browser: Browser, served: Served) -> None:
    browser.wear(1280, "light")
    browser.open(served.url)
    reached = []
    for _ in range(40):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(
            browser.ask(
                "const one = document.activeElement, box = one.getBoundingClientRect();"
                "return [one.id || one.textContent.trim(), getComputedStyle(one).outlineStyle, box.top >= 0]"
            )
        )
        if reached[-1][0].startswith("In numbers"):
            break
    names = [name.split("\n")[0] for name, *_ in reached]
    assert names[0] == "To the content"
    assert {"q", "Find", "theme", "Log out", "In numbers"} <= set(names)
    assert all(outline != "none" and seen for _, outline, seen in reached)


def test_a_message_is_looked_for_and_cancelled(browser: Browser, served: Served) -> None:
    browser.wear(390, "light")
    browser.open(served.url)
    browser.one("#q").send_keys("079 000 00 18", Keys.ENTER)
    browser.one(".found a").click()
    assert "Waits until" in browser.one(".story").text
    browser.one("form[action$='/cancel'] .danger").click()
    assert browser.one(".word").text == "1 SMS cancelled."
    (found,) = served.queue.find_messages("", busy.WAITING_PHONE, 2)
    assert found["states"] == {"failed": 1, "uncertain": 1}
    assert "4WAITS00001: to=41790000018" in served.log()
    assert browser.complaints() == []


def test_the_page_changes_with_the_queue(browser: Browser, served: Served) -> None:
    browser.wear(1280, "light")
    browser.open(served.url)
    browser.one("#numbers summary").click()
    browser.ask("document.activeElement.blur(); document.getElementById('live').dataset.mark = 'same page'")
    before = browser.one(".read time").text
    wait_until(lambda: browser.one(".read time").text != before, "newer figures")
    assert browser.one("#live").get_attribute("data-mark") == "same page"
    assert browser.one("#numbers").get_attribute("open")  # as it was left
    assert browser.complaints() == []


def test_who_logs_out_is_outside(browser: Browser, served: Served) -> None:
    browser.open(served.url)
    browser.one("form[action$='/logout'] button").click()
    browser.one("#password")
    browser.driver.back()
    browser.driver.refresh()
    browser.one("#password")
    assert browser.driver.current_url == f"{served.url}/login"


# --- behind a reverse proxy ---------------------------------------------------------------------------------

NGINX = """
daemon off;
pid {place}/nginx.pid;
error_log stderr;
user {user};
events {{}}
http {{
    access_log off;
    client_body_temp_path {place}; proxy_temp_path {place}; fastcgi_temp_path {place};
    uwsgi_temp_path {place}; scgi_temp_path {place};
    server {{
        listen 127.0.0.1:{port};
        server_name gateway.example.com;
{location}
    }}
}}
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a socket to nginx")
def test_behind_nginx_as_the_document_says(tmp_path: Path) -> None:
    """Its own snippets, word for word but for the folder of the socket."""
    document = (ROOT / "docs/status-page.md").read_text()
    (location,) = re.findall(r"```nginx\n(.*?)```", document, re.DOTALL)
    settings = yaml.safe_load(re.findall(r"```yaml\n(web:.*?)```", document, re.DOTALL)[-1])["web"]
    del settings["password_hash_file"]
    with folder("web") as place:
        user = group_member(settings["socket_group"])
        socket, port = f"{place}/web.sock", free_port()
        location = location.replace("/run/sms-milter-web/web.sock", socket)
        config = place / "nginx.conf"
        config.write_text(NGINX.format(place=place, port=port, location=location, user=user))
        page = Served(tmp_path, **{**settings, "listen": f"unix:{socket}"})
        nginx = subprocess.Popen([program("nginx"), "-c", str(config)], stderr=subprocess.PIPE)
        try:
            wait_until(lambda: (place / "nginx.pid").exists(), "nginx")
            assert Path(socket).stat().st_mode & 0o777 == 0o660
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}/sms", headers={"Host": "gateway.example.com"}
            ) as client:
                visit(page, client)
        finally:
            nginx.terminate()
            nginx.communicate(timeout=10)
            assert page.stop() == 0


def group_member(group: str) -> str:
    """Somebody who is in it."""
    return f"{pwd.getpwnam(group).pw_name} {grp.getgrnam(group).gr_name}"


def visit(page: Served, client: httpx.Client) -> None:
    """As somebody from elsewhere: in by the password, out by a wrong name."""
    wait_until(lambda: client.get("/login").status_code == 200, "the page behind nginx")
    token = re.findall('name="token" value="([0-9a-f]+)"', client.get("/login").text)[0]
    form = {"token": token, "password": busy.PASSWORD}
    answer = client.post("/login", data=form, headers={"Origin": "http://gateway.example.com"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sms/")
    overview = client.get("/")
    assert "bulk-eu is down" in overview.text
    assert overview.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get("/static/page.css").status_code == 200
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert "client=[127.0.0.1], status=status page: logged in" in page.log()
