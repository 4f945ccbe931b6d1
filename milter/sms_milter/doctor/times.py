"""How MTAs write times."""

from __future__ import annotations

import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(value: str) -> float | None:
    """A time such as 30s, 5m or 300; None for what is none."""
    parts = re.fullmatch(r"(\d+)([smhdw]?)", value.strip())
    return int(parts[1]) * float(_SECONDS[parts[2] or "s"]) if parts else None
