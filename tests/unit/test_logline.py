from __future__ import annotations

import pytest

from sms_milter.logline import Numbers, Senders, clean, line


def test_the_mtas_queue_id_stands_first() -> None:
    assert line("4ABC", from_="<a@b>", status="stored") == "4ABC: from=<a@b>, status=stored"
    assert line("", status="x") == "NOQUEUE: status=x"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\r\nb", "a??b"),
        ("caf\u00e9", "caf?"),
        ("\udc80x", "?x"),
        ("x" * 300, "x" * 197 + "..."),
        ("ok", "ok"),
    ],
)
def test_what_comes_from_outside_is_made_printable_and_short(given: str, shown: str) -> None:
    assert clean(given) == shown


def test_numbers_are_masked_on_demand() -> None:
    assert Numbers(masked=False).shown("447973100000") == "447973100000"
    assert Numbers(masked=True).shown("447973100000") == "4479******00"
    assert Numbers(masked=True).shown("1234567") == "*****67"
    assert Numbers(masked=True).address("447973100000", "sms.example.com") == "<4479******00@sms.example.com>"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("c4ca423@client.example", "<c4c***@client.example>"),
        ("C4CA423@Client.example", "<C4C***@Client.example>"),
        ("ab@client.example", "<ab***@client.example>"),
        ("bob@client.example", "<bob@client.example>"),
        ("", "<>"),
        ("b\u00f6b@client.example", "<b?b@client.example>"),
    ],
)
def test_a_secret_sender_is_shown_in_part(address: str, shown: str) -> None:
    secret = {"c4ca423@client.example", "ab@client.example"}
    assert Senders(secret).shown(address) == shown
