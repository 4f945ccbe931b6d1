"""Mail that names its account itself, from RCPT to the verdict and the log line."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sms_milter import reply
from sms_milter.config.secrets import Passwords, hash_password
from sms_milter.dialects import DIALECTS, Login
from sms_milter.errors import Rejected
from sms_milter.intake import Transaction, Verdict
from sms_milter.model import Action, Credentials, LoginRule, NewMail, Notify, SmsRequest, Stage, Stored
from sms_milter.reply import Denial
from support.gate import Desk, Remembered
from support.toy_dialect import TOY, says_all

KEYS = "<keys@toy.example>"
NUMBER = "<41790000001@toy.example>"
COLLEAGUE = "<ann@customer.example>"
RIGHT = {"user": "demo", "password": "Rainbow7", "to": "447973100000", "text": "Door open"}
HASH = hash_password("Rainbow7")
SECRETS = ("Rainbow7", "Sunrise8", "Door open")


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "toy", TOY)


def desk(intake: Remembered | None = None, **sections: dict[str, Any]) -> Desk:
    demo = {"require": ["password"], "logins": {"user": "demo"}, "password_hash": HASH}
    accounts = sections.pop("accounts", {})
    accounts["demo"] = demo | {"default_originator": "SHOP"} | accounts.get("demo", {})
    domains = {"toy.example": {"dialect": "toy"}} | sections.pop("domains", {})
    return Desk(intake, domains=domains, accounts=accounts, **sections)


def send(transaction: Transaction, *recipients: str, **said: str) -> Verdict:
    for recipient in recipients or (KEYS,):
        transaction.recipient(recipient, {})
    transaction.body("".join(f"{name}={value}\r\n" for name, value in (RIGHT | said).items()).encode())
    return transaction.decide()


def test_a_recipient_is_taken_before_its_account_is_known() -> None:
    transaction = desk().transaction(client="203.0.113.9", sender="<>")
    assert transaction.recipient(KEYS, {}) is None
    assert transaction.concerns_us
    assert transaction.judged_by == ("toy", None)


def test_the_account_is_the_one_that_the_mail_proves() -> None:
    here = desk()
    transaction = here.transaction(client="203.0.113.9", sender="<any@elsewhere.example>")
    verdict = send(transaction)
    assert (verdict.action, verdict.stage) == (Action.DISCARD, Stage.EOM)
    (mail,) = here.intake.mails
    assert (mail.account, mail.dialect) == ("demo", "toy")
    assert transaction.judged_by == ("toy", "demo")
    assert "account=demo" in here.lines.text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"password": "Sunrise8"}, "denied=wrong password (demo), "),
        ({"user": "nobody"}, "denied=unknown login, "),
    ],
)
def test_the_client_is_not_told_what_was_wrong_and_the_log_is(said: dict[str, str], words: str) -> None:
    here = desk()
    verdict = send(here.transaction(), **said)
    assert (verdict.action, str(verdict.reply)) == (Action.REJECT, "550 5.7.1 ERR 1, wrong user or password")
    assert here.intake.mails == []
    assert words in here.lines.text
    assert not any(secret in here.lines.text for secret in (*SECRETS, "nobody"))


@pytest.mark.parametrize("denial", Denial)
def test_without_codes_of_its_own_a_dialect_says_what_the_catalogue_says(denial: Denial) -> None:
    different = {
        Denial.BLOCKED: reply.LOGINS_BLOCKED,
        Denial.OTHER_ACCOUNT: reply.OTHER_ACCOUNT,
        Denial.DISABLED: reply.ACCOUNT_DISABLED,
        Denial.ORIGINATOR_NOT_ALLOWED: reply.ORIGINATOR_NOT_ALLOWED,
        Denial.BAD_ORIGINATOR: reply.BAD_ORIGINATOR,
    }
    assert DIALECTS["hsl"].denied(denial) == different.get(denial, reply.NOT_AUTHORISED)


def test_both_faults_of_a_login_read_the_same_in_the_catalogue_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "toy", replace(TOY, denied=reply.denied))
    wrong = [send(desk().transaction(), **said).reply for said in ({"password": "x"}, {"user": "x"})]
    assert wrong == [reply.NOT_AUTHORISED] * 2


def test_form_size_and_number_of_recipients_are_judged_at_rcpt() -> None:
    here = desk(milter={"max_recipients": 1})
    assert here.transaction().recipient("<keys@evil.example:x@toy.example>", {}) is not None
    declared = here.transaction(parameters=("SIZE=70000",))
    assert declared.recipient(KEYS, {}) == reply.mail_too_large(65536)
    full = here.transaction()
    assert full.recipient(KEYS, {}) is None
    assert full.recipient("<KEYS@toy.example>", {}) == reply.TOO_MANY_RECIPIENTS


def test_both_kinds_of_one_account_go_together() -> None:
    here = desk(accounts={"demo": {"require": ["sender"], "senders": ["bob@customer.example"]}})
    verdict = send(here.transaction(), NUMBER, KEYS, COLLEAGUE)
    assert (verdict.action, verdict.remove) == (Action.STRIP, (NUMBER, KEYS))
    (mail,) = here.intake.mails
    assert [one.plan.destination for one in mail.messages] == ["41790000001", "447973100000"]


@pytest.mark.parametrize("order", [(NUMBER, KEYS), (KEYS, NUMBER)])
def test_both_kinds_of_two_accounts_are_refused(order: tuple[str, str]) -> None:
    here = desk()  # the number is acme's by its envelope
    verdict = send(here.transaction(), *order)
    assert verdict.reply == reply.OTHER_ACCOUNT
    assert "denied=login and envelope name different accounts (demo), " in here.lines.text


def test_a_number_that_nobody_may_use_does_not_stop_the_login() -> None:
    here = desk()
    transaction = here.transaction(client="203.0.113.9")
    assert transaction.recipient(NUMBER, {}) == reply.NOT_AUTHORISED
    assert send(transaction).action is Action.DISCARD
    assert [one.plan.destination for one in here.intake.mails[0].messages] == ["447973100000"]


def test_two_dialects_go_separately() -> None:
    hsl = "<41790000001@sms.haysystems.com>"
    first, second = desk().transaction(), desk().transaction()
    assert first.recipient(KEYS, {}) is None
    assert first.recipient(hsl, {}) == reply.SEND_SEPARATELY
    assert second.recipient(hsl, {}) is None
    assert second.recipient(KEYS, {}) == reply.SEND_SEPARATELY


def test_an_account_may_be_kept_from_one_of_the_domains() -> None:
    here = desk(
        domains={"second.example": {"dialect": "toy"}}, accounts={"demo": {"domains": ["toy.example"]}}
    )
    assert send(here.transaction()).action is Action.DISCARD
    assert send(here.transaction(), KEYS, "<keys@second.example>").reply == reply.NOT_AUTHORISED


@pytest.mark.parametrize(
    ("demo", "why"),
    [
        ({"require": ["password", "client"], "clients": ["203.0.113.0/24"]}, reply.NOT_AUTHORISED),
        ({"require_tls": True}, reply.TLS_REQUIRED),
        ({"closed_group": ["4179*"]}, reply.NOT_IN_CLOSED_GROUP),
        ({"route": "swiss"}, reply.NO_ROUTE),
    ],
    ids=["client", "tls", "closed-group", "route"],
)
def test_what_the_account_demands_holds_after_the_login(demo: dict[str, Any], why: reply.Reply) -> None:
    routes = {"swiss": [{"to": "+41", "via": ["primary"]}]}
    assert send(desk(accounts={"demo": demo}, routes=routes).transaction()).reply == why


def test_demands_are_told_to_those_only_who_know_the_password() -> None:
    here = desk(accounts={"demo": {"require_tls": True}})
    assert "ERR 1" in str(send(here.transaction(), password="Sunrise8").reply)


@pytest.mark.parametrize("shadow", [False, True])
def test_a_quota_holds_in_a_shadow_too(shadow: bool) -> None:
    over = Rejected(reply.quota_exceeded(3, 60, 1_700_000_000.0, of_sender=False, defer=False))

    def refuse(_mail: NewMail) -> Stored:
        raise over

    intake = Remembered(put=refuse)
    intake.refused = over
    here = desk(intake, accounts={"demo": {"quota": {"messages": 3}}}, milter={"shadow": shadow})
    send(here.transaction())
    assert "refused at end of message (552 5.2.2 quota of 3 SMS per minute used" in here.lines.text


def test_a_shadow_verifies_the_password() -> None:
    here = desk(milter={"shadow": True})
    assert send(here.transaction(), password="Sunrise8").action is Action.PASS
    assert send(here.transaction()).action is Action.PASS
    assert "denied=wrong password (demo), " in here.lines.written[0][1]
    assert here.lines.written[1][1].endswith("status=would be discard (stored)")


@pytest.mark.parametrize(
    ("originators", "wanted", "outcome"),
    [
        (["SHOP", "+41790000000"], "SHOP", "SHOP"),
        (["SHOP", "+41790000000"], "41790000000", "41790000000"),
        (["SHOP"], "shop", reply.ORIGINATOR_NOT_ALLOWED),
        (["SHOP"], "BANK", reply.ORIGINATOR_NOT_ALLOWED),
        (["SHOP"], "", reply.ORIGINATOR_NOT_ALLOWED),
        ([], "BANK", "BANK"),
        ([], "twelve-chars", reply.BAD_ORIGINATOR),
        ([], "Caf\u00e9", reply.BAD_ORIGINATOR),
    ],
)
def test_an_originator_that_the_mail_chooses(
    originators: list[str], wanted: str, outcome: str | reply.Reply
) -> None:
    here = desk(accounts={"demo": {"originators": originators}})
    verdict = send(here.transaction(), **{"from": wanted})
    if isinstance(outcome, str):
        assert here.intake.mails[0].messages[0].plan.originator == outcome
    else:
        assert (verdict.reply, here.intake.mails) == (outcome, [])


def logged_in(monkeypatch: pytest.MonkeyPatch, given: Credentials, **accounts: dict[str, Any]) -> Desk:
    """A mail whose dialect reads `given` out of it."""
    login = Login(says_all, lambda _mail, _targets, _options: given)
    monkeypatch.setitem(DIALECTS, "toy", replace(TOY, login=login))
    here = desk(accounts=accounts)
    send(here.transaction())
    return here


def test_an_api_key_stands_for_name_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = {"require": ["password"], "api_keys": ["sha256:" + hashlib.sha256(b"KEY1").hexdigest()]}
    taken = logged_in(monkeypatch, Credentials(api_key="KEY1"), keyed=keyed)
    assert [mail.account for mail in taken.intake.mails] == ["keyed"]
    refused = logged_in(monkeypatch, Credentials({"user": "demo"}, ("Rainbow7",), "KEY2"), keyed=keyed)
    assert refused.intake.mails == []
    assert "denied=unknown login, " in refused.lines.text


def test_any_reading_of_the_password_may_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Credentials({"user": "demo"}, ("Rainbow7 ", "Rainbow7"))
    assert len(logged_in(monkeypatch, given).intake.mails) == 1


@pytest.mark.parametrize(("names", "hash_of_demo"), [({"user": "demo"}, ""), ({}, HASH)])
def test_without_a_hash_or_a_name_nothing_is_right(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, str], hash_of_demo: str
) -> None:
    demo = {"require": ["client"], "clients": ["192.0.2.10"], "password_hash": hash_of_demo}
    for password in ("", "Rainbow7"):
        assert logged_in(monkeypatch, Credentials(names, (password,)), demo=demo).intake.mails == []


def test_a_mail_that_gives_no_password_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    demo = {"require": ["client"], "clients": ["192.0.2.10"]}
    assert logged_in(monkeypatch, Credentials({"user": "demo"}), demo=demo).intake.mails == []


def test_a_second_name_must_be_the_same_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"require": ["password"], "logins": {"api_id": "2"}, "password_hash": HASH}
    given = Credentials({"user": "demo", "api_id": "2"}, ("Rainbow7",))
    here = logged_in(monkeypatch, given, other=other)
    assert here.intake.mails == []
    assert "denied=a second name is another account's (demo), " in here.lines.text


def test_a_second_name_is_looked_at_after_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    here = logged_in(monkeypatch, Credentials({"user": "demo", "api_id": "2"}, ("x",)))
    assert "denied=wrong password (demo), " in here.lines.text


def test_an_unknown_name_takes_as_long_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    right = Passwords.right

    def counting(self: Passwords, password_hash: str, password: str, **more: Any) -> bool:
        asked.append(password_hash)
        return right(self, password_hash, password, **more)

    monkeypatch.setattr(Passwords, "right", counting)
    send(desk().transaction(), user="nobody")
    send(desk().transaction(), password="Sunrise8")
    assert asked == ["", HASH]


def test_what_reports_repeat_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def confirmed(*given: Any) -> SmsRequest:
        request = TOY.parse(*given)
        wishes = [wish._replace(receipt=True, notify=Notify.FAILURE) for wish in request.wishes]
        return request._replace(wishes=tuple(wishes))

    monkeypatch.setitem(DIALECTS, "toy", replace(TOY, parse=confirmed))
    here = desk()
    transaction = here.transaction()
    for name in ("Subject", "Thread-Topic", "Message-ID"):
        transaction.header(name, b"P=Rainbow7" if name != "Message-ID" else b"<1@customer.example>")
    send(transaction)
    original = here.intake.mails[0].original
    assert original is not None
    assert original.header == b"Message-ID: <1@customer.example>\n"


# --- failed logins ------------------------------------------------------------------------------------------


def guarded(per: str, **more: Any) -> Desk:
    limit = {"count": 2, "within": "10m", "block": "30m", "per": per}
    return desk(limits={"failed_logins": limit}, **more)


@pytest.mark.parametrize("wrong", [{"password": "x"}, {"user": "nobody"}])
def test_a_client_that_fails_too_often_is_put_off_at_rcpt(wrong: dict[str, str]) -> None:
    here = guarded("client")
    for _ in range(2):
        assert send(here.transaction(), **wrong).reply is not None
    assert here.intake.failed == [("client 192.0.2.10", LoginRule(2, 600.0, 1800.0))] * 2
    assert here.transaction().recipient(KEYS, {}) == reply.LOGINS_BLOCKED
    assert here.transaction().recipient(NUMBER, {}) is None  # by its envelope
    assert here.transaction(client="203.0.113.9").recipient(KEYS, {}) is None
    warnings = [text for severity, text in here.lines.written if severity == "warning"]
    assert [text.split(": ", 1)[1] for text in warnings] == [
        "login=client 192.0.2.10, status=blocked for 1800 s after 2 failed logins"
    ]


def test_a_client_of_ipv6_cannot_go_on_from_its_next_address() -> None:
    here = guarded("client")
    for client in ("2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6"):
        assert send(here.transaction(client=client), password="x").reply is not None
    assert here.intake.failed == [("client 2001:db8:1:2::/64", LoginRule(2, 600.0, 1800.0))] * 2
    assert here.transaction(client="2001:db8:1:2::99").recipient(KEYS, {}) == reply.LOGINS_BLOCKED
    assert here.transaction(client="2001:db8:1:3::1").recipient(KEYS, {}) is None


@pytest.mark.parametrize("wrong", [{"password": "x"}, {"user": "Nobody"}])
def test_a_blocked_name_is_put_off_whoever_tries(wrong: dict[str, str]) -> None:
    here = guarded("account")
    for client in ("192.0.2.10", "203.0.113.9"):
        assert send(here.transaction(client=client), **wrong).action is Action.REJECT
    blocked = send(here.transaction(client="203.0.113.10"), **(wrong | {"password": "Rainbow7"}))
    assert (blocked.action, blocked.reply) == (Action.DEFER, reply.LOGINS_BLOCKED)
    assert here.intake.mails == []
    assert "Nobody" not in here.lines.text
    other_name = {"user": "other"} if "password" in wrong else {}
    assert send(here.transaction(), **other_name).reply != reply.LOGINS_BLOCKED


def test_what_fails_after_the_login_is_no_failed_login() -> None:
    here = guarded("client", accounts={"demo": {"require": ["password", "client"]}})
    assert send(here.transaction()).reply == reply.NOT_AUTHORISED
    assert here.intake.failed == []


def test_a_shadow_counts_no_failures() -> None:
    here = guarded("client", milter={"shadow": True})
    send(here.transaction(), password="x")
    assert here.intake.failed == []


def test_without_the_limit_nothing_is_counted() -> None:
    here = desk()
    send(here.transaction(), password="x")
    assert here.intake.failed == []


def test_wrong_keys_count_for_clients_only(monkeypatch: pytest.MonkeyPatch) -> None:
    login = Login(says_all, lambda _mail, _targets, _options: Credentials(api_key="KEY9"))
    monkeypatch.setitem(DIALECTS, "toy", replace(TOY, login=login))
    by_account, by_client = guarded("account"), guarded("client")
    for here in (by_account, by_client):
        send(here.transaction())
    assert (len(by_account.intake.failed), len(by_client.intake.failed)) == (0, 1)


def test_the_guide_shows_the_dialect_that_the_tests_use() -> None:
    root = Path(__file__).parents[2]
    guide = (root / "docs" / "adding-a-dialect.md").read_text()
    (shown,) = [block.split("```")[0] for block in guide.split("```python\n")[1:]]
    assert shown == (root / "tests" / "support" / "toy_dialect.py").read_text()
