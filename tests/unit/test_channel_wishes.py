"""Wishes for channels other than SMS: who may use which, what is planned of them, what the queue is given."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sms_milter import reply
from sms_milter.channels import errand
from sms_milter.dialects.context import Context
from sms_milter.intake import Transaction, Verdict
from sms_milter.mail.parse import Mail
from sms_milter.model import EMAIL, ComposedPart, Errand, Kind, LeasedPart, Notify, SmsRequest, SubmitSm, Wish
from sms_milter.preview import describe
from support.gate import Desk

DOMAIN = "sms.haysystems.com"
PHONE = "447973100000"
HTTP = {"outlet": "http", "url": "http://127.0.0.1:1/"}
CHANNELS: dict[str, Any] = {
    "voice": HTTP,
    "viber": {**HTTP, "call_back": "true", "validity": "2h"},
    "hlr": {
        "outlet": "smpp",
        "service_type": "HLR",
        "protocol_id": "0x40",
        "data_coding": "4",
        "tlvs": {"0x1400": "01FF"},
    },
    "email": {"outlet": "email", "submit_to": "127.0.0.1:25"},
}
TOLD = Notify.LOST | Notify.FAILURE | Notify.SUCCESS


def desk(**acme: Any) -> Desk:
    return Desk(channels=CHANNELS, callbacks={"token": "t"}, accounts={"acme": acme})


def judged(desk: Desk, *wishes: Wish, partial: bool = False) -> tuple[Transaction, Verdict]:
    """A mail whose dialect has understood these wishes."""

    def parse(_mail: Mail, context: Context[Any]) -> SmsRequest:
        contexts.append(context)
        return SmsRequest(wishes, 10, partial=partial)

    contexts: list[Context[Any]] = []
    domain = desk.gate.domains[DOMAIN]
    desk.gate.domains[DOMAIN] = replace(domain, dialect=replace(domain.dialect, parse=parse))
    transaction = desk.transaction()
    transaction.recipient(f"<{PHONE}@{DOMAIN}>", {})
    return transaction, transaction.decide()


def refusal(desk: Desk, *wishes: Wish) -> reply.Reply | None:
    return judged(desk, *wishes)[1].reply


def test_a_message_for_an_endpoint_is_one_errand_in_the_queue() -> None:
    one = desk(append=" [ACME]")
    wish = Wish(PHONE, "Call me " * 100, channel="voice", fields=(("voice", "w"),), reference="279")
    judged(one, wish)
    (message,) = one.intake.mails[0].messages
    plan = message.plan
    assert (plan.channel, plan.kind, plan.smsc, plan.route) == ("voice", "voice", "channel:voice", "")
    assert plan.parts == (
        Errand("voice", PHONE, "ACME", "Call me " * 100 + " [ACME]", (("voice", "w"),), "279"),
    )
    assert json.loads(message.parts[0].body) == {
        "channel": "voice",
        "destination": PHONE,
        "originator": "ACME",
        "text": "Call me " * 100 + " [ACME]",
        "fields": {"voice": "w"},
        "reference": "279",
    }
    assert message.expires_at == 1_700_000_000.0 + 86400


def test_the_validity_is_the_channels_unless_the_mail_says_it() -> None:
    one = desk()
    judged(one, Wish(PHONE, "x", channel="viber"), Wish(PHONE, "x", channel="viber", validity_seconds=60))
    assert [message.expires_at - 1.7e9 for message in one.intake.mails[0].messages] == [7200, 60]


def test_an_errand_costs_as_much_as_an_sms() -> None:
    one = desk(credits="10")
    judged(one, Wish(PHONE, "Call me " * 100, channel="voice"))
    (message,) = one.intake.mails[0].messages
    assert (message.price, len(message.parts)) == (1000, 1)


def test_nobody_waits_for_what_will_not_be_heard() -> None:
    one = desk()
    judged(
        one,
        Wish(PHONE, "x", channel="voice", receipt=True, notify=TOLD),
        Wish(PHONE, "x", channel="viber", receipt=True, notify=TOLD),
    )
    final, told = [message.plan for message in one.intake.mails[0].messages]
    assert (final.receipt, final.notify) == (False, Notify.LOST)
    assert (told.receipt, told.notify) == (True, TOLD)


def test_an_smsc_knows_the_channel_by_its_marks() -> None:
    one = desk(append=" [ACME]")
    judged(one, Wish(PHONE, channel="hlr", receipt=True), Wish(PHONE, "plain"))
    hlr, sms = [message.plan for message in one.intake.mails[0].messages]
    (part,) = hlr.parts
    assert isinstance(part, SubmitSm)
    assert (part.service_type, part.protocol_id, part.data_coding, part.tlvs) == (
        "HLR",
        0x40,
        4,
        ((0x1400, b"\x01\xff"),),
    )
    assert (part.short_message, part.registered_delivery) == (b"", 1)
    assert (hlr.channel, hlr.kind, hlr.smsc) == ("hlr", "hlr", "primary")
    assert sms.parts[0].service_type == ""
    assert sms.kind is Kind.TEXT


def test_a_channel_may_have_a_route_of_its_own() -> None:
    one = Desk(
        channels={"ping": {"outlet": "smpp", "route": "silent"}},
        smscs={"quiet": {"host": "127.0.0.1", "system_id": "x"}},
        routes={"silent": [{"to": "*", "via": ["quiet"]}]},
    )
    judged(one, Wish(PHONE, kind=Kind.PING, protocol_id=0x40, channel="ping"))
    plan = one.intake.mails[0].messages[0].plan
    assert (plan.smsc, plan.route, plan.kind) == ("quiet", "silent", "ping")
    assert isinstance(plan.parts[0], SubmitSm)
    assert plan.parts[0].protocol_id == 0x40


@pytest.mark.parametrize("channel", ["mms", "telegram", "carrier-pigeon"])
def test_a_channel_that_is_not_configured_is_refused(channel: str) -> None:
    assert refusal(desk(), Wish(PHONE, "x", channel=channel)) == reply.NO_SUCH_CHANNEL
    assert str(reply.NO_SUCH_CHANNEL).startswith("554 5.3.3 ")


def test_a_channel_that_is_not_the_accounts_is_refused_and_the_dialect_knows_it() -> None:
    one = desk(channels=["viber"])
    assert one.gate.channels["acme"] == {"viber"}
    assert refusal(one, Wish(PHONE, "x", channel="voice")) == reply.NO_SUCH_CHANNEL
    assert refusal(one, Wish(PHONE, "x", channel="viber")) is None
    assert desk().gate.channels["acme"] == set(CHANNELS)
    assert desk(channels=[]).gate.channels["acme"] == set()


def test_a_closed_group_holds_for_every_channel() -> None:
    one = desk(closed_group=["4479731*"], mail_from_allowed=["*"])
    assert refusal(one, Wish("447999", "x", channel="voice")) == reply.NOT_IN_CLOSED_GROUP
    assert refusal(one, Wish("447999", channel="hlr")) == reply.NOT_IN_CLOSED_GROUP
    mail = Wish("ann@customer.example", "x", channel=EMAIL, originator="bob@acme.example")
    assert refusal(one, mail) == reply.NOT_IN_CLOSED_GROUP
    assert refusal(one, Wish(PHONE, "x", channel="voice")) is None


def test_what_cannot_be_reached_is_left_out_where_the_dialect_says_so() -> None:
    one = desk(closed_group=[PHONE])
    judged(one, Wish(PHONE, "x", channel="voice"), Wish("447999999999", "x", channel="voice"), partial=True)
    assert [message.plan.destination for message in one.intake.mails[0].messages] == [PHONE]


@pytest.mark.parametrize(
    ("author", "allowed"),
    [
        ("info@acme.example", True),
        ("Info@ACME.example", True),
        ("any@ops.acme.example", True),
        ("ann@customer.example", False),
    ],
)
def test_mails_are_from_whom_the_account_may_write_as(author: str, allowed: bool) -> None:
    one = desk(mail_from_allowed=["info@acme.example", "@ops.acme.example"])
    wish = Wish("ann@customer.example", "x", channel=EMAIL, originator=author, fields=(("subject", "Hi"),))
    assert refusal(one, wish) == (None if allowed else reply.ORIGINATOR_NOT_ALLOWED)


def test_nobody_writes_as_anybody_unless_the_postmaster_says_so() -> None:
    wish = Wish("ann@customer.example", "x", channel=EMAIL, originator="info@acme.example")
    assert refusal(desk(), wish) == reply.ORIGINATOR_NOT_ALLOWED


@pytest.mark.parametrize(
    "address",
    ["", "ann", "@customer.example", "<ann@customer.example>", "a@b.example> NOTIFY=NEVER", "a@b\r\nDATA"],
)
def test_what_is_no_mail_address_comes_into_no_smtp_command(address: str) -> None:
    one = desk(mail_from_allowed=["*"])
    to = Wish(address, "x", channel=EMAIL, originator="bob@acme.example")
    by = Wish("ann@customer.example", "x", channel=EMAIL, originator=address)
    assert refusal(one, to) == reply.NO_SUCH_ADDRESS
    assert refusal(one, by) == reply.BAD_ORIGINATOR


def test_no_mail_goes_to_ourselves() -> None:
    one = desk(mail_from_allowed=["*"])
    wish = Wish(f"{PHONE}@{DOMAIN.upper()}", "x", channel=EMAIL, originator="bob@acme.example")
    assert refusal(one, wish) == reply.NO_SUCH_ADDRESS


def test_a_mail_without_an_author_is_refused() -> None:
    wish = Wish("ann@customer.example", "x", channel=EMAIL)
    assert refusal(desk(mail_from_allowed=["*"]), wish) == reply.BAD_ORIGINATOR


def test_preview_shows_the_errand() -> None:
    transaction, verdict = judged(desk(), Wish(PHONE, "Call", channel="voice", fields=(("voice", "w"),)))
    (message,) = describe(transaction, verdict)["messages"]
    assert (message["channel"], message["kind"], message["text"]) == ("voice", "voice", "Call")
    assert message["parts"] == [
        {
            "channel": "voice",
            "destination": PHONE,
            "originator": "ACME",
            "text": "Call",
            "fields": {"voice": "w"},
            "reference": None,
        }
    ]


def test_an_errand_comes_back_from_the_queue_as_it_was() -> None:
    one = Errand("telegram", "#4711", "", "Привет \ud83d", (("a", "ё"),), "r")
    assert errand.read(errand.compose(one).body) == replace(one, text="Привет ?")


@pytest.mark.parametrize("octets", [b"", b"[]", b"{}", b'{"channel": "x"}', b"\xff"])
def test_what_is_no_errand_is_not_read(octets: bytes) -> None:
    with pytest.raises(ValueError, match="no errand"):
        errand.read(octets)


def test_ids_never_come_twice() -> None:
    part = LeasedPart(17, 17, "", "1", 1, 1, b"", 0, 1_700_000_000.125, 0.0)
    assert errand.identity(part) == errand.identity(part._replace(attempts=3))
    assert errand.identity(part) != errand.identity(part._replace(received_at=1_700_000_001.0))
    assert errand.identity(part) != errand.identity(part._replace(part_id=18))


def test_an_errand_needs_no_reference_stamped() -> None:
    composed = errand.compose(Errand("voice", "1", "", "x"))
    assert isinstance(composed, ComposedPart)
    assert composed.stamped(7) == composed.body
