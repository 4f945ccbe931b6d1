"""Transliteration (SMSCentre §8)."""

from __future__ import annotations

from sms_milter.dialects.smscentre.translit import transliterated


def test_by_sound() -> None:
    assert transliterated("Щука, ёж и объём: №1", "1") == "Schuka, yozh i ob'yom: N1"


def test_by_looks() -> None:
    assert transliterated("Транслит, Жук", "2") == "TpaHc/Ium, *yK"


def test_only_where_asked_for() -> None:
    assert transliterated("да", "0") == transliterated("да", "") == "да"
