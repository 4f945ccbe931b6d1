from __future__ import annotations

import codecs
import subprocess
import sys

import pytest

from sms_milter.errors import Rejected
from sms_milter.mail import charset
from sms_milter.reply import UNDECODABLE


@pytest.mark.parametrize(
    ("octets", "declared", "text"),
    [
        (b"Caf\xe9", "iso-8859-1", "Café"),
        (b"Caf\xe9", "Latin1", "Café"),
        (b"Caf\xc3\xa9", "UTF-8", "Café"),
        (b"\x93Caf\xe9\x94", "windows-1252", "“Café”"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        ("Привет".encode("cp1251"), " windows-1251 ", "Привет"),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        ("日本".encode("iso2022_jp"), "ISO-2022-JP", "日本"),
        (b"Caf\xe9", "", "Café"),
        (b"Caf\xc3\xa9", "", "Café"),
        (b"Caf\xc3\xa9", "us-ascii", "Café"),
        (b"Caf\xe9", "ANSI_X3.4-1968", "Café"),
        (b"Caf\xe9", "unknown-8bit", "Café"),
        (b"\xef\xbb\xbfHi", "utf-8", "Hi"),
        (b"\xef\xbb\xbfHi", "", "Hi"),
        (b"\x00H\x00i", "utf-16", "Hi"),
        (b"\xfe\xff\x00H\x00i", "utf-16", "Hi"),
        (b"\xff\xfeH\x00i\x00", "utf-16", "Hi"),
        (b"\xff\xfeH\x00i\x00", "utf-16le", "Hi"),
        (codecs.BOM_UTF32_LE + "Hi".encode("utf_32_le"), "utf-32", "Hi"),
        ("Hi".encode("utf_32_be"), "utf-32", "Hi"),
    ],
)
def test_octets_become_text(octets: bytes, declared: str, text: str) -> None:
    assert charset.decode(octets, declared) == text


@pytest.mark.parametrize(
    "declared",
    ["rot13", "rot_13", "base64", "hex", "zlib", "bz2", "uu", "quopri", "idna", "punycode", "unicode_escape",
     "raw_unicode_escape", "undefined", "mbcs", "utf-7", "charmap", "undeclared", "x-klingon", "../utf-8",
     "latin-1" * 20],
)  # fmt: skip
def test_what_is_no_character_set_is_refused(declared: str) -> None:
    with pytest.raises(Rejected) as refused:
        charset.decode(b"Hello", declared)
    assert refused.value.reply is UNDECODABLE


@pytest.mark.parametrize(
    ("octets", "declared"),
    [(b"Caf\xe9", "utf-8"), (b"\x81", "windows-1252"), (b"\xd8\x00", "utf-16be"), (b"H", "utf-16")],
)
def test_octets_that_mean_nothing_are_refused(octets: bytes, declared: str) -> None:
    with pytest.raises(Rejected):
        charset.decode(octets, declared)


def test_every_allowed_codec_is_known_to_python() -> None:
    names = charset._NAMES.values()
    assert len(set(names)) > 80
    for name in names:
        assert codecs.lookup(name).name


def test_names_of_iso_8859_1() -> None:
    for name in (
        "",
        "us-ascii",
        "ascii",
        "ISO-8859-1",
        "iso_8859-1",
        "iso8859-1",
        "latin1",
        "l1",
        "cp819",
        "IBM819",
    ):
        assert charset.is_latin1(name), name
    for name in ("utf-8", "windows-1252", "iso-8859-15", "x-klingon"):
        assert not charset.is_latin1(name), name


def test_every_codec_can_be_loaded_beforehand() -> None:
    code = (
        "import sys; from sms_milter.mail import charset; charset.load_codecs(); "
        "print('encodings.utf_16_be' in sys.modules, 'encodings.koi8_r' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
