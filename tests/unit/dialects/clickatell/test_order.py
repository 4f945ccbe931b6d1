"""CLK §13: of several faults the first in the documented order is told."""

from __future__ import annotations

from itertools import combinations

import pytest

from sms_milter.config.schema import Account
from sms_milter.dialects.clickatell import ClickatellOptions, denied, parse
from sms_milter.dialects.context import Context
from sms_milter.errors import Denied, Rejected
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import Client, Envelope, Recipient
from sms_milter.reply import Denial

# A line with a fault, and what is told of it: the table of parameters, then sender, content, destination.
FAULTS = [
    ("reply:nobody", "101, Invalid or missing parameters (reply)"),
    ("concat:0", "101, Invalid or missing parameters (concat)"),
    ("deliv_time:10081", "120, Invalid delivery time"),
    ("escalate:3", "101, Invalid or missing parameters (escalate)"),
    ("queue:4", "101, Invalid or missing parameters (queue)"),
    ("max_credits:-1", "101, Invalid or missing parameters (max_credits)"),
    ("req_feat:x", "101, Invalid or missing parameters (req_feat)"),
    ("unicode:2", "101, Invalid or missing parameters (unicode)"),
    ("msg_type:sms_text", "112, Invalid message type"),
    ("udh:06050415", "102, Invalid user data header"),
    ("binary:2", "101, Invalid or missing parameters (binary)"),
    ("validity:0", "101, Invalid or missing parameters (validity)"),
    ("deliv_ack:2", "101, Invalid or missing parameters (deliv_ack)"),
    ("callback:8", "101, Invalid or missing parameters (callback)"),
    ("cliMsgId:a b", "101, Invalid or missing parameters (cliMsgId)"),
    ("mo:2", "101, Invalid or missing parameters (mo)"),
    ("delimiter:||", "101, Invalid or missing parameters (delimiter)"),
    ("csvtemplate:from", "101, Invalid or missing parameters (csvtemplate)"),
    ("from:EVIL", "123, Invalid Sender ID"),
    ("text:", "107, Empty message"),
    ("to:0123", "105, Invalid destination address (0123)"),
]


def registered(originator: str) -> str:
    if originator == "EVIL":
        raise Denied(Denial.ORIGINATOR_NOT_ALLOWED)
    return originator


def told(*lines: str) -> str:
    """Of a mail with these lines; those that it needs are there."""
    needed = ["to:448311234567"] if not any(line.startswith(("to:", "csv:")) for line in lines) else []
    needed += ["text:Hi"] if not any(line.startswith("text:") for line in lines) else []
    address = Recipient("<sms@clk.example>", "sms", "clk.example")
    context = Context(
        Envelope(Client("192.0.2.10"), "shop@customer.example", (address,)),
        ((address, None),),
        Account(),
        ClickatellOptions(),
        1_700_000_000.0,
        originator=registered,
    )
    try:
        request = parse(parse_mail((), "\n".join([*needed, *lines]).encode()), context)
    except Rejected as refusal:
        why = refusal.reply
    except Denied as refusal:
        why = denied(refusal.denial)
    else:
        why = request.refused[0].reply
    return why.text.removeprefix("ERR: ")


@pytest.mark.parametrize(("line", "words"), FAULTS)
def test_each_fault_alone(line: str, words: str) -> None:
    assert told(line) == words


def test_the_first_of_two_is_told_wherever_they_stand() -> None:
    for (first, words), (second, _) in combinations(FAULTS, 2):
        assert (first, second, told(first, second)) == (first, second, words)
        assert (second, first, told(second, first)) == (second, first, words)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("from:EVIL", "unicode:1", "text:0"), "116, Invalid Unicode data"),
        (("from:EVIL", "binary:1", "text:0"), "101, Invalid or missing parameters (data: expected hex)"),
        (("from:EVIL", "csv:1,a", "text:"), "123, Invalid Sender ID"),
        (("csv:1,a", "text:"), "202, No batch template"),
        (("csv:0123,a", "text:#field2#"), "105, Invalid destination address (0123)"),
        (("csv:448311234567,a", "text:#field2#"), "107, Empty message (message 1)"),
    ],
)
def test_what_is_wrong_with_the_content_is_told_in_its_place(lines: tuple[str, ...], words: str) -> None:
    assert told(*lines) == words
