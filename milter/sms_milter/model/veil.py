"""What a repr may show."""

from __future__ import annotations

from typing import Any


def veiled(value: Any, *secret: str) -> str:
    """The repr of a named tuple; of its `secret` fields, only whether they hold anything: logs show reprs."""
    pairs = zip(value._fields, value, strict=True)
    fields = [f"{name}={'...' if name in secret and one else repr(one)}" for name, one in pairs]
    return f"{type(value).__name__}({', '.join(fields)})"
