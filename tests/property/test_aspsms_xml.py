"""Whatever stands in a mail to xml@, it is understood or refused; in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_milter.config.schema import Account
from sms_milter.dialects.aspsms import AspsmsOptions, answer, complaint, credentials, parse
from sms_milter.dialects.aspsms.document import ParserError, read
from sms_milter.dialects.aspsms.sending import CONTENTS
from sms_milter.dialects.context import Context, Objection, Outcome
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import Client, Envelope, Recipient

HEAD = b'<?xml version="1.0" encoding="ISO-8859-1"?>'
XML = Recipient("<xml@sms.example>", "xml", "sms.example")
ENVELOPE = Envelope(Client("192.0.2.10"), "ann@client.example", (XML,))
OTHERS = ["InquireDeliveryNotifications", "ShowCredits", "SendOriginatorUnlockCode", "UnlockOriginator"]
OTHERS += ["CheckOriginatorAuthorization", "SendTokenSMS", "VerifyToken", "Dance"]

NAMES = """
    Userkey Password Originator UsedCredits PhoneNumber TransRefNumber MessageData FlashingSMS
    BlinkingSMS ReplaceMessage DeferredDeliveryTime TimeZone LifeTime URLDeliveryNotification
    BinaryFileDataHex XSer MCC MNC VName VPhoneNumber WAPPushDescription WAPPushURL TokenMask
    TokenValidity VerificationCode OriginatorUnlockCode TokenReference Action
"""
names = st.sampled_from(NAMES.split())
values = st.one_of(
    st.sampled_from(["0041795555555", "+41", "1", "-5", "020108", "010706050415821582", "15062031200000"]),
    st.sampled_from(["99999999999999", "00000000000000", "http://a/", "&#60;BLINK&#62;", "0" * 40, "024A3A"]),
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20).map(
        lambda text: text.replace("&", "&#38;").replace("<", "&lt;")
    ),
)
elements = st.builds("<{0}>{1}</{0}>".format, names, values)
groups = st.builds(
    "<{0}>{1}</{0}>".format,
    st.sampled_from(["Recipient", "VCard", "Token"]),
    st.lists(elements, max_size=3).map("".join),
)
documents = st.builds(
    "{}<aspsms>{}<Action>{}</Action></aspsms>".format,
    st.just(HEAD.decode()),
    st.lists(st.one_of(elements, groups), max_size=12).map("".join),
    st.sampled_from([*CONTENTS, *OTHERS]),
).map(lambda text: text.encode("latin-1", "replace"))
bodies = st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(HEAD.__add__), documents)


def mail_of(body: bytes) -> Mail:
    return parse_mail([("Subject", b"x")], body)


def judged(body: bytes) -> None:
    """A value, or one of our errors, which has a reply that can be written."""
    mail, options, targets = mail_of(body), AspsmsOptions(), ((XML, None),)
    context = Context(ENVELOPE, targets, Account(numeric_originators=()), options, 1_732_190_400.0, True)
    with suppress(Rejected):
        credentials(mail, targets, options)
    try:
        request = parse(mail, context)
    except Rejected as refusal:
        complained = complaint(Objection(refusal, refusal.reply, ENVELOPE, mail, options))
        if complained is not None:
            assert complained.answer is not None
            assert complained.answer.body.isascii()
    else:
        told = answer(Outcome(ENVELOPE, mail, options, request, (), context.now))
        assert all(one.body.isascii() for one in told)


@settings(max_examples=600, deadline=None)
@given(bodies)
def test_a_mail_is_understood_or_refused(body: bytes) -> None:
    judged(body)


ONE_MEGABYTE = 1 << 20


def recipients(count: int) -> bytes:
    one = b"<Recipient><PhoneNumber>0041795555555</PhoneNumber><TransRefNumber>1</TransRefNumber></Recipient>"
    return one * count


def sending(to: bytes, text: bytes) -> bytes:
    asked = to + b"<MessageData>" + text + b"</MessageData><Action>SendTextSMS</Action>"
    return HEAD + b"<aspsms>" + asked + b"</aspsms>"


@pytest.mark.parametrize(
    "body",
    [
        HEAD + b'<!DOCTYPE a [<!ENTITY a "ha">' + b'<!ENTITY b "&a;&a;">' * 20000 + b"]><aspsms>&b;</aspsms>",
        HEAD + b"<a>" * 300_000,
        HEAD + b"<aspsms>" + b"<a/>" * 200_000 + b"</aspsms>",
        HEAD + b"<aspsms " + b" ".join(b"a%d='1'" % n for n in range(90_000)) + b"/>",
        HEAD + b"<aspsms>" + b"&#38;" * 200_000 + b"</aspsms>",
        HEAD + b"<aspsms>" + b"<password>" * 100_000,
        HEAD + b"<aspsms>" + b"\r" * ONE_MEGABYTE,
        sending(recipients(1), b"a" * ONE_MEGABYTE),
        sending(recipients(1000), b"x"),
        HEAD + b"<!--" * 200_000,
        b" " * ONE_MEGABYTE,
    ],
    ids=[
        "entities",
        "depth",
        "elements",
        "attributes",
        "references",
        "secrets",
        "lines",
        "text",
        "recipients",
        "comments",
        "blanks",
    ],
)  # fmt: skip
def test_large_ones_too_in_bounded_time_and_memory(body: bytes) -> None:
    tracemalloc.start()
    started = time.process_time()
    judged(body)
    spent = time.process_time() - started
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 5  # with every allocation watched; a tenth of it without
    assert most < 48 * ONE_MEGABYTE  # more or less by version of Python


@given(st.binary(max_size=300))
def test_a_parser_error_points_into_the_document(octets: bytes) -> None:
    for body in (octets, HEAD + octets, HEAD + b"<aspsms>" + octets):
        error = fault_of(body)
        if error is not None:
            assert 0 <= error.position <= len(body)
            assert min(error.line, error.column) >= 1
            assert len(error.source) <= 80


def fault_of(octets: bytes) -> ParserError | None:
    try:
        read(octets)
    except ParserError as error:
        return error
    return None
