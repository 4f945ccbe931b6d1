"""What a reader sees of HTML."""

from __future__ import annotations

import pytest

from sms_milter.mail.html import text_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p>\n<p>two</p>", "one\ntwo"),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<b>bo</b>ld   and\r\n wrapped", "bold and wrapped"),
        ("a &lt; b &amp;&nbsp;&nbsp;c", "a < b &  c"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("<!DOCTYPE html><style>p { }</style>x<script>y</script >z", "xz"),
        ("a<!-- <p>b</p> -->c<!-- no end", "ac"),
        ("a<b no end", "a"),
    ],
)
def test_text_of_html(html: str, text: str) -> None:
    assert text_of(html) == text
