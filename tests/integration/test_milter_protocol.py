"""The running milter and an MTA that does what real ones do seldom, or never."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.mta import Mta
from support.places import folder, free_port, wait_until
from support.service import Service

BOB = "<bob@customer.example>"
PHONE = "<447973100000@sms.example.com>"
COLLEAGUE = "<ann@elsewhere.example>"
NOHELO, NOUNKNOWN = 0x2, 0x100
SILENT = 0x1000 | 0x4000 | 0x80 | 0x40000 | 0x80000  # no reply at connect, MAIL, header, eoh, body
DELRCPT = 0x8


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with (
        folder("protocol") as place,
        Service(place, smsc_port=free_port(), settings={"milter": {"workers": 1}}) as running,
    ):
        yield running


def stored(service: Service) -> list[dict[str, Any]]:
    if not (service.queue_directory / "queue.db").exists():
        return []
    parts: list[dict[str, Any]] = json.loads(service.command("queue", "list", "--json"))
    return parts


def whole_mail(mta: Mta, text: bytes, *recipients: str) -> list[tuple[str, bytes]]:
    mta.mail(BOB)
    for recipient in recipients or (PHONE,):
        assert mta.rcpt(recipient)[0] == "c"
    assert mta.data()[0] == "c"
    mta.header("Subject", b"")
    mta.body(text)
    return mta.end()


def test_only_what_is_used_is_negotiated(service: Service) -> None:
    with Mta(service.port) as mta:
        mta.negotiate()
        assert mta.actions == DELRCPT
        assert mta.steps == NOHELO | NOUNKNOWN | SILENT


@pytest.mark.parametrize("steps", [0x1FFFFF, 0x7F, 0], ids=["all", "old", "none"])
def test_an_mta_of_any_age_is_served(service: Service, steps: int) -> None:
    with Mta(service.port) as mta:
        mta.negotiate(steps)
        mta.connect()
        if not mta.steps & NOHELO:
            mta.send("H", b"client.example\0")
            assert mta.answer()[0] == "c"
        assert whole_mail(mta, b"served\r\n") == [("d", b"")]


@pytest.mark.parametrize("address", ["192.0.2.10", "IPv6:::ffff:192.0.2.10"])
def test_a_client_is_known_in_either_form_of_its_address(service: Service, address: str) -> None:
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect(address)
        assert whole_mail(mta, b"known\r\n") == [("d", b"")]
    assert " client=[192.0.2.10], " in service.log.splitlines()[-1]


def test_mails_of_one_connection_do_not_mix(service: Service) -> None:
    before = len(stored(service))
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        mta.mail(BOB)
        assert mta.rcpt(PHONE)[0] == "c"
        mta.send("A")  # RSET
        mta.mail(BOB)
        assert mta.rcpt(COLLEAGUE)[0] == "c"
        assert mta.data()[0] == "a"
        assert whole_mail(mta, b"first\r\n") == [("d", b"")]
        assert whole_mail(mta, b"\r\n")[-1][0] == "y"
        assert whole_mail(mta, b"second\r\n", COLLEAGUE, PHONE) == [("-", PHONE.encode() + b"\0"), ("c", b"")]
    assert len(stored(service)) == before + 2


def test_a_client_lost_before_the_end_leaves_nothing(service: Service) -> None:
    before = len(stored(service))
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        mta.mail(BOB)
        mta.rcpt(PHONE)
        mta.data()
        mta.header("Subject", b"half")
        mta.body(b"a mai")
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        assert whole_mail(mta, b"whole\r\n") == [("d", b"")]
    assert len(stored(service)) == before + 1


def test_refusals_carry_both_codes(service: Service) -> None:
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        mta.mail(BOB)
        assert mta.rcpt("<help@sms.example.com>") == ("y", b"550 5.1.1 the address is not a mobile number\0")
        assert mta.rcpt(PHONE) == ("c", b"")


def test_mail_of_the_sendmail_command_is_refused_at_the_end(service: Service) -> None:
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect("127.0.0.1", "localhost", 0)
        mta.mail(BOB, queue_id="4ABC")
        assert mta.rcpt("<help@sms.example.com>")[0] == "c"
        assert mta.data()[0] == "c"
        mta.body(b"text\r\n")
        assert mta.end()[0][1].startswith(b"550 5.7.1")  # 127.0.0.1 is no client of the account


def test_octets_outside_utf8_hurt_nobody(service: Service) -> None:
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        mta.mail(BOB)
        mta.send("R", b"<\xe9@sms.example.com>\0")
        assert mta.answer()[0] == "y"
        mta.rcpt(PHONE)
        mta.data()
        mta.header("Subject", b"caf\xe9")
        mta.header("X-Odd", b"\xff\xfe\x00")
        mta.body(b"\xe9\r\n")
        assert mta.end() == [("d", b"")]


def test_a_mail_without_any_header_field_is_answered(service: Service) -> None:
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        mta.mail(BOB)
        mta.rcpt(PHONE)
        mta.data()
        mta.body(b"bare\r\n")
        assert mta.end() == [("d", b"")]


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"\xff\xff\xff\xff" + b"x" * 100,
        b"\0\0\0\0",
        b"\0\0\0\x02O\0",
        b"\0\0\0\x05Zabcd",
        b"",
    ],
    ids=["http", "huge-length", "no-length", "short-negotiation", "unknown-command", "probe"],
)
def test_garbage_is_cut_off_and_the_next_client_served(service: Service, octets: bytes) -> None:
    with Mta(service.port) as stranger:
        stranger.raw(octets)
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        assert whole_mail(mta, b"after garbage\r\n") == [("d", b"")]
    assert service.log.count("died") == 0


def test_a_mail_before_any_negotiation_is_no_traceback_for_the_next(service: Service) -> None:
    with Mta(service.port) as stranger:
        stranger.send("M", b"<a@b>\0")
        stranger.send("R", PHONE.encode() + b"\0")
        stranger.answer()
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        assert whole_mail(mta, b"still there\r\n") == [("d", b"")]


def test_a_reload_keeps_an_open_dialogue(service: Service) -> None:
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        mta.mail(BOB)
        assert mta.rcpt(PHONE)[0] == "c"
        service.reload()
        wait_until(lambda: ": reloaded, " in service.log, "the reload")
        assert mta.data()[0] == "c"
        mta.body(b"across a reload\r\n")
        assert mta.end() == [("d", b"")]
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        assert whole_mail(mta, b"after the reload\r\n") == [("d", b"")]


def test_a_bad_file_leaves_the_old_configuration_in_force(service: Service) -> None:
    good = service.file.read_text()
    service.file.write_text(good.replace("domains:", "domain:"))
    try:
        service.reload()
        wait_until(lambda: "the old configuration stays in force" in service.log, "the refusal")
    finally:
        service.file.write_text(good)
    with Mta(service.port) as mta:
        mta.negotiate()
        mta.connect()
        assert whole_mail(mta, b"as before\r\n") == [("d", b"")]
