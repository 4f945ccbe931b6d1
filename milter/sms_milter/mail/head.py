"""The header of a mail as a report repeats it (RFC 6522 §4)."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST = 16 * 1024  # octets; whole fields beyond it are left out
# What is sent stands in these fields, and in some interfaces a password: a report repeats neither.
# Outlook copies the subject into Thread-Topic.
_CONTENT = ("subject", "thread-topic", "x-smpp-")


def header_block(fields: Sequence[tuple[str, bytes]]) -> bytes:
    """The fields in lines that end in LF, folds kept, without those that carry the SMS itself."""
    block: list[bytes] = []
    size = 0
    for name, value in fields:
        if name.lower().startswith(_CONTENT):
            continue
        field = name.encode("latin-1", "replace") + b": " + _folded(value) + b"\n"
        size += len(field)
        if size > _LONGEST:
            break
        block.append(field)
    return b"".join(block)


def _folded(value: bytes) -> bytes:
    """`value` without NUL and bare CR; each line after the first begins with white space, none is empty."""
    first, *more = value.replace(b"\0", b"").replace(b"\r", b"").split(b"\n")
    lines = [line if line[:1] in (b" ", b"\t") else b" " + line for line in more if line.strip()]
    return b"\n".join([first, *lines])
