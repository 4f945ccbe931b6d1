"""ENC §2, §3.3 and the vectors 1 to 5, 10 and 11 of ENC §11."""

import pytest

from sms_milter.sms.alphabet import decode, encode, nfc, punctuation

# ENC §2 in code points; 001B stands for the escape.
TABLE = """
0040 00A3 0024 00A5 00E8 00E9 00F9 00EC 00F2 00C7 000A 00D8 00F8 000D 00C5 00E5
0394 005F 03A6 0393 039B 03A9 03A0 03A8 03A3 0398 039E 001B 00C6 00E6 00DF 00C9
0020 0021 0022 0023 00A4 0025 0026 0027 0028 0029 002A 002B 002C 002D 002E 002F
0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003A 003B 003C 003D 003E 003F
00A1 0041 0042 0043 0044 0045 0046 0047 0048 0049 004A 004B 004C 004D 004E 004F
0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 005A 00C4 00D6 00D1 00DC 00A7
00BF 0061 0062 0063 0064 0065 0066 0067 0068 0069 006A 006B 006C 006D 006E 006F
0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 007A 00E4 00F6 00F1 00FC 00E0
"""
DEFAULT = {code: chr(int(point, 16)) for code, point in enumerate(TABLE.split()) if code != 0x1B}
EXTENSION = {
    0x0A: "\x0c",
    0x14: "\x5e",
    0x28: "\x7b",
    0x29: "\x7d",
    0x2F: "\x5c",
    0x3C: "\x5b",
    0x3D: "\x7e",
    0x3E: "\x5d",
    0x40: "\x7c",
    0x65: "\u20ac",
}


@pytest.mark.parametrize(("code", "character"), DEFAULT.items())
def test_default_table_both_ways(code: int, character: str) -> None:
    assert encode(character) == bytes([code])
    assert encode(character + "é") == bytes([code, 0x05])
    assert decode(bytes([code])) == character


@pytest.mark.parametrize(("code", "character"), EXTENSION.items())
def test_extension_table_both_ways(code: int, character: str) -> None:
    assert encode(character) == bytes([0x1B, code])
    assert decode(bytes([0x1B, code])) == character


def test_no_other_character_has_septets() -> None:
    known = {*DEFAULT.values(), *EXTENSION.values(), "\u00a0"}
    # Code points that NFC writes as a table character, such as the ohm sign, count as that character.
    strangers = [c for c in map(chr, range(0xD800)) if nfc(c) not in known]
    assert [c for c in strangers if encode(c) is not None] == []


@pytest.mark.parametrize(
    ("text", "septets"),
    [
        ("Hello", "48656C6C6F"),
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_", "000102030405060708090A0B0C0D0E0F1011"),
        ("ΦΓΛΩΠΨΣΘΞ", "12131415161718191A"),
        ("ÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", "1C1D1E1F24405B5C5D5E5F607B7C7D7E7F"),
        ("^{}\\[~]|€", "1B141B281B291B2F1B3C1B3D1B3E1B401B65"),
        ("ΩΨΘ", "151719"),
        ("", ""),
    ],
)
def test_published_vectors(text: str, septets: str) -> None:
    assert encode(text) == bytes.fromhex(septets)
    assert decode(bytes.fromhex(septets)) == text


@pytest.mark.parametrize(
    "text", ["`", "a`b", "\t", "\x1b", "\x00", "\x7f", "ç", "Привет", "“", "😀", "\ud800"]
)
def test_what_gsm_cannot_show(text: str) -> None:
    assert encode(text) is None


def test_letter_with_combining_accent_is_one_septet() -> None:
    assert encode("Cafe\u0301") == bytes.fromhex("43616605")


def test_no_break_space_is_sent_as_space() -> None:
    assert encode("10\u00a0km") == b"10 km"


@pytest.mark.parametrize(
    ("septets", "shown"),
    [
        ("411B41", "AA"),  # undefined after the escape
        ("1B05", "é"),
        ("1B0D", "\r"),  # reserved
        ("1B1B41", " A"),
        ("411B", "A "),
        ("1B1B1B65", " €"),
        ("4180FF", "A\ufffd\ufffd"),
    ],
)
def test_decoding_what_nobody_should_send(septets: str, shown: str) -> None:
    assert decode(bytes.fromhex(septets)) == shown


@pytest.mark.parametrize(
    ("typographic", "ascii_text"),
    [
        ("‘a’ ‚b‛ c′ `d´", "'a' 'b' c' 'd'"),
        ("“a” „b‟ c″ «d»", '"a" "b" c" "d"'),
        ("a‐b‑c‒d–e—f―g−h", "a-b-c-d-e-f-g-h"),
        ("wait…", "wait..."),
        ("•a·b", "*a*b"),
        ("a\u00a0b\u2000c\u200ad\u202fe\u205ff\u3000g\th", "a b c d e f g h"),
        ("a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg", "abcdefg"),
        ("a\u2028b\u2029c\u0085d", "a\nb\nc\nd"),
        ("m² m³ m¹", "m2 m3 m1"),
        ("©®™", "(C)(R)TM"),
        ("¼½¾", "1/41/23/4"),
        ("‹a›", "<a>"),
        ("Żółw é €", "Żółw é €"),
    ],
)
def test_punctuation(typographic: str, ascii_text: str) -> None:
    assert punctuation(typographic) == ascii_text
