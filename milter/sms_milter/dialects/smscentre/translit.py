"""Cyrillic in Latin letters, by sound or by looks (SMSCentre §8)."""

from __future__ import annotations

from functools import lru_cache

# letter, by sound, by looks
_TABLE = """
а a a   б b 6    в v B    г g r    д d g    е e e    ё yo e   ж zh *   з z 3    и i u    й y u
к k K   л l /I   м m M    н n H    о o o    п p n    р r p    с s c    т t m    у u y    ф f qp
х h x   ц c u,   ч ch 4   ш sh w   щ sch w, ъ ' 'b   ы y bI   ь ' b    э e 3    ю yu IO  я ya 9I
і i i   ї yi i   є ye e   ґ g r    ў u y    № N N
"""
_LETTERS = _TABLE.split()
_CAPITALS_BY_LOOKS = dict(zip("АЕКМОСТРХУНВ", "AEKMOCTPXYHB", strict=True))


def _table(column: int) -> dict[int, str]:
    pairs = dict(zip(_LETTERS[::3], _LETTERS[column::3], strict=True))
    capitals = {letter.upper(): written for letter, written in pairs.items()}
    if column == 1:
        capitals = {letter: written[0].upper() + written[1:] for letter, written in capitals.items()}
    else:
        capitals |= _CAPITALS_BY_LOOKS
    return {ord(letter): written for letter, written in (capitals | pairs).items()}


_TABLES = {"1": _table(1), "2": _table(2)}


@lru_cache(maxsize=64)
def table(translit: str, changes: tuple[tuple[str, str], ...] = ()) -> dict[int, str]:
    """For `str.translate`: the table `1` (sound) or `2` (looks) with some letters changed; an empty one else.

    A change of a small letter alone changes its capital too.
    """
    found = _TABLES.get(translit)
    if found is None:
        return {}
    written = dict(changes)
    capitals = {letter.upper(): text[:1].upper() + text[1:] for letter, text in changes}
    return found | {ord(letter): text for letter, text in (capitals | written).items()}


def transliterated(text: str, by: dict[int, str]) -> str:
    """`text` by a table."""
    return text if not by or text.isascii() else text.translate(by)
