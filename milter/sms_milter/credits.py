"""Credits: what an account has paid for, and what messages cost; counted in thousandths, so that sums are
exact.
"""

from __future__ import annotations

from decimal import Decimal

_SCALE = 1000


def thousandths(credits: Decimal) -> int:
    """Of credits with three decimals at most, as settings have them."""
    return int(credits * _SCALE)


def credits_of(thousandths: int) -> Decimal:
    """As many credits."""
    return Decimal(thousandths) / _SCALE


def written(credits: Decimal) -> str:
    """Without zeros at the end: 2, 0.25, 2321.21 (ASPSMS §11.3)."""
    plain = f"{credits:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
