"""Authentication-Results (RFC 8601 §2.2, appendix B)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_milter.mail.results import Result, results

ID = "example.com"


def read(value: str, authserv_id: str = ID) -> list[tuple[str, str, dict[str, str]]]:
    return [(one.method, one.result, dict(one.properties)) for one in results(value.encode(), authserv_id)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("example.com 1; none", []),  # B.2
        (
            "example.com; spf=pass smtp.mailfrom=example.net",
            [("spf", "pass", {"smtp.mailfrom": "example.net"})],
        ),
        (  # B.4
            "example.com;\n auth=pass (cram-md5) smtp.auth=sender@example.net;\n"
            " spf=pass smtp.mailfrom=example.net",
            [
                ("auth", "pass", {"smtp.auth": "sender@example.net"}),
                ("spf", "pass", {"smtp.mailfrom": "example.net"}),
            ],
        ),
        (  # B.6
            'example.com; dkim=pass (good signature) header.d=example.com; dkim=fail reason="bad signature"'
            " header.d=bad.example.com",
            [
                ("dkim", "pass", {"header.d": "example.com"}),
                ("dkim", "fail", {"reason": "bad signature", "header.d": "bad.example.com"}),
            ],
        ),
        (  # B.7, with comments wherever they may stand
            "example.com (foobar) 1 (baz);\n dkim (Because I like it) = (wait for it) fail\n"
            " policy.expired (this surprised me)\n = (as I wasn't expecting it) 1362471462",
            [("dkim", "fail", {"policy.expired": "1362471462"})],
        ),
        ("example.com; dkim / 1 = pass", []),  # B.7 has blanks there; nobody writes them
        ("EXAMPLE.com 1;SPF = Pass smtp.MailFrom = a=b@x", [("spf", "pass", {"smtp.mailfrom": "a=b@x"})]),
        ('example.com; dkim/1=pass header.d="a;b.example"', [("dkim", "pass", {"header.d": "a;b.example"})]),
    ],
)
def test_what_a_field_says(value: str, expected: list[tuple[str, str, dict[str, str]]]) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        ";",
        "other.example; spf=pass",
        "example.com.evil.example; spf=pass",
        "(example.com) other.example; spf=pass",
        "example.com 2; spf=pass",
        "example.com 1 1; spf=pass",
        "example.com; spf=pass (a comment that does not end; dkim=pass",
        'example.com; spf=pass reason="a quote that does not end',
        "example.com; spf",
        "example.com; =pass",
        "example.com; spf=pass smtp.mailfrom",
        "example.com; spf=pass smtp.mailfrom=a.example smtp.mailfrom=b.example",
        "example.com; spf=pass \\",
        "example.com; spf=(pass)",
        "example.com; (spf=pass smtp.mailfrom=a.example)",
        'example.com; reason="; spf=pass smtp.mailfrom=a.example"',
    ],
)
def test_nothing_is_read_out_of_what_is_malformed_or_somebody_elses(value: str) -> None:
    assert [one for one in read(value) if one[0] == "spf"] == []


@pytest.mark.parametrize(
    "comment", ["(a (nested) one)", r"(an escaped \) one; dkim=fail)", '(a " quote)', "(;)", '(O"Brien)']
)
def test_comments_may_hold_anything(comment: str) -> None:
    value = (
        f"example.com {comment}; spf=pass {comment} smtp.mailfrom=a.example {comment}; dkim=pass header.d=b"
    )
    assert [one[0] for one in read(value)] == ["spf", "dkim"]


@given(st.text(alphabet='example.com; =()"\\spfdkim1\n'))
def test_any_text_has_results_or_none(text: str) -> None:
    assert all(isinstance(one, Result) for one in results(text.encode(), "e"))


@given(st.binary())
def test_any_octets_have_results_or_none(value: bytes) -> None:
    results(b"example.com;" + value, ID)
