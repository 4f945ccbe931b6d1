"""From octets to text by a declared character set, or by the fallback rule where none is declared.

Only character sets are reachable here: Python knows other codecs (rot13, base64, idna, unicode_escape) by the
same door, and a mail must not open them.
"""

from __future__ import annotations

import codecs
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache

from sms_milter.errors import Rejected
from sms_milter.reply import UNDECODABLE

# UTF-7 is none of them: what it yields need not be Unicode text.
_ALLOWED = """
    ascii utf_8 utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le latin_1 iso8859_2 iso8859_3
    iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_11 iso8859_13
    iso8859_14 iso8859_15 iso8859_16 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    cp437 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869
    cp874 cp932 cp949 cp950 cp1125 koi8_r koi8_u koi8_t kz1048 ptcp154 tis_620 hp_roman8 mac_roman
    mac_cyrillic mac_greek mac_iceland mac_latin2 mac_turkish gb2312 gbk gb18030 hz big5 big5hkscs
    euc_jp euc_jis_2004 euc_jisx0213 shift_jis shift_jis_2004 shift_jisx0213 iso2022_jp iso2022_jp_1
    iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr euc_kr johab
"""
_NAMES = {codec: codec for codec in _ALLOWED.split()} | {
    alias: codec for alias, codec in aliases.items() if codec in _ALLOWED.split()
}
_NAMES |= {"windows_874": "cp874", "iso_8859_8_i": "iso8859_8", "iso_8859_8_e": "iso8859_8"}
# RFC 1428 §3: the label of an MTA that does not know either.
_UNKNOWN = {"unknown_8bit", "x_unknown"}
_UNDECLARED = "undeclared"
_LONGEST_NAME = 40  # octets

_BYTE_ORDER = {
    "utf_16": ((codecs.BOM_UTF16_LE, "utf_16_le"), (codecs.BOM_UTF16_BE, "utf_16_be")),
    "utf_32": ((codecs.BOM_UTF32_LE, "utf_32_le"), (codecs.BOM_UTF32_BE, "utf_32_be")),
}


def load_codecs() -> None:
    """Load every codec now. Python loads them late, when the service may not read Python's files any more."""
    for codec in _ALLOWED.split():
        codecs.lookup(codec)


def decode(octets: bytes, charset: str) -> str:
    """The text of `octets` in `charset` as declared; without its byte order mark.

    "", and US-ASCII with 8-bit octets, mean UTF-8 if valid, else ISO-8859-1. UTF-16 and UTF-32 without a mark
    are big-endian (RFC 2781 §4.3). Raises Rejected for an unknown charset and for octets that mean nothing.
    """
    codec = canonical(charset)
    if codec is None:
        raise Rejected(UNDECODABLE, f"unknown character set {charset[:_LONGEST_NAME]!a}")
    if codec == _UNDECLARED or codec == "ascii":
        return guess(octets)
    if codec in _BYTE_ORDER:
        codec = next((c for mark, c in _BYTE_ORDER[codec] if octets.startswith(mark)), f"{codec}_be")
    try:
        text = octets.decode(codec)
    except ValueError as error:
        raise Rejected(UNDECODABLE, f"octets that are not {codec}") from error
    return text.removeprefix("\ufeff") if codec.startswith("utf_") else text


def guess(octets: bytes) -> str:
    """The text of octets without a declared character set: UTF-8 if valid, else ISO-8859-1 (HSL §4.2)."""
    try:
        return octets.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def canonical(charset: str) -> str | None:
    """Python's name of the codec behind a declared charset; "undeclared" for "", None when unknown."""
    return _canonical(charset) if len(charset) <= _LONGEST_NAME else None


@lru_cache(maxsize=512)
def _canonical(charset: str) -> str | None:
    name = normalize_encoding(charset.strip()).lower()
    if not name or name in _UNKNOWN:
        return _UNDECLARED
    return _NAMES.get(name)


def is_latin1(charset: str) -> bool:
    """Whether a declared charset is US-ASCII or ISO-8859-1 by any of their names, or none is declared."""
    return canonical(charset) in {"ascii", "latin_1", _UNDECLARED}
