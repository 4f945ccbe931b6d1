"""Whatever stands in a mail to Clickatell, it becomes messages that can be composed, or a numbered error;
and how libmilter cut its body does not matter.
"""

from __future__ import annotations

import re
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_milter.dialects.clickatell import smart
from sms_milter.intake import Verdict
from sms_milter.model import Action
from support.gate import Desk

LOGIN = b"user:demo\npassword:pw1\napi_id:1234\n"
HASH = "$argon2id$v=19$m=8,t=1,p=1$jI6VEdDI8mnPkawOEEFWzw$tnBhkh74gBppD1ZSnZPj9cLpudYzYVB6JLf0mQq5u9k"
NOW = 1_700_000_000.0  # of a Desk
REPLY = re.compile(r"ERR: [0-9]{3}, [A-Za-z].*|too many messages in one mail")
LINE = re.compile(
    r"(?:ID: [0-9a-f]{32}|ERR: [0-9]{3}, [A-Za-z ]+) To: [^\n]{0,40}(?: cliMsgId: [A-Za-z0-9_-]{1,32})?"
)

KINDS = ["SMS_TEXT", "SMS_FLASH", *smart.HEX, *smart.TEXT]
LIKELY = {
    "to": ["", ",", "448311234567", "448311234567,0123", "+493012345678,"],
    "text": ["Hi #field1# #FIELD2#", "Hi", "00000801FF", "03A9", "\u4f60\u20ac{", "A" * 400],
    "data": ["024A3A51", "Hi"],
    "urltext": ["Hi+%E2%82%AC%0A%00"],
    "reply": ["a@b.example", "a@b.example, c@d.example", "a@b.example"],
    "from": ["SHOP", "447700900009", "+1"],
    "concat": ["2", "9"],
    "deliv_time": ["0", "5", "10080"],
    "scheduled_time": ["1700000100", "2023-11-15T00:00:00Z"],
    "queue": ["1", "3"],
    "unicode": ["0", "1"],
    "msg_type": KINDS,
    "udh": ["06050415810000", "0403"],
    "binary": ["0", "1"],
    "validity": ["1", "1440"],
    "deliv_ack": ["1"],
    "callback": ["1", "2", "7"],
    "cliMsgId": ["order-1"],
    "mo": ["0", "1"],
    "req_feat": ["544", "128"],
    "csv": ["", "448311234568,Ann,x2", "0123,Bob", "448311234569|a|b", "448311234570,,"],
    "delimiter": [",", "|"],
    "csvtemplate": ["to,field1,cliMsgId", "to,text", "to,from,concat", "field1"],
    "user": ["other"],
    "x": ["1"],
}
anything = st.one_of(st.integers(-1, 20000).map(str), st.text(max_size=12))
lines = st.sampled_from(sorted(LIKELY)).flatmap(
    lambda name: st.one_of(*[st.sampled_from(LIKELY[name])] * 5, anything).map(
        lambda value: f"{name}:{value}"
    )
)
START = LOGIN + b"to:448311234567\n"
bodies = st.one_of(
    st.binary(max_size=120),
    *[
        st.lists(lines, max_size=6).map(
            lambda some, start=start: start + "\r\n".join(some).encode("utf-8", "replace")
        )
        for start in (START + b"text:Hi #field1#\n", START, START + b"reply:a@b.example\ntext:Hi\n", LOGIN)
    ],
)
kinds = st.sampled_from(
    ["", "text/plain; charset=utf-16", "text/plain; format=flowed", "text/html", "multipart/x"]
)


@cache
def desk(**options: str) -> Desk:
    return Desk(
        domains={"clk.example": {"dialect": "clickatell", "max_messages": 50, **options}},
        accounts={
            "demo": {
                "require": ["password"],
                "logins": {"user": "demo", "api_id": "1234"},
                "password_hash": HASH,
                "default_originator": "447700900000",
            }
        },
        reports={"submit_to": "127.0.0.1:10026"},
    )


def judged(here: Desk, chunks: list[bytes], content_type: str) -> Verdict:
    transaction = here.transaction()
    assert transaction.recipient("<sms@clk.example>", {}) is None
    if content_type:
        transaction.header("Content-Type", content_type.encode())
    for chunk in chunks:
        transaction.body(chunk)
    return transaction.decide()


@settings(max_examples=500)
@given(
    bodies,
    kinds,
    st.sampled_from(["ucs2", "replace", "reject"]),
    st.sampled_from(["lf", "crlf"]),
    st.sampled_from(["local", "smsc"]),
)
def test_a_mail_is_understood_or_refused(
    body: bytes, content_type: str, unmappable: str, newline: str, hold: str
) -> None:
    verdict = judged(
        desk(on_unmappable=unmappable, newline=newline, hold=hold, operator_network="262-01"),
        [body],
        content_type,
    )
    if verdict.reply is not None:
        assert verdict.action is (Action.DEFER if verdict.reply.code < 500 else Action.REJECT)
        assert REPLY.fullmatch(verdict.reply.text)
        return
    assert verdict.plan is not None
    messages = verdict.plan.messages
    assert messages
    for message in messages:
        assert re.fullmatch(r"[1-9][0-9]{6,14}", message.destination)
        assert 1 <= len(message.parts) <= 10
        assert re.fullmatch(r"[0-9]{1,16}|[A-Za-z0-9 .\-_&'+]{1,11}", message.originator)
        assert message.not_before is None or NOW < message.not_before <= NOW + 7 * 86400
        assert message.validity_seconds is not None
        assert 60 <= message.validity_seconds <= 86400
    ids = [message.public_id for message in messages]
    assert len(set(ids)) == len(ids)
    for answer in verdict.plan.answers:
        if answer.subject.startswith("SMTP API response"):
            told = answer.body.removesuffix("\n").split("\n")
            assert len(told) == len(messages) + len(verdict.plan.left_out)
            assert all(LINE.fullmatch(line) for line in told)


@settings(max_examples=200)
@given(bodies, kinds, st.data())
def test_chunks_of_the_body_do_not_matter(body: bytes, content_type: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    whole, cut = judged(desk(), [body], content_type), judged(desk(), chunks, content_type)
    assert (cut.action, cut.reply) == (whole.action, whole.reply)
    assert (cut.plan is None) == (whole.plan is None)
    if cut.plan is not None and whole.plan is not None:
        assert cut.plan == whole.plan
