"""Whatever stands in a mail, the ASPSMS dialect understands it or refuses it."""

from __future__ import annotations

import re
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_milter.config.schema import Account
from sms_milter.dialects.aspsms import AspsmsOptions, credentials, parse
from sms_milter.dialects.context import Context
from sms_milter.errors import Rejected
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import Client, Envelope, Recipient

TEXTSMS = (Recipient("<textsms@sms.example>", "textsms", "sms.example"), None)
NUMBER = (Recipient("<0041790000000@sms.example>", "0041790000000", "sms.example"), "41790000000")

words = st.sampled_from(["U", "p", "Recipient", "O", "notify", "X", ""])
values = st.one_of(
    st.sampled_from(["0041795555555", "ALWAYS", "ACME", "+41760000000", "00333", "MYORIGINATOR"]),
    st.text(max_size=14),
)
elements = st.builds("{}={}".format, words, values)
subjects = st.one_of(
    st.binary(max_size=60),
    st.lists(elements, max_size=6).map(lambda some: ",".join(some).encode("utf-8", "replace")),
)
charsets = st.sampled_from(
    ["", "us-ascii", "iso-8859-1", "utf-8", "utf-16", "hz", "iso-2022-jp", "x-nothing"]
)
options = st.builds(
    AspsmsOptions,
    charset_rule=st.sampled_from(["content", "declared"]),
    c1_as_cp1252=st.booleans(),
    unknown_params=st.sampled_from(["reject", "ignore"]),
    long_originator=st.sampled_from(["truncate", "reject"]),
)


@settings(max_examples=400)
@given(
    subjects,
    st.binary(max_size=80),
    charsets,
    options,
    st.sampled_from([(TEXTSMS,), (NUMBER,), (NUMBER, TEXTSMS)]),
)
def test_a_mail_is_understood_or_refused(
    subject: bytes,
    body: bytes,
    charset: str,
    options: AspsmsOptions,
    targets: tuple[tuple[Recipient, str | None], ...],
) -> None:
    fields = [("Subject", subject), ("Content-Type", f"text/plain; charset={charset}".encode())]
    mail = parse_mail(fields if charset else fields[:1], body)
    envelope = Envelope(Client("192.0.2.10"), "ann@client.example", tuple(one for one, _ in targets))
    with suppress(Rejected):
        credentials(mail, targets, options)
    try:
        request = parse(mail, Context(envelope, targets, Account(), options, 0.0, reports=True))
    except Rejected:
        return
    for wish in request.wishes:
        assert re.fullmatch(r"[1-9][0-9]{6,14}", wish.destination)
        assert wish.text == wish.text.rstrip() != ""
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", wish.text)
        shown = wish.originator
        assert shown is None or re.fullmatch(r"\+[0-9]{7,15}|[0-9]{3,15}|[ -~]{1,11}", shown)
