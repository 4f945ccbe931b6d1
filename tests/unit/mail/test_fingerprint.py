"""DESIGN §3: which mail is a client's retry of one that is stored already."""

from __future__ import annotations

from sms_milter.mail.fingerprint import fingerprint

Fields = list[tuple[str, bytes]]
PLAIN: Fields = [("Subject", b"Alarm"), ("Message-ID", b"<1@customer.example>")]


def of(
    fields: Fields,
    body: bytes = b"Door open\r\n",
    queue_id: str = "4ABC",
    sender: str = "bob@customer.example",
) -> bytes | None:
    recipients = ["447973100000@sms.example.com", "447973100001@sms.example.com"]
    return fingerprint(fields, body, sender=sender, recipients=recipients, mta_queue_id=queue_id)


def test_the_same_mail_in_another_mta_session_is_a_retry() -> None:
    assert of(PLAIN, queue_id="4ABC") == of(PLAIN, queue_id="4DEF")
    assert of(PLAIN) is not None


def test_the_order_of_recipients_does_not_matter() -> None:
    def one(*recipients: str) -> bytes | None:
        return fingerprint(PLAIN, b"", sender="a@b", recipients=recipients, mta_queue_id="")

    assert one("1@x", "2@x") == one("2@x", "1@x")
    assert one("1@x", "2@x") != one("1@x")


def test_another_message_id_content_sender_or_body_is_another_mail() -> None:
    others = [
        of([("Subject", b"Alarm"), ("Message-ID", b"<2@customer.example>")]),
        of([("Subject", b"All clear"), ("Message-ID", b"<1@customer.example>")]),
        of(PLAIN, body=b"Door shut\r\n"),
        of(PLAIN, sender="eve@customer.example"),
    ]
    assert len({of(PLAIN), *others}) == 5


def test_trace_fields_of_another_path_do_not_make_another_mail() -> None:
    assert of([("Received", b"from a by b"), *PLAIN]) == of([("Received", b"from c by d"), *PLAIN])


def test_without_message_id_date_or_received_nothing_is_a_retry() -> None:
    assert of([("Subject", b"Alarm")]) is None
    assert of([("Subject", b"Alarm"), ("Message-ID", b" ")]) is None


def test_without_message_id_a_date_or_received_field_makes_the_content_count() -> None:
    dated: Fields = [("Date", b"Sat, 21 Nov 2026 12:00:00 +0000"), ("Subject", b"Alarm")]
    assert of(dated) == of(list(dated))
    assert of([("Received", b"from a"), ("Subject", b"Alarm")]) is not None
    assert of([("Received", b"from a"), ("Subject", b"x")]) != of(
        [("Received", b"from b"), ("Subject", b"x")]
    )


def test_what_postfix_adds_for_a_local_client_is_not_the_clients() -> None:
    def completed(own: Fields, queue_id: str, date: bytes) -> Fields:
        added: Fields = [("Message-Id", b"<20261121120000.%s@mx>" % queue_id.encode())]
        return [*own, *added, ("Date", date), ("From", b"bob@customer.example")]

    bare: Fields = [("Subject", b"Alarm")]
    assert of(completed(bare, "4ABC", b"now"), queue_id="4ABC") is None
    dated: Fields = [("Date", b"Sat, 21 Nov 2026 12:00:00 +0000"), ("Subject", b"Alarm")]
    first = of(completed(dated, "4ABC", b"now"), queue_id="4ABC")
    assert first is not None
    assert first == of(completed(dated, "4DEF", b"later"), queue_id="4DEF")


def test_a_date_that_postfix_adds_at_each_try_does_not_make_another_mail() -> None:
    assert of([*PLAIN, ("Date", b"now")]) == of([*PLAIN, ("Date", b"later")])


def test_what_a_milter_before_us_adds_at_each_try_does_not_make_another_mail() -> None:
    def tried(second: int, fields: Fields) -> Fields:
        signature = f"v=1; d=customer.example; t={second}; b=abc".encode()
        return [("DKIM-Signature", signature), ("Authentication-Results", b"mx; dkim=none"), *fields]

    dated: Fields = [("Date", b"Sat, 21 Nov 2026 12:00:00 +0000"), ("Subject", b"Alarm")]
    for fields in (PLAIN, dated):
        assert of(tried(1, fields)) == of(tried(2, fields)) == of(fields)
    assert of(tried(1, [("Subject", b"Alarm")])) is None
