"""One mail from RCPT to its verdict, without a socket or a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sms_milter import reply
from sms_milter.errors import Deferred, RecordChanged
from sms_milter.intake import Transaction, Verdict
from sms_milter.model import Action, NewMail, Notify, Original, Stage, Stored, SubmitSm
from support.gate import Desk, Remembered

PHONE = "<447973100000@sms.haysystems.com>"
OTHER_PHONE = "<447973100001@sms.haysystems.com>"
COLLEAGUE = "<ann@customer.example>"
TEXT = b"Door open at gate 7\r\n"


UTF8 = ("Content-Type", b"text/plain; charset=utf-8")


def part_of(desk: Desk) -> SubmitSm:
    """The first part of the first message that was stored."""
    return desk.intake.mails[0].messages[0].plan.parts[0]


def send(
    transaction: Transaction,
    recipients: Sequence[str] = (PHONE,),
    body: bytes = TEXT,
    fields: Sequence[tuple[str, bytes]] = (),
) -> Verdict:
    for recipient in recipients:
        transaction.recipient(recipient, {})
    for name, value in fields:
        transaction.header(name, value)
    transaction.body(body)
    return transaction.decide()


def test_mail_for_phones_only_is_stored_then_discarded_at_the_mta() -> None:
    desk = Desk()
    verdict = send(desk.transaction(), [PHONE, OTHER_PHONE])
    assert (verdict.action, verdict.stage, verdict.reply) == (Action.DISCARD, Stage.EOM, None)
    (mail,) = desk.intake.mails
    assert [message.plan.destination for message in mail.messages] == ["447973100000", "447973100001"]
    assert {message.plan.text for message in mail.messages} == {"Door open at gate 7"}
    assert (mail.account, mail.dialect, mail.sender) == ("acme", "hsl", "bob@customer.example")


def test_our_recipients_are_stripped_when_there_are_others() -> None:
    verdict = send(Desk().transaction(), [COLLEAGUE, PHONE])
    assert (verdict.action, verdict.remove) == (Action.STRIP, (PHONE,))


def test_the_octets_of_rcpt_are_what_is_removed() -> None:
    mixed_case = "<447973100000@SMS.HaySystems.COM>"
    assert send(Desk().transaction(), [COLLEAGUE, mixed_case]).remove == (mixed_case,)


def test_claiming_by_removal_keeps_bcc_copies() -> None:
    desk = Desk(milter={"claim": "remove-recipients"})
    verdict = send(desk.transaction())
    assert (verdict.action, verdict.remove) == (Action.STRIP, (PHONE,))


def test_ordinary_mail_passes_unseen() -> None:
    desk = Desk()
    transaction = desk.transaction(client="198.51.100.7", sender="<eve@elsewhere.example>")
    assert transaction.recipient(COLLEAGUE, {}) is None
    assert not transaction.concerns_us
    assert transaction.decide().action is Action.PASS
    assert desk.lines.written == []


def test_a_refused_mixed_mail_is_refused_whole_or_left_to_the_fail_safe_route() -> None:
    whole = send(Desk().transaction(), [COLLEAGUE, PHONE], body=b"")
    assert (whole.action, whole.reply) == (Action.REJECT, reply.EMPTY_MESSAGE)
    bounced = send(Desk(milter={"mixed_refusal": "bounce"}).transaction(), [COLLEAGUE, PHONE], body=b"")
    assert (bounced.action, bounced.remove) == (Action.PASS, ())
    alone = send(Desk(milter={"mixed_refusal": "bounce"}).transaction(), [PHONE], body=b"")
    assert alone.action is Action.REJECT


@pytest.mark.parametrize(
    ("recipient", "sender", "client", "why"),
    [
        (PHONE, "<bob@customer.example>", "198.51.100.7", reply.NOT_AUTHORISED),
        (PHONE, "<bob@elsewhere.example>", "192.0.2.10", reply.NOT_AUTHORISED),
        (PHONE, "<>", "192.0.2.10", reply.NOT_AUTHORISED),
        ("<help@sms.haysystems.com>", "<bob@customer.example>", "192.0.2.10", reply.NO_SUCH_ADDRESS),
        ("<07973100000@sms.haysystems.com>", "<bob@customer.example>", "192.0.2.10", reply.BAD_NUMBER),
        (
            "<@relay.example:447973100000@sms.haysystems.com>",
            "<bob@customer.example>",
            "192.0.2.10",
            reply.BAD_ADDRESS_FORM,
        ),
        (
            '<"Tel"<447973100000@sms.haysystems.com>>',
            "<bob@customer.example>",
            "192.0.2.10",
            reply.BAD_ADDRESS_FORM,
        ),
    ],
)
def test_refusals_at_rcpt(recipient: str, sender: str, client: str, why: reply.Reply) -> None:
    desk = Desk()
    transaction = desk.transaction(sender=sender, client=client)
    assert transaction.recipient(recipient, {}) == why
    verdict = transaction.decide()
    assert (verdict.action, verdict.stage, verdict.reply) == (Action.REJECT, Stage.RCPT, None)
    assert f"({why})" in desk.lines.text


def test_one_refused_recipient_does_not_stop_the_others() -> None:
    desk = Desk()
    verdict = send(desk.transaction(), ["<help@sms.haysystems.com>", PHONE])
    assert verdict.action is Action.DISCARD
    assert len(desk.intake.mails[0].messages) == 1


def test_the_same_number_twice_is_one_message() -> None:
    desk = Desk()
    send(desk.transaction(), [PHONE, "<+447973100000@sms.haysystems.com>"])
    assert len(desk.intake.mails[0].messages) == 1


def test_a_declared_size_is_refused_at_rcpt_for_the_sms_recipient_only() -> None:
    transaction = Desk().transaction(parameters=("SIZE=2000000",))
    assert transaction.recipient(COLLEAGUE, {}) is None
    assert transaction.recipient(PHONE, {}) == reply.mail_too_large(1048576)


def test_a_mail_that_turns_out_too_large_is_refused_at_the_end() -> None:
    desk = Desk()
    transaction = desk.transaction()
    transaction.recipient(PHONE, {})
    for _ in range(20):
        transaction.body(b"x" * 65535)
    assert transaction.decide().reply == reply.mail_too_large(1048576)
    assert desk.intake.mails == []


def test_too_many_recipients_are_put_off() -> None:
    transaction = Desk(milter={"max_recipients": 1}).transaction()
    assert transaction.recipient(PHONE, {}) is None
    assert transaction.recipient(OTHER_PHONE, {}) == reply.TOO_MANY_RECIPIENTS
    assert transaction.recipient(COLLEAGUE, {}) is None


def test_recipients_of_two_accounts_are_sent_separately() -> None:
    desk = Desk(
        domains={"other.example": {"dialect": "hsl"}},
        accounts={
            "acme": {"domains": ["sms.haysystems.com"]},
            "second": {
                "clients": ["192.0.2.10"],
                "senders": ["@customer.example"],
                "domains": ["other.example"],
            },
        },
    )
    transaction = desk.transaction()
    assert transaction.recipient(PHONE, {}) is None
    assert transaction.recipient("<447973100001@other.example>", {}) == reply.SEND_SEPARATELY


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"accounts": {"acme": {"disabled": True}}}, reply.ACCOUNT_DISABLED),
        ({"accounts": {"acme": {"opted_out": ["4479*"]}}}, reply.OPTED_OUT),
        ({"limits": {"blocked": ["447973100000"], "delisted": ["4479*"]}}, reply.BLOCKED),
        ({"limits": {"delisted": ["447973100000"]}}, reply.DELISTED),
    ],
)
def test_who_wants_nothing_gets_nothing(settings: dict[str, Any], why: reply.Reply) -> None:
    desk = Desk(**settings)
    assert desk.transaction().recipient(PHONE, {}) == why
    assert desk.transaction().recipient("<41790000000@sms.haysystems.com>", {}) == (
        why if why == reply.ACCOUNT_DISABLED else None
    )


def test_routes_and_closed_groups_are_checked_at_rcpt() -> None:
    group = Desk(accounts={"acme": {"closed_group": ["447973100000"]}}).transaction()
    assert group.recipient(OTHER_PHONE, {}) == reply.NOT_IN_CLOSED_GROUP
    assert group.recipient(PHONE, {}) is None
    swiss = Desk(routes={"default": [{"to": "+41", "via": ["primary"]}]}).transaction()
    assert swiss.recipient(PHONE, {}) == reply.NO_ROUTE


def test_an_account_may_demand_tls() -> None:
    desk = Desk(accounts={"acme": {"require_tls": True}})
    assert desk.transaction().recipient(PHONE, {}) == reply.TLS_REQUIRED
    assert desk.transaction(tls_version="TLSv1.3").recipient(PHONE, {}) is None


@pytest.mark.parametrize(
    ("how", "expected"), [("reject", "552 5.2.2"), ("defer", "452 4.2.2")], ids=["reject", "defer"]
)
def test_a_used_up_quota_is_known_at_rcpt(how: str, expected: str) -> None:
    quota = {"messages": 3, "when_exceeded": how}
    transaction = Desk(Remembered(left=1), accounts={"acme": {"quota": quota}}).transaction()
    assert transaction.recipient(PHONE, {}) is None
    why = transaction.recipient(OTHER_PHONE, {})
    assert str(why).startswith(f"{expected} quota of 3 SMS per day used, free again 1970-01-12T13:46:40Z")


def test_the_originator_of_the_sender_comes_before_the_default() -> None:
    desk = Desk(
        accounts={
            "acme": {
                "originators": ["ACME", "ALERT"],
                "sender_originators": {"bob@customer.example": "ALERT"},
            }
        }
    )
    assert send(desk.transaction(sender="<BOB@customer.example>")).action is Action.DISCARD
    assert send(desk.transaction(sender="<ann@customer.example>")).action is Action.DISCARD
    assert [mail.messages[0].plan.originator for mail in desk.intake.mails] == ["ALERT", "ACME"]


def test_mail_from_the_sendmail_command_is_refused_at_the_end_only() -> None:
    desk = Desk()
    transaction = desk.transaction(local=True)
    assert transaction.recipient("<help@sms.haysystems.com>", {}) is None
    assert transaction.recipient(PHONE, {}) is None
    transaction.body(TEXT)
    verdict = transaction.decide()
    assert (verdict.action, verdict.reply) == (Action.REJECT, reply.NO_SUCH_ADDRESS)
    assert desk.intake.mails == []


def test_an_unavailable_queue_defers() -> None:
    def fail(_: NewMail) -> Stored:
        raise Deferred(reply.QUEUE_UNAVAILABLE)

    desk = Desk(Remembered(put=fail))
    verdict = send(desk.transaction())
    assert (verdict.action, verdict.reply) == (Action.DEFER, reply.QUEUE_UNAVAILABLE)
    assert "refused at end of message (451 4.3.0" in desk.lines.text


def test_a_shadow_judges_and_takes_nothing() -> None:
    desk = Desk(milter={"shadow": True})
    assert send(desk.transaction()).action is Action.PASS
    transaction = desk.transaction()
    assert transaction.recipient("<help@sms.haysystems.com>", {}) is None
    assert transaction.decide().action is Action.PASS
    assert desk.intake.mails == []
    assert "status=would be discard" in desk.lines.text
    assert "would be refused at RCPT (550 5.1.1" in desk.lines.text


def test_the_log_tells_the_decision_and_never_the_text() -> None:
    desk = Desk()
    send(desk.transaction(mta_queue_id="4ABC"), fields=[("Subject", b"Secret plan")])
    ((severity, line),) = desk.lines.written
    assert severity == "info"
    assert line.startswith(
        "4ABC: client=[192.0.2.10], from=<bob@customer.example>, account=acme, dialect=hsl, nrcpt=1, "
    )
    assert line.endswith("status=discard (stored)")
    assert "Secret" not in line
    assert "Door" not in line


def test_folded_messages_are_counted_in_the_log() -> None:
    desk = Desk()
    send(desk.transaction(), [PHONE, OTHER_PHONE], "“Ready” – go…".encode(), [UTF8])
    send(desk.transaction(), [PHONE], "Привет".encode(), [UTF8])
    folded, unfolded = desk.lines.written
    assert ", parts=2, folded=2, " in folded[1]
    assert "folded" not in unfolded[1]


@pytest.mark.parametrize(
    ("account", "dialect", "data_coding"),
    [("default", True, 0), ("default", False, 8), (True, False, 0), (False, True, 8)],
)
def test_the_account_decides_on_punctuation_first(account: object, dialect: bool, data_coding: int) -> None:
    desk = Desk(
        accounts={"acme": {"transliterate": account}},
        domains={"sms.haysystems.com": {"transliterate": dialect}},
    )
    send(desk.transaction(), [PHONE], "“Ready”".encode(), [UTF8])
    assert part_of(desk).data_coding == data_coding


def test_an_account_and_a_route_may_allow_national_tables() -> None:
    text = ("Şişli ğıİ " * 8).encode()
    for changes in (
        {"accounts": {"acme": {"national_languages": ["hindi", "turkish"]}}},
        {"routes": {"default": [{"to": "*", "via": ["primary"], "national_languages": ["turkish"]}]}},
    ):
        desk = Desk(**changes)  # type: ignore[arg-type]
        send(desk.transaction(), [PHONE], text, [UTF8])
        assert part_of(desk).short_message.startswith(bytes.fromhex("03240101"))
    desk = Desk()
    send(desk.transaction(), [PHONE], text, [UTF8])
    assert part_of(desk).data_coding == 8


def test_an_account_may_keep_words_whole() -> None:
    desk = Desk(accounts={"acme": {"keep_words": True}})
    send(desk.transaction(), [PHONE], b"A" * 140 + b" " + b"B" * 60)
    assert part_of(desk).short_message[6:] == b"A" * 140 + b" "


def test_a_repeat_is_taken_again_and_said_so() -> None:
    desk = Desk(Remembered(put=lambda _: Stored(7, repeat=True)))
    assert send(desk.transaction()).action is Action.DISCARD
    assert "queue=7" in desk.lines.text
    assert "repeat of a stored mail, not sent again" in desk.lines.text


def test_a_hostile_address_cannot_break_a_log_line() -> None:
    desk = Desk()
    transaction = desk.transaction(sender="<a\r\nb@customer.example>")
    transaction.recipient("<x\ny@sms.haysystems.com>", {})
    assert "\n" not in desk.lines.written[0][1]
    assert "\r" not in desk.lines.written[0][1]


@pytest.mark.parametrize("size", ["abc", "", "-1", "9" * 5000, "\u0664"])
def test_size_parameters_that_are_no_numbers_are_ignored(size: str) -> None:
    assert Desk().transaction(parameters=(f"SIZE={size}",)).recipient(PHONE, {}) is None


# --- what reports need --------------------------------------------------------------------------------------

REPORTS = {"reports": {"submit_to": "127.0.0.1:10026"}}
CONFIRM = [
    ("From", b"bob"),
    ("Return-Receipt-To", b"x@y"),
    ("x-smpp-source-addr", b"1"),
    ("Subject", b"caf\xe9"),
]


def taken(desk: Desk, fields: list[tuple[str, bytes]], **parameters: str) -> NewMail:
    transaction = desk.transaction(parameters=("ENVID=QQ+2B1",))
    assert transaction.recipient(PHONE, parameters) is None
    for name, value in fields:
        transaction.header(name, value)
    transaction.body(TEXT)
    assert transaction.decide().action is Action.DISCARD
    return desk.intake.mails[0]


def test_the_header_is_kept_for_a_sender_who_asks() -> None:
    mail = taken(Desk(**REPORTS), CONFIRM, ORCPT="rfc822;a@b")
    plan = mail.messages[0].plan
    assert (plan.notify, plan.receipt) == (Notify.LOST | Notify.FAILURE | Notify.SUCCESS, True)
    assert plan.original_recipient == "rfc822;a@b"
    header = b"From: bob\nReturn-Receipt-To: x@y\n"
    assert mail.original == Original("QQ+2B1", header)


def test_nothing_is_kept_for_a_sender_who_does_not_ask() -> None:
    mail = taken(Desk(**REPORTS), [("From", b"bob")])
    assert (mail.original, mail.messages[0].plan.notify) == (None, Notify.LOST)


def test_without_an_mta_to_hand_them_to_there_are_no_reports() -> None:
    mail = taken(Desk(), CONFIRM)
    assert (mail.original, mail.messages[0].plan.notify) == (None, Notify.NEVER)
    assert mail.messages[0].plan.receipt


def test_nobody_is_told_whose_mail_would_become_sms() -> None:
    desk = Desk(accounts={"acme": {"senders": ["*"]}}, **REPORTS)
    transaction = desk.transaction(sender="<447973100009@SMS.haysystems.com>")
    assert transaction.recipient(PHONE, {}) is None
    for name, value in CONFIRM:
        transaction.header(name, value)
    transaction.body(TEXT)
    assert transaction.decide().action is Action.DISCARD
    assert desk.intake.mails[0].messages[0].plan.notify is Notify.NEVER


def test_the_sender_is_kept_as_it_was_written() -> None:
    desk = Desk()
    assert send(desk.transaction(sender="<Bob@customer.example>")).action is Action.DISCARD
    assert desk.intake.mails[0].sender == "Bob@customer.example"


def test_a_mail_whose_records_have_changed_is_judged_again() -> None:
    tries: list[NewMail] = []

    def put(mail: NewMail) -> Stored:
        tries.append(mail)
        if len(tries) < 3:
            raise RecordChanged(reply.QUEUE_UNAVAILABLE)
        return Stored(1)

    assert send(Desk(Remembered(put=put)).transaction()).action is Action.DISCARD
    assert len(tries) == 3


def test_judging_again_has_an_end() -> None:
    def put(_mail: NewMail) -> Stored:
        raise RecordChanged(reply.QUEUE_UNAVAILABLE)

    verdict = send(Desk(Remembered(put=put)).transaction())
    assert (verdict.action, verdict.reply) == (Action.DEFER, reply.QUEUE_UNAVAILABLE)


def test_refused_recipients_and_mails_are_counted_once_each() -> None:
    desk = Desk()
    transaction = desk.transaction()
    transaction.recipient("<help@sms.haysystems.com>", {})
    assert send(transaction).reply is None
    assert desk.intake.refusals == 1
    jammed = Desk()
    transaction = jammed.transaction(local=True)
    transaction.recipient("<help@sms.haysystems.com>", {})
    transaction.recipient(PHONE, {})
    transaction.decide()
    assert jammed.intake.refusals == 1


def test_a_shadow_refuses_nothing() -> None:
    desk = Desk(milter={"shadow": True})
    desk.transaction().recipient("<help@sms.haysystems.com>", {})
    send(desk.transaction(), fields=[UTF8], body="\xff".encode("latin-1"))
    assert desk.intake.refusals == 0
