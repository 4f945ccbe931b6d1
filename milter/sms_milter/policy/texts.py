"""What the texts of an account may not say."""

from __future__ import annotations

import re
from collections.abc import Sequence


class DeniedTexts:
    """Words and phrases that no text may hold, whatever their case and the white space between them."""

    def __init__(self, phrases: Sequence[str]) -> None:
        alternatives = [r"\s+".join(map(re.escape, phrase.casefold().split())) for phrase in phrases]
        self._phrases = re.compile("|".join(filter(None, alternatives)))

    def are_in(self, text: str) -> bool:
        """Whether `text` holds any of them."""
        return bool(self._phrases.pattern) and self._phrases.search(text.casefold()) is not None
