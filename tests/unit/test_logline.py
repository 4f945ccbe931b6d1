from __future__ import annotations

import pytest

from sms_milter.logline import Numbers, Said, Senders, as_record, clean, line, of_record, read


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


def test_no_value_holds_what_parts_the_pairs() -> None:
    text = line("4ABC", from_="<a, status=accepted (x)@b>", status="refused (no, never)")
    assert text == "4ABC: from=<a,status=accepted (x)@b>, status=refused (no, never)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "4ABC: to=1, part=1/2, status=x (y, z)",
            Said("info", "4ABC", {"to": "1", "part": "1/2"}, "x (y, z)"),
        ),
        ("warning: NOQUEUE: status=x", Said("warning", "", {}, "x")),
        ("error: stopped", Said("error", None, {}, "stopped")),
        (
            "smsc=one bind=one/1: > submit_sm status=0",
            Said("info", None, {"smsc": "one", "bind": "one/1"}, "> submit_sm status=0"),
        ),
        ("started role=report pid=5", Said("info", None, {}, "started role=report pid=5")),
    ],
)
def test_a_line_is_read_back(text: str, said: Said) -> None:
    assert read(text) == said
    assert of_record(as_record(text)) == text


def test_a_record_has_a_name_for_everything() -> None:
    assert as_record("warning: 4ABC: to=1, status=deferred for 5 s (WHY), twice") == {
        "severity": "warning",
        "mta_queue_id": "4ABC",
        "to": "1",
        "status": "deferred for 5 s",
        "why": "(WHY), twice",
    }
