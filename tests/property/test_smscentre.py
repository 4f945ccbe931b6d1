"""Whatever stands in a mail, the SMSCentre dialect understands it or refuses it."""

from __future__ import annotations

import re
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_milter.config.schema import Account
from sms_milter.dialects.context import Context
from sms_milter.dialects.smscentre import SmscentreOptions, credentials, parse
from sms_milter.errors import Rejected
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import Client, Envelope, Recipient

SEND = (Recipient("<send@sms.example>", "send", "sms.example"), None)
OWN = (Recipient("<alex@sms.example>", "alex", "sms.example"), None)
ACCOUNT = Account(groups={5: ("79160000001",)}, forward_to=("79160000009",), country_code="7")
CHANNELS = frozenset({"hlr", "ping", "voice", "viber", "whatsapp", "telegram", "social", "mms", "email"})
NUMBER = r"[1-9][0-9]{6,14}"
DESTINATIONS = {"email": r"[!-~]+@[!-~]+", "telegram": rf"#[0-9]+|@?[A-Za-z][A-Za-z0-9_]+|{NUMBER}"}


def field(*likely: str) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(["", *likely]), st.text(max_size=12))


requests = st.builds(
    "{}:{}:{}:{}:{}:{}:{}".format,
    field("alex"),
    field("123", " 1 "),
    field("0", "77", "my-id"),
    field("0", "+5", "9-21", "2512240930", "3102240930,3", "25.12.24 09.30,-1", "0170000000012"),
    field(
        "1", ",5", ",8,a@b.example", ",9", ",3", ",10", ",4", ",2,Alex", "2,6", ",,.,2", ",,,1", "1,1,+7916"
    ),
    field("79160000001", "a@b.example", "#17,nick", "8916 111-22-33;G5,12", "+79"),
    field(
        "Hi",
        "0605040B8423F0AA",
        "http://x\nname",
        "79160000001:a\n79160000002;b\\nc",
        "__PING__",
        "a\n~~~\nb",
        "__CALL__:a\nvoice:w\n~~~\n10,10,1",
        "__MAIL__:a\nsubj:b",
        "__BOT__:a",
        "__HLR__",
    ),
)
bodies = st.one_of(st.binary(max_size=80), requests.map(lambda text: text.encode("utf-8", "replace")))


@settings(max_examples=400)
@given(
    bodies,
    st.sampled_from([b"", b"[text]", b"<p>[text]", b"\0"]),
    st.sampled_from(["", "utf-8", "us-ascii", "utf-16", "x-nothing"]),
    st.sampled_from(["plain", "html"]),
    st.sampled_from([(SEND,), (OWN,), (SEND, OWN)]),
    st.sampled_from([frozenset(), CHANNELS]),
)
def test_a_mail_is_understood_or_refused(
    body: bytes,
    before: bytes,
    charset: str,
    subtype: str,
    targets: tuple[tuple[Recipient, str | None], ...],
    channels: frozenset[str],
) -> None:
    kind = f"text/{subtype}; charset={charset}" if charset else f"text/{subtype}"
    mail = parse_mail([("Content-Type", kind.encode())], before + body + b"[/text]")
    options = SmscentreOptions()
    envelope = Envelope(Client("192.0.2.10"), "ann@client.example", tuple(one for one, _ in targets))
    with suppress(Rejected):
        credentials(mail, targets, options)
    try:
        request = parse(
            mail,
            Context(envelope, targets, ACCOUNT, options, 1_732_190_400.0, reports=True, channels=channels),
        )
    except Rejected:
        return
    assert request.wishes
    for wish in request.wishes:
        assert wish.channel == "sms" or wish.channel in channels
        assert re.fullmatch(DESTINATIONS.get(wish.channel, NUMBER), wish.destination)
        assert len(wish.text) <= 4000
        assert "\0" not in wish.text
        assert wish.not_before is None or 0 < wish.not_before - 1_732_190_400 <= 366 * 86400
        longest = 400 if wish.channel == "email" else 11
        assert re.fullmatch(rf"[0-9]{{0,15}}|[ -~]{{1,{longest}}}", wish.originator or "")
