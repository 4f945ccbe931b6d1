"""docs/refusals.md is what the code does: every condition is brought about, reply and log line are compared.

PYTHONPATH=tests python -m unit.test_refusals > docs/refusals.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sms_milter import reply
from sms_milter.errors import Deferred, Refusal
from sms_milter.model import CreditRule, LoginRule, NewMail, QuotaLeft, QuotaRule, Stored
from sms_milter.reply import Reply
from support.gate import Answers, Desk, Remembered
from support.memory_queue import MemoryQueue

DOCUMENT = Path(__file__).parents[2] / "docs" / "refusals.md"
NOW = 1_700_000_000.0
PHONE, OTHER_PHONE = "447973100000@sms.haysystems.com", "447973100001@sms.haysystems.com"
SEND = "send@send.smscentre.com"
SHOP_HASH = (  # of MyPass
    "$argon2id$v=19$m=8,t=1,p=1$syzmwLy3FWvGPNZ/njuwOg$/m0ghT1QOPlLAB50ztaiYuUTdfY90aLNAVhM3CHPxUs"
)
SHOP = {"shop": {"require": ["password"], "logins": {"login": "shop"}, "password_hash": SHOP_HASH}}
SMSCENTRE = {"send.smscentre.com": {"dialect": "smscentre"}}

HEAD = """\
# Refusals

Every way in which a mail is refused, as the code does it: `tests/unit/test_refusals.py` brings each of them
about and compares. The replies are the neutral ones, which HSL gives; a dialect with words of its own for a
condition gives those, and has conditions of its own beside them ([dialects.md](dialects.md)). The log line
begins with the MTA's queue id, client and sender; a refusal at RCPT names the recipient too.

At RCPT one recipient is refused, at the end of message (EOM) the whole mail. 4yz: the client tries again;
5yz: it does not. Nothing of a refused mail is stored, counted or paid, but that a message refused as part of
a flood puts off the flood's end.

