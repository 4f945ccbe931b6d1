"""The GSM 03.38 alphabet: what it can show, in which septets, and how it writes typographic punctuation.

Septets stand unpacked, one in each octet, as `short_message` carries them (ENC §1). Knows nothing of lengths.
"""

from __future__ import annotations

import codecs
import re
from unicodedata import normalize

ESC = 0x1B

# GSM 03.38 §6.2.1, in rows of 16 codes. Code 1B is the escape and no character; it stands for itself here.
DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# GSM 03.38 §6.2.1.1: the code after the escape. 0D and 1B are reserved there.
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_OCTETS: dict[int, bytes | int | None] = {ord(c): code for code, c in enumerate(DEFAULT) if code != ESC}
_OCTETS |= {ord(c): bytes((ESC, code)) for code, c in EXTENSION.items()}
_OCTETS[0x00A0] = 0x20  # ENC §2: the no-break space is sent as a space

# ASCII characters that have one septet are translated by a table, which is an order of magnitude faster.
_ASCII_DIRECT = bytes(c for c in range(0x80) if isinstance(_OCTETS.get(c), int))
_ASCII_TABLE = bytes.maketrans(_ASCII_DIRECT, bytes(DEFAULT.index(chr(c)) for c in _ASCII_DIRECT))

_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)
_AFTER_ESC = {DEFAULT[code]: c for code, c in EXTENSION.items()} | {"\x1b": " ", "": " "}


def nfc(text: str) -> str:
    """`text` in Unicode normal form C, so that a letter with its accent is one character (ENC §3.1)."""
    return text if text.isascii() else normalize("NFC", text)


def encode(text: str) -> bytes | None:
    """The septets of `text` in NFC, one per octet; None when a character is in neither table (ENC §2)."""
    if text.isascii():
        octets = text.encode("ascii")
        if not octets.translate(None, _ASCII_DIRECT):
            return octets.translate(_ASCII_TABLE)
    try:
        return codecs.charmap_encode(nfc(text), "strict", _OCTETS)[0]
    except UnicodeEncodeError:
        return None


def decode(septets: bytes) -> str:
    """What a phone shows for `septets`, one per octet (ENC §2).

    An escape before an undefined code shows the default table's character; before another escape, or at the
    end, it shows a space. Octets above 7F are no septets and show U+FFFD.
    """
    text = codecs.charmap_decode(septets, "replace", DEFAULT)[0]
    return _ESCAPED.sub(_extension_character, text) if "\x1b" in text else text


def _extension_character(match: re.Match[str]) -> str:
    return _AFTER_ESC.get(match[1], match[1])


# --- punctuation --------------------------------------------------------------------------------------------

_PUNCTUATION: dict[int, str] = {}
for _characters, _written in (
    ("\u2018\u2019\u201a\u201b\u2032\u0060\u00b4", "'"),
    ("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    ("\u2026", "..."),
    ("\u2022\u00b7", "*"),
    ("\u00a0\u202f\u205f\u3000\t" + "".join(map(chr, range(0x2000, 0x200B))), " "),
    ("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    ("\u2028\u2029\u0085", "\n"),
    ("\u00b2", "2"),
    ("\u00b3", "3"),
    ("\u00b9", "1"),
    ("\u00a9", "(C)"),
    ("\u00ae", "(R)"),
    ("\u2122", "TM"),
    ("\u00bc", "1/4"),
    ("\u00bd", "1/2"),
    ("\u00be", "3/4"),
    ("\u2039", "<"),
    ("\u203a", ">"),
):
    _PUNCTUATION |= dict.fromkeys(map(ord, _characters), _written)


def punctuation(text: str) -> str:
    """`text` with typographic punctuation, spaces and signs written in ASCII (ENC §3.3); letters stay."""
    return text.translate(_PUNCTUATION)
