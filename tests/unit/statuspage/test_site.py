"""The site as a browser meets it, without one."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from contract.builders import mail, message
from sms_milter.config.secrets import Passwords
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers
from sms_milter.model import LoginRule
from sms_milter.operate import Operator
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.statuspage.door import Door
from sms_milter.statuspage.site import Site, Surroundings
from support import busy
from support.gate import Lines

NOW = 1_795_318_000.0
RULE = LoginRule(3, 600.0, 1800.0)


class Bell:
    def ring(self) -> None:
        pass


class Visit:
    """A site over a busy queue, and a browser that may have logged in."""

    def __init__(self, folder: Path, **web: Any) -> None:
        configuration = busy.configured(folder, **web)
        self.queue = SqliteQueue(configuration.queue.path)
        self.lines = Lines()
        self.now = NOW
        operator = Operator(self.queue, self.lines, Numbers(masked=False), dispatch=Bell(), reports=Bell())
        assert configuration.web
        door = Door(
            configuration.web.password_hash,
            Passwords(),
            self.queue,
            RULE,
            session_seconds=configuration.web.session,
            chance=os.urandom,
        )
        around = Surroundings(
            configuration, self.queue, operator, door, self.lines, UTC, "gate.example", lambda: self.now
        )
        self.site = Site(around)
        self.root = configuration.web.path
        self.browser = self.other()

    def other(self) -> TestClient:
        return TestClient(
            self.site.app,
            base_url="http://localhost:8890",
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def token(self, path: str = "/login") -> str:
        found = re.search('name="token" value="([0-9a-f]+)"', self.browser.get(self.root + path).text)
        assert found, "no form here"
        return found[1]

    def log_in(self, password: str = busy.PASSWORD) -> Any:
        fields = {"token": self.token(), "password": password}
        return self.browser.post(f"{self.root}/login", data=fields)

    def see(self, path: str) -> str:
        answer = self.browser.get(self.root + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def found(self, asked: str) -> list[str]:
        """The addresses of what is found."""
        return re.findall('href="(/[^"]*messages/[0-9]+)"', self.see(f"/messages?q={asked}"))


@pytest.fixture(scope="module")
def busy_queue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("busy") / "queue.db"
    queue = SqliteQueue(str(path))
    busy.fill(queue, NOW)
    queue.close()
    return path


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Visit]:
    visit = Visit(tmp_path)
    yield visit
    visit.queue.close()


@pytest.fixture
def visit(stranger: Visit, busy_queue: Path) -> Visit:
    shutil.copy(busy_queue, stranger.queue.path)
    assert stranger.log_in().status_code == 303
    return stranger


# --- who may look -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/live", "/messages?q=4", "/messages/1"])
def test_a_stranger_is_shown_the_door(stranger: Visit, path: str) -> None:
    answer = stranger.browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_password_opens_the_page_and_the_cookie_is_for_us_alone(stranger: Visit) -> None:
    before = stranger.browser.get("/login").cookies["sms-milter"]
    answer = stranger.log_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= set(cookie.split("; "))
    assert "secure" not in cookie
    assert before not in cookie  # a token that somebody else may have planted is worth nothing
    assert stranger.browser.get("/").status_code == 200
    assert stranger.browser.get("/login").status_code == 303
    stranger.now += 43200
    assert stranger.browser.get("/").status_code == 303


def test_the_cookie_is_secure_behind_https(stranger: Visit) -> None:
    answer = stranger.browser.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_wrong_password_is_refused_and_logged(stranger: Visit) -> None:
    answer = stranger.log_in("wrong")
    assert (answer.status_code, "The password is wrong." in answer.text) == (403, True)
    assert (
        "warning",
        "NOQUEUE: client=[testclient], status=status page: wrong password",
    ) in stranger.lines.written
    assert "wrong" not in stranger.lines.text.replace("wrong password", "")
    assert stranger.browser.get("/").status_code == 303


def test_a_client_that_guesses_is_put_off_as_the_proxy_names_it(stranger: Visit) -> None:
    stranger.browser.headers["X-Forwarded-For"] = "10.9.9.9, 203.0.113.7"
    assert [stranger.log_in("wrong").status_code for _ in range(3)] == [403] * 3
    assert stranger.log_in().status_code == 429
    assert [one["who"] for one in stranger.queue.blocks(NOW)] == ["status page 203.0.113.7"]
    stranger.browser.headers["X-Forwarded-For"] = "203.0.113.8"
    assert stranger.log_in().status_code == 303


def test_a_login_form_from_elsewhere_is_refused(stranger: Visit) -> None:
    stranger.token()
    for fields in ({"password": busy.PASSWORD}, {"password": busy.PASSWORD, "token": "00" * 32}):
        assert stranger.browser.post("/login", data=fields).status_code == 403
    assert stranger.other().post("/login", data=fields).status_code == 403


def test_who_logs_out_is_a_stranger(visit: Visit) -> None:
    assert visit.browser.post("/logout", data={}).status_code == 403
    kept = dict(visit.browser.cookies)
    assert visit.browser.post("/logout", data={"token": visit.token("/")}).status_code == 303
    visit.browser.cookies.update(kept)
    assert visit.browser.get("/").status_code == 303


# --- what holds for every answer ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/live", "/login", "/messages/999999", "/nowhere", "/static/page.css"])
def test_every_answer_is_guarded(visit: Visit, path: str) -> None:
    headers = visit.browser.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/login", "/messages?q=41790000018", "/live"])
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(visit: Visit, path: str) -> None:
    if path == "/login":
        visit.browser.cookies.clear()
    page = visit.see(path)
    assert not re.search(r"<style|\sstyle=|<script(?! src=)|\son[a-z]+=", page)
    assert all(one.startswith("/") for one in re.findall(r'(?:src|href|action)="(?!#)([^"]*)"', page))


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:8890", "[::"]
)
def test_another_name_for_us_is_refused(stranger: Visit, host: str) -> None:
    assert stranger.browser.get("/login", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8890", "[::1]:8890", "Mail.Example.com", "mail.example.com:8443"]
)
def test_our_own_names_are_known(tmp_path: Path, host: str) -> None:
    visit = Visit(tmp_path, hosts=["mail.example.com"])
    assert visit.browser.get("/login", headers={"Host": host}).status_code == 200
    visit.queue.close()


def test_forms_of_other_pages_and_too_large_ones_are_refused(stranger: Visit) -> None:
    token = stranger.token()
    fields = {"token": token, "password": busy.PASSWORD}
    for origin in ("http://evil.example", "null", "http://localhost:9999"):
        assert stranger.browser.post("/login", data=fields, headers={"Origin": origin}).status_code == 403
    assert stranger.browser.post("/login", data={"password": "x" * 9000}).status_code == 413
    assert stranger.browser.post("/login", content=iter([b"token=1"])).status_code == 411
    own = {"Origin": "http://localhost:8890"}
    assert stranger.browser.post("/login", data=fields, headers=own).status_code == 303


def test_below_a_path_everything_stays_below_it(tmp_path: Path) -> None:
    visit = Visit(tmp_path, path="/gateway/sms/")
    assert visit.root == "/gateway/sms"
    answer = visit.log_in()
    assert answer.headers["location"] == "/gateway/sms/"
    assert "path=/gateway/sms/" in answer.headers["set-cookie"].lower()
    links = re.findall(r'(?:src|href|action|data-from)="(?!#)([^"]*)"', visit.see("/"))
    assert links
    assert all(link.startswith("/gateway/sms/") for link in links)
    assert visit.browser.get("/gateway/sms/static/page.js").status_code == 200
    assert visit.browser.get("/").status_code == 404
    visit.queue.close()


# --- what is shown ------------------------------------------------------------------------------------------


def test_the_overview_tells_how_it_goes(visit: Visit) -> None:
    page = visit.see("/")
    assert "bulk-eu is down for 26 min" in page
    assert "sunrise slows us down." in page
    assert "swisscom" in page
    assert "monitoring" in page
    assert "Limited by the window:" in page
    assert page.count("<svg") > 8
    assert "All is well" not in page


def test_an_empty_gateway_says_so(stranger: Visit) -> None:
    stranger.log_in()
    page = stranger.see("/")
    assert "Nothing came and nothing went in the last hour." in page
    assert "Nothing waits." in page
    assert "No dispatcher has reported any SMSC" in page


def test_what_changes_comes_alone(visit: Visit) -> None:
    live = visit.see("/live")
    assert "<html" not in live
    assert live.strip() in visit.see("/")


def test_however_many_look_the_queue_is_asked_once(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    visit.see("/")
    monkeypatch.setattr(visit.queue, "ages", lambda *_: pytest.fail("asked again"))
    visit.see("/live")
    visit.see("/")


@pytest.mark.parametrize(
    "asked", ["%2B41790000017", "079 000 00 17", "4FAILED0001", "BEEF01", "order-17", "c0ffee17"]
)
def test_a_message_is_found_by_all_that_people_know_of_it(visit: Visit, asked: str) -> None:
    (address,) = visit.found(asked)
    page = visit.see(address)
    assert "+41790000017" in page
    assert "Receipt: UNDELIV" in page


def test_what_is_not_found_is_said_with_what_can_be(visit: Visit) -> None:
    assert visit.found("4NOTHING") == []
    assert "No message is known by that." in visit.see("/messages?q=4NOTHING")
    assert "Type a phone number" in visit.see("/messages")
    for nobody in ("99999999", "9" * 30, "x", "-1", "٣"):
        assert visit.browser.get(f"/messages/{nobody}").status_code == 404


def test_what_is_typed_is_never_markup(visit: Visit) -> None:
    page = visit.see("/messages?q=%3Cscript%3Ealert(1)%3C/script%3E%22")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;" in page


def test_texts_and_secrets_are_nowhere(visit: Visit) -> None:
    pages = [visit.see("/"), visit.see("/messages?q=41790000017"), visit.see(visit.found("4FAILED0001")[0])]
    assert not re.search(r"secret words|argon2|password_hash", "".join(pages))


# --- what is done -------------------------------------------------------------------------------------------


def do(visit: Visit, deed: str, asked: str, scope: str = "message", **fields: str) -> str:
    """What the page says after it."""
    address, *_ = visit.found(asked)
    form = {"token": visit.token(address), "scope": scope, **fields}
    answer = visit.browser.post(f"{address}/{deed}", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    page = visit.see(address)
    word = re.search('<p class="word" role="status">(.*?)</p>', page)
    assert word
    assert word[0] not in visit.see(address)  # once
    return word[1]


def states(visit: Visit, number: str) -> dict[str, int]:
    (found,) = visit.queue.find_messages("", number, 1)
    states: dict[str, int] = found["states"]
    return states


def test_a_message_is_cancelled_as_by_the_command(visit: Visit) -> None:
    assert do(visit, "cancel", busy.WAITING_PHONE) == "1 SMS cancelled."
    assert states(visit, busy.WAITING_PHONE) == {"failed": 1, "uncertain": 1}
    assert "4WAITS00001: to=41790000018" in visit.lines.text
    assert "status=cancelled by the operator" in visit.lines.text


def test_a_message_is_held_released_and_sent_again(visit: Visit) -> None:
    assert do(visit, "hold", busy.WAITING_PHONE) == "1 SMS held."
    assert do(visit, "release", busy.WAITING_PHONE) == "1 SMS released."
    assert do(visit, "retry", busy.PHONE) == "1 SMS to be sent now."
    assert states(visit, busy.PHONE) == {"queued": 1}
    assert do(visit, "release", busy.PHONE) == "0 SMS released."


def test_the_whole_mail_is_meant_only_where_that_is_said(visit: Visit) -> None:
    messages = (message("41790000030"), message("41790000030"), message("41790000031"))
    visit.queue.put([mail(*messages, at=NOW, mta_queue_id="4THREE")], NOW)
    assert do(visit, "hold", "4THREE") == "1 SMS held."
    assert do(visit, "hold", "4THREE", scope="mail") == "2 SMS held."
    assert do(visit, "release", "4THREE", scope="mail") == "3 SMS released."


def test_what_the_smsc_has_it_is_asked_to_cancel(visit: Visit) -> None:
    listed = visit.queue.list_parts(states=["accepted"], limit=1)
    assert do(visit, "cancel", listed[0]["mta_queue_id"]) == (
        "The SMSC will be asked to cancel 1 SMS; this page tells whether it could."
    )


def test_nothing_is_done_without_the_form_of_who_asks(visit: Visit) -> None:
    (address,) = visit.found(busy.WAITING_PHONE)
    for form in ({}, {"token": "00" * 32}, {"token": ""}):
        assert visit.browser.post(f"{address}/cancel", data=form).status_code == 403
    token = visit.token(address)
    assert visit.other().post(f"{address}/cancel", data={"token": token}).status_code == 403
    assert visit.browser.get(f"{address}/cancel").status_code == 405
    visit.now += 43200  # the session is over
    assert visit.browser.post(f"{address}/cancel", data={"token": token}).status_code == 403
    assert states(visit, busy.WAITING_PHONE) == {"queued": 1, "uncertain": 1}


def test_what_cannot_be_done_is_not_there(visit: Visit) -> None:
    (address,) = visit.found(busy.WAITING_PHONE)
    form = {"token": visit.token(address)}
    assert visit.browser.post(f"{address}/destroy", data=form).status_code == 404
    for nobody in ("99999999", "9" * 30, "x"):
        assert visit.browser.post(f"/messages/{nobody}/cancel", data=form).status_code == 404


# --- trouble ------------------------------------------------------------------------------------------------


def test_a_queue_that_is_away_is_said_so(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise QueueUnavailable("disk full")

    monkeypatch.setattr(visit.queue, "flow", away)
    monkeypatch.setattr(visit.queue, "login_blocked", away)
    answer = visit.browser.get("/")
    assert (answer.status_code, "The queue is not available: disk full." in answer.text) == (503, True)
    visit.browser.cookies.clear()
    assert visit.log_in().status_code == 503


def test_what_nobody_foresaw_is_logged_and_not_shown(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit.queue, "flow", lambda *_: 1 / 0)
    answer = visit.browser.get("/")
    assert (answer.status_code, answer.text) == (500, "Something went wrong; the log says where.\n")
    assert answer.headers["x-frame-options"] == "DENY"
    assert "status page failed (ZeroDivisionError" in visit.lines.text
