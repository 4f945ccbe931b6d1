from __future__ import annotations

from sms_milter.mail.head import header_block


def test_the_fields_come_as_lines_with_their_folds() -> None:
    fields = [("Received", b"from a\n\tby b;\r\n date"), ("Comments", b""), ("X-Odd", b"caf\xe9")]
    assert header_block(fields) == b"Received: from a\n\tby b;\n date\nComments: \nX-Odd: caf\xe9\n"


def test_the_sms_itself_is_left_out() -> None:
    fields = [
        ("Subject", b"Secret"),
        ("Thread-Topic", b"Secret"),
        ("X-SMPP-Short-Message", b"48"),
        ("x-smpp-anything", b"1"),
        ("X-Smppx", b"2"),
        ("To", b"x"),
    ]
    assert header_block(fields) == b"X-Smppx: 2\nTo: x\n"


def test_a_field_cannot_become_two_or_end_the_header() -> None:
    assert header_block([("Comments", b"a\nBcc: b\n\n\n \r\n\x00c\rd")]) == b"Comments: a\n Bcc: b\n cd\n"


def test_a_long_header_ends_after_a_whole_field() -> None:
    fields = [(f"X-{number}", b"x" * 1000) for number in range(100)]
    block = header_block(fields)
    assert 15_000 < len(block) <= 16 * 1024
    assert block.endswith(b"x" * 1000 + b"\n")
