"""National language tables: GSM septets for more alphabets, announced in the user data header (ENC §6).

A single-shift table replaces GSM's extension table, a locking-shift table its default table. A phone that
does not know the elements shows wrong letters; hence nobody gets them unasked.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sms_milter.sms import alphabet
from sms_milter.sms.alphabet import ESC, nfc
from sms_milter.sms.national_tables import INDIAN, LOCKING, SINGLE

LANGUAGES = {
    "turkish": 1,
    "spanish": 2,
    "portuguese": 3,
    "bengali": 4,
    "gujarati": 5,
    "hindi": 6,
    "kannada": 7,
    "malayalam": 8,
    "oriya": 9,
    "punjabi": 10,
    "tamil": 11,
    "telugu": 12,
    "urdu": 13,
}
"""Their values in a user data header (3GPP TS 23.038 §6.2.1.2.4)."""

_NAMES = {value: name.capitalize() for name, value in LANGUAGES.items()}
_FIRST_INDIAN = 4
_EURO = 0x65
_SINGLE_SHIFT, _LOCKING_SHIFT = 0x24, 0x25  # 3GPP TS 23.040 §9.2.3.24.15, §9.2.3.24.16
_UNASSIGNED = "\ufffd"
_PIECE = re.compile(rb"\x1b(.?)|([^\x1b]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shift:
    """A pair of tables: 1 to 13 name a language's, 0 is GSM's own."""

    single: int = 0
    locking: int = 0

    @property
    def header(self) -> bytes:
        """The elements of the user data header that announce it."""
        locking = bytes((_LOCKING_SHIFT, 1, self.locking)) if self.locking else b""
        return locking + (bytes((_SINGLE_SHIFT, 1, self.single)) if self.single else b"")

    def __str__(self) -> str:
        if self.single and self.locking:
            return f"{_NAMES[self.locking]} locking and single shift"
        language, kind = (self.locking, "locking") if self.locking else (self.single, "single")
        return f"{_NAMES[language]} {kind} shift" if language else "no shift"

    def encode(self, text: str) -> bytes | None:
        """The septets of `text` in NFC, one per octet; None when a character is in neither table."""
        text = nfc(text)
        for apart, whole in _recomposed(self).items():
            text = text.replace(apart, whole)
        try:
            return codecs.charmap_encode(text, "strict", _octets(self))[0]
        except UnicodeEncodeError:
            return None

    def decode(self, septets: bytes) -> str:
        """What a phone shows for `septets`, as `alphabet.decode` says it; unassigned codes show U+FFFD."""
        default, extension = locking_table(self.locking), single_table(self.single)

        def shown(match: re.Match[bytes]) -> str:
            if match[2]:
                return codecs.charmap_decode(match[2], "replace", default)[0]
            if match[1] in (b"", b"\x1b"):
                return " "
            code = match[1][0]
            return extension.get(code) or (default[code] if code < len(default) else _UNASSIGNED)

        return "".join(map(shown, _PIECE.finditer(septets)))


UNSHIFTED = Shift()


@lru_cache(maxsize=64)
def shifts(languages: Sequence[str]) -> tuple[Shift, ...]:
    """What may be tried for `languages` (keys of LANGUAGES) in their order, each in the order of ENC §6."""
    found = []
    for language in languages:
        value = LANGUAGES[language]
        found.append(Shift(single=value))
        if value in LOCKING:
            found += [Shift(locking=value), Shift(value, value)]
    return tuple(found)


def shift_of(elements: Sequence[tuple[int, bytes]]) -> Shift:
    """The tables that elements of a user data header announce; a language that is none changes nothing."""
    said = {identifier: data[0] for identifier, data in elements if len(data) == 1}
    single, locking = said.get(_SINGLE_SHIFT, 0), said.get(_LOCKING_SHIFT, 0)
    return Shift(single if single in SINGLE else 0, locking if locking in LOCKING else 0)


# --- the tables ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _octets(shift: Shift) -> dict[int, bytes | int]:
    """The septets of each character: its first code in the default table, else behind the escape."""
    octets: dict[int, bytes | int] = {0x00A0: 0x20}  # ENC §2: the no-break space is sent as a space
    for code, character in enumerate(locking_table(shift.locking)):
        if code != ESC and character != _UNASSIGNED:
            octets.setdefault(ord(character), code)
    for code, character in single_table(shift.single).items():
        octets.setdefault(ord(character), bytes((ESC, code)))
    return octets


@lru_cache(maxsize=64)
def _recomposed(shift: Shift) -> dict[str, str]:
    """Letters of India that NFC takes apart although the tables have them whole."""
    return {nfc(chr(point)): chr(point) for point in _octets(shift) if nfc(chr(point)) != chr(point)}


@lru_cache(maxsize=16)
def locking_table(language: int) -> str:
    """The characters of the 128 codes, GSM's own for language 0; U+001B the escape, U+FFFD none."""
    if not language:
        return alphabet.DEFAULT
    points = ["001B" if point == "ESC" else point for point in LOCKING[language].split()]
    characters = [chr(int(point, 16)) for point in points]
    return "".join(
        _UNASSIGNED if character == " " and code != 0x20 else character
        for code, character in enumerate(characters)
    )


@lru_cache(maxsize=16)
def single_table(language: int) -> dict[int, str]:
    """The character of each code behind the escape, GSM's own for language 0."""
    if not language:
        return alphabet.EXTENSION
    table = SINGLE[language]
    latin = {code: chr(code) for code in range(ord("A"), ord("Z") + 1)}
    common = _pairs(INDIAN) | latin if language >= _FIRST_INDIAN else {}
    if language == LANGUAGES["telugu"]:
        del common[_EURO]  # 3GPP TS 23.038 §A.2.12 has none, and a phone that goes by it would show an e
    return common | _pairs(table)


def _pairs(table: str) -> dict[int, str]:
    pairs = (pair.split("=") for pair in table.split())
    return {int(code, 16): chr(int(point, 16)) for code, point in pairs}
