from __future__ import annotations

import pytest

from sms_milter.mail import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"Server down", "Server down"),
        (b"", ""),
        (b"Gr\xfc\xdfe", "Grüße"),
        ("Grüße".encode(), "Grüße"),
        (b"=?ISO-8859-1?B?QWxhcm0=?=", "Alarm"),
        (b"=?iso-8859-1?b?QWxhcm0?=", "Alarm"),
        (b"=?iso-8859-1?Q?Gr=FC=DFe_an_alle?=", "Grüße an alle"),
        (b"=?UTF-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        (b"=?utf-8?Q?a?=\n =?utf-8?Q?b?=", "ab"),
        (b"=?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?=", "ab"),
        (b"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
        (b"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
        (b"Re: =?utf-8?Q?a?= (x)", "Re: a (x)"),
        (b"=?utf-8?Q?a=C3?= =?utf-8?Q?=A9b?=", "aéb"),
        (b"=?utf-8?B?YcM=?= =?utf-8?B?qWI=?=", "aéb"),
        (b"=?utf-8?Q?a?= =?koi8-r?B?8NLJ18XU?=", "aПривет"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?utf-8?Q?a b?=", "a b"),
        (b"=?utf-8?Q??=", ""),
    ],
)
def test_header_values_become_text(value: bytes, text: str) -> None:
    assert words.decode(value) == text


@pytest.mark.parametrize(
    "value",
    [
        b"=?x-klingon?Q?a?=",
        b"=?rot13?Q?a?=",
        b"=?utf-8?Q?=C3?=",
        b"=?utf-8?B?Q?=",
        b"=?utf-8?B?Qx!y?=",
        b"=?utf-8?X?abc?=",
        b"=?utf-8?Q?abc",
        b"a =? b ?=",
        b"=?x-klingon?Q?a?= =?x-klingon?Q?b?=",
    ],
)
def test_what_means_nothing_stays_as_it_stands(value: bytes) -> None:
    assert words.decode(value) == value.decode()


def test_white_space_beside_a_literal_word_stays() -> None:
    assert words.decode(b"=?utf-8?Q?a?= =?x-a?Q?b?= =?utf-8?Q?c?=") == "a =?x-a?Q?b?= c"


def test_one_broken_word_does_not_take_its_neighbours_with_it() -> None:
    assert words.decode(b"=?utf-8?Q?a?= =?utf-8?Q?=FF?= =?utf-8?Q?c?=") == "a =?utf-8?Q?=FF?= c"


def test_folds_become_one_space() -> None:
    assert words.unfold(b"a\n b\r\n\t c \n\td") == b"a b c d"
    assert words.decode(b"Server\n down") == "Server down"


def test_the_declared_charsets_are_told() -> None:
    assert words.charsets(b"=?UTF-8?Q?a?= x =?koi8-r*ru?B?8A==?=") == {"utf-8", "koi8-r"}
    assert words.charsets(b"plain") == frozenset()
