"""Transliteration (SMSCentre §8)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sms_milter.dialects.smscentre import SmscentreOptions
from sms_milter.dialects.smscentre.translit import table, transliterated


def test_by_sound() -> None:
    assert transliterated("Щука, ёж и объём: №1", table("1")) == "Schuka, yozh i ob'yom: N1"


def test_by_looks() -> None:
    assert transliterated("Транслит, Жук", table("2")) == "TpaHc/Ium, *yK"


def test_only_where_asked_for() -> None:
    assert transliterated("да", table("0")) == transliterated("да", table("")) == "да"


def test_letters_may_be_written_otherwise() -> None:
    own = SmscentreOptions(translit_by_sound={"щ": "shch", "х": "kh", "Х": "H"})
    assert transliterated("Щит щит Хор хор", own.letters("1")) == "Shchit shchit Hor khor"
    assert transliterated("щ", own.letters("2")) == "w,"
    assert transliterated("щ", table("1")) == "sch"


@pytest.mark.parametrize("letter", ["", "щщ", 1])
def test_a_letter_is_one(letter: object) -> None:
    with pytest.raises(ValidationError):
        SmscentreOptions.model_validate({"translit_by_sound": {letter: "x"}})
