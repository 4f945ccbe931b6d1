"""Nothing that was said in confidence came out anywhere, in the whole run of the tests: the last of all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.mta import Mta
from support.places import folder, free_port
from support.secrecy import PASSWORDS, RUN, SMSC_PASSWORD, Secrecy
from support.service import Service

TEXT = "The door code of the vault is 4711 today"


def test_what_comes_out_is_found() -> None:
    secrecy = Secrecy()
    secrecy.said(
        f"Subject: {TEXT}\r\nFrom: a@b.example\r\n\r\nlogin:pw:1::7:{TEXT} too\r\ntext:{TEXT} 3\r\n".encode()
    )
    assert secrecy.texts == {TEXT, f"{TEXT} too", f"{TEXT} 3"}
    secrecy.saw("a log", "nothing\nnothing else\n")
    assert list(secrecy.leaks()) == []
    secrecy.saw("a log", f"status=refused ({TEXT} too)")
    secrecy.saw("a listing", f"bind password={SMSC_PASSWORD}")
    assert {(kind, secret) for kind, secret, _ in secrecy.leaks()} == {
        ("a log", TEXT),
        ("a log", f"{TEXT} too"),
        ("a listing", SMSC_PASSWORD),
    }


def test_passwords_are_no_words_that_stand_anywhere_by_chance() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert not [one for one in PASSWORDS if one in readme]


@pytest.mark.last
def test_nothing_said_in_confidence_came_out_of_this_run() -> None:
    # One service in any case, whatever else has run: refused, taken, listed.
    with folder("secrecy") as place, Service(place, free_port(), {"milter": {"workers": 1}}) as service:
        with Mta(service.port) as mta:
            mta.negotiate()
            mta.connect()
            for times in (1, 100):  # the second is too long and refused
                mta.mail("<bob@customer.example>")
                mta.rcpt("<447973100000@sms.example.com>")
                mta.data()
                RUN.said(f"Subject: {TEXT}\r\n\r\n".encode())
                mta.header("Subject", TEXT.encode())
                mta.body(TEXT.encode() * times + b"\r\n")
                mta.end()
        listed = service.command("queue", "list", "--json")
        assert len(json.loads(listed)) == 1
        service.command("queue", "show", str(json.loads(listed)[0]["queue_id"]))
    assert TEXT in RUN.texts
    assert RUN.logs
    assert [log for log, was_read in RUN.logs.items() if not was_read] == []
    assert {"log", "sms-milter queue"} <= RUN.seen.keys()
    for words in ("status=discard (stored)", "refused at end of message (552 5.3.4"):
        assert any(words in line for line in RUN.seen["log"]), words
    leaks = [f"{kind}: {secret!r} in {line[:300]!r}" for kind, secret, line in RUN.leaks()]
    assert leaks == [], "\n".join(leaks)