| Condition | Setting | Stage | Reply | Log line |
|---|---|---|---|---|
"""
TAIL = """
Where a dialect lets destinations be left out (SMSCentre's lists, Clickatell with `reply`), only those are
that a closed group, a list of those who want nothing, the routes or a flood forbid; beyond the credits only
Clickatell leaves them out. The log line then says `left_out=N`.
"""


class Queue(Remembered):
    """An intake that stores at once, of which some seconds pass between mails."""

    def __init__(self) -> None:
        super().__init__()
        self._queue = MemoryQueue()
        self.trouble: Reply | None = None

    def put(self, mail: NewMail, progress: object = None) -> Stored:
        if self.trouble is not None:
            raise Deferred(self.trouble)
        (stored,) = self._queue.put([mail], NOW)
        if isinstance(stored, Refusal):
            raise stored
        return stored

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        return self._queue.quota_left(account, sender, rule, NOW)

    def credit_left(self, account: str, rule: CreditRule) -> int:
        return self._queue.credit_left(account, rule)

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        return self._queue.login_failed(who, rule, NOW)

    def login_blocked(self, who: str) -> bool:
        return self._queue.login_blocked(who, NOW)


@dataclass(frozen=True)
class Case:
    """A condition, where it is set, and the mail that meets it; `before` are mails taken earlier."""

    condition: str
    setting: str = ""
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    recipients: Sequence[str] = (PHONE,)
    body: bytes = b"Door open"
    fields: Sequence[tuple[str, bytes]] = ()
    client: str = "192.0.2.10"
    sender: str = "<bob@customer.example>"
    parameters: tuple[str, ...] = ()
    before: Sequence[bytes] = ()
    trouble: Reply | None = None
    suppressed: str = ""
    proofs: Answers | None = None


def account(**settings: Any) -> dict[str, dict[str, Any]]:
    return {"accounts": {"acme": settings}}


def smscentre(**sections: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"domains": SMSCENTRE, "accounts": SHOP} | sections


HTML = (("Content-Type", b"text/html"),)
KEYED = b"shop:%s::::447973100000:Door open"
OTHER = {"clients": ["192.0.2.10"], "senders": ["@customer.example"], "domains": ["other.example"]}
QUOTA_OF_TWO = {"messages": 2, "period": "24h"}

CASES = [
    Case(
        "client or sender is nobody's",
        "accounts.*.clients, senders, sasl_users, tls_certificates, require",
        client="203.0.113.9",
    ),
    Case("the null sender, a bounce", "accounts.*.allow_null_sender", sender="<>"),
    Case("the account is frozen", "accounts.*.disabled", account(disabled=True)),
    Case("not encrypted", "accounts.*.require_tls", account(require_tls=True)),
    Case(
        "SPF does not pass", "accounts.*.require: spf", account(require=["sender", "spf"]), proofs=Answers()
    ),
    Case(
        "the DNS does not answer",
        "authentication.timeout, dns",
        account(require=["sender", "spf"]),
        proofs=Answers(spf=Deferred(reply.DNS_UNAVAILABLE)),
    ),
    Case("no number, no other address of ours", "", recipients=["help@sms.haysystems.com"]),
    Case("not a number of a phone", "", recipients=["447@sms.haysystems.com"]),
    Case("a source route", "", recipients=["@relay.example:447973100000@sms.haysystems.com"]),
    Case("not in the closed group", "accounts.*.closed_group", account(closed_group=["+41*"])),
    Case("wants nothing from anybody", "limits.blocked", {"limits": {"blocked": ["+447973*"]}}),
    Case("wants nothing from this account", "accounts.*.opted_out", account(opted_out=["+447973*"])),
    Case(
        "has answered STOP",
        "limits.stop_words",
        {"limits": {"stop_words": ["STOP"]}},
        suppressed="447973100000",
    ),
    Case("number out of use", "limits.delisted", {"limits": {"delisted": ["+447973100000"]}}),
    Case("no route", "routes", {"routes": {"default": [{"to": "+41", "via": ["primary"]}]}}),
    Case(
        "too many recipients",
        "milter.max_recipients",
        {"milter": {"max_recipients": 1}},
        recipients=[PHONE, OTHER_PHONE],
    ),
    Case(
        "recipients of different accounts",
        "",
        {
            "domains": {"other.example": {"dialect": "hsl"}},
            "accounts": {"acme": {"domains": ["sms.haysystems.com"]}, "b": OTHER},
        },
        recipients=[PHONE, "447973100001@other.example"],
    ),
    Case("declared too large (SIZE=)", "milter.max_message_size", parameters=("SIZE=99999999",)),
    Case("account's quota used", "accounts.*.quota", account(quota=QUOTA_OF_TWO), before=[b"a", b"b"]),
    Case(
        "sender's quota used",
        "accounts.*.quota.per_sender, senders",
        account(quota={"per_sender": 2, "period": "1h"}),
        before=[b"a", b"b"],
    ),
    Case(
        "quota used, to wait for",
        "accounts.*.quota.when_exceeded: defer",
        account(quota=QUOTA_OF_TWO | {"when_exceeded": "defer"}),
        before=[b"a", b"b"],
    ),
    Case("nothing fits into the quota", "accounts.*.quota", account(quota={"messages": 0})),
    Case("credits used up", "accounts.*.credits", account(credits=1), before=[b"a"]),
    Case(
        "not signed (DKIM)",
        "accounts.*.require: dkim, dkim_domains",
        account(require=["sender", "dkim"]),
        proofs=Answers(),
    ),
    Case("too large", "milter.max_message_size", {"milter": {"max_message_size": "1KB"}}, body=b"a" * 2000),
    Case("no text", "", body=b""),
    Case("HTML", "accounts.*.html: reject", account(html="reject"), fields=HTML, body=b"<p>Door open</p>"),
    Case("no plain text", "", fields=(("Content-Type", b"image/png"),)),
    Case("cannot be decoded", "", fields=(("Content-Transfer-Encoding", b"base64"),), body=b"*****"),
    Case("too many header fields", "", fields=(("X-A", b"1"),) * 5000),
    Case("more SMS than allowed", "accounts.*.max_parts", account(max_parts=1), body=b"a" * 161),
    Case("text that the account may not send", "accounts.*.denied_texts", account(denied_texts=["door"])),
    Case(
        "SMSCentre: sender not the account's",
        "accounts.*.originators",
        smscentre(accounts={"shop": SHOP["shop"] | {"originators": ["SHOP"]}}),
        [SEND],
        body=b"shop:MyPass:7::,,Other:447973100000:Door open",
    ),
    Case(
        "identical requests",
        "limits.duplicates",
        {"limits": {"duplicates": {"window": "60s", "allow": 2}}},
        before=[b"Door open", b"Door open"],
    ),
    Case(
        "a flood to one number",
        "limits.flood",
        {"limits": {"flood": {"messages": 2, "gap": "2m"}}},
        before=[b"a", b"b"],
    ),
    Case(
        "a flood of the account",
        "limits.flood.per: account",
        {"limits": {"flood": {"messages": 2, "gap": "2m", "per": "account"}}},
        before=[b"a", b"b"],
    ),
    Case(
        "more SMS than the quota leaves",
        "accounts.*.quota",
        account(quota=QUOTA_OF_TWO),
        body=b"a" * 161,
        before=[b"a"],
    ),
    Case("more SMS than the quota has", "accounts.*.quota", account(quota=QUOTA_OF_TWO), body=b"a" * 400),
    Case(
        "more than the credits pay",
        "accounts.*.credits",
        account(credits=2.5),
        body=b"a" * 161,
        before=[b"a"],
    ),
    Case(
        "SMSCentre: no such login", "", smscentre(), [SEND], body=b"nobody:MyPass::::447973100000:Door open"
    ),
    Case("SMSCentre: wrong password", "accounts.*.password_hash", smscentre(), [SEND], body=KEYED % b"wrong"),
    Case(
        "SMSCentre: too many wrong logins",
        "limits.failed_logins",
        smscentre(limits={"failed_logins": {"count": 1}}),
        [SEND],
        before=[KEYED % b"wrong"],
    ),
    Case(
        "SMSCentre: not from there",
        "accounts.*.clients, require",
        smscentre(accounts={"shop": SHOP["shop"] | {"require": ["password", "client"]}}),
        [SEND],
        body=KEYED % b"MyPass",
    ),
    Case("queue away", "queue", trouble=reply.QUEUE_UNAVAILABLE),
    Case("disk nearly full", "queue", trouble=reply.QUEUE_FULL),
    Case("queue too slow", "milter.decision_timeout", trouble=reply.TOO_SLOW),
    Case("something unforeseen", "", trouble=reply.INTERNAL_ERROR),
]

# Replies of the catalogue that no row shows, because they belong to one dialect.
OF_A_DIALECT = {
    "BAD_ORIGINATOR",
    "CHARSET_REFUSED",
    "DESTINATION_CONFLICT",
    "GENERIC_AMONG_OTHERS",
    "LOGINS_BLOCKED",
    "NO_DESTINATION",
    "NO_SUCH_CHANNEL",
    "ORIGINATOR_NOT_ALLOWED",
    "OTHER_ACCOUNT",
}


def played(case: Case) -> tuple[str, Reply, str]:
    """Stage, reply and log line of the refusal. Fails unless there is one, and only one."""
    intake = Queue()
    desk = Desk(intake, case.proofs, **case.sections)

    def say(body: bytes, fields: Sequence[tuple[str, bytes]]) -> tuple[str, Reply | None]:
        transaction = desk.transaction(case.sender, case.client, case.parameters)
        for recipient in case.recipients:
            why = transaction.recipient(f"<{recipient}>", {})
            if why is not None:
                return "RCPT", why
        for name, value in fields:
            transaction.header(name, value)
        transaction.body(body + b"\r\n")
        return "EOM", transaction.decide().reply

    for body in case.before:
        say(body, ())
    intake.unwilling.add(case.suppressed)
    before = len(desk.lines.written)
    intake.trouble = case.trouble
    stage, why = say(case.body, case.fields)
    assert why is not None, f"{case.condition}: taken"
    (line,) = [line for _, line in desk.lines.written[before:]]
    return stage, why, line


def rows() -> Iterator[tuple[Case, str, Reply, str]]:
    for case in CASES:
        stage, why, line = played(case)
        rest = line.partition("from=")[2].partition(", ")[2]
        rest = re.sub(r", (?:size|delay|nrcpt|dialect)=[^,]*", "", rest)
        shown = rest.replace(f"({why})", "(…)")
        yield case, stage, why, shown


def document() -> str:
    table = "".join(
        f"| {case.condition} | {f'`{case.setting}`' if case.setting else ''} | {stage} | {why} | `{line}` |\n"
        for case, stage, why, line in rows()
    )
    return HEAD + table + TAIL


def test_the_document_says_what_the_code_does() -> None:
    assert document() == DOCUMENT.read_text(), (
        "PYTHONPATH=tests python -m unit.test_refusals > docs/refusals.md"
    )


def test_every_refusal_of_the_catalogue_is_brought_about() -> None:
    fixed = {value: name for name, value in vars(reply).items() if isinstance(value, Reply)}
    shown = {fixed[why] for _, _, why, _ in rows() if why in fixed}
    assert shown | OF_A_DIALECT == set(fixed.values())
    assert not shown & OF_A_DIALECT


def test_each_refusal_is_one_line_that_names_the_account_and_never_the_text() -> None:
    for case in CASES:
        _, why, line = played(case)
        assert str(why) in line, case.condition
        assert "account=" in line, case.condition
        assert "Door open" not in line, case.condition
        assert "MyPass" not in line, case.condition


if __name__ == "__main__":
    print(document(), end="")
