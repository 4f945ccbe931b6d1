"""How a log line is written, in Postfix's manner: `QUEUEID: key=value, …, status=word (why)`.

The MTA's queue id stands first, so that `grep QUEUEID` tells the whole story of a mail. Whatever comes from
outside is made printable and short. Texts and passwords never come here.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Collection

_LIMIT = 200
_SHOWN_OF_SECRET = 3  # characters
_PRINTABLE = dict.fromkeys((*range(32), *range(127, 160)), "?")


def clean(value: object) -> str:
    """`value` as printable ASCII of at most 200 characters; a mail can put anything into an address."""
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_PRINTABLE).encode("ascii", "replace").decode()
    return text if len(text) <= _LIMIT else text[: _LIMIT - 3] + "..."


def line(mta_queue_id: str, /, **pairs: object) -> str:
    """One event; `from_` is written `from`, which Python keeps for itself."""
    body = ", ".join([f"{'from' if name == 'from_' else name}={value}" for name, value in pairs.items()])
    return f"{clean(mta_queue_id) or 'NOQUEUE'}: {body}"


def place() -> str:
    """The exception in hand and where it arose; never its text, which may quote the mail."""
    kind, _, trace = sys.exc_info()
    frames = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(trace)]
    return f"{kind.__name__ if kind else '?'} at {' > '.join(frames[-4:])}"


class Numbers:
    """Writes phone numbers into log lines, whole or masked (setting `log.mask_numbers`)."""

    def __init__(self, *, masked: bool) -> None:
        self._masked = masked

    def shown(self, number: str) -> str:
        """`number` for the log: +447973***00 when masked. Shorter ones keep their last two digits only."""
        if not self._masked:
            return clean(number)
        kept = number[:4] if len(number) > 8 else ""
        return f"{kept}{'*' * max(len(number) - len(kept) - 2, 1)}{number[-2:]}"

    def address(self, local: str, domain: str) -> str:
        """An SMS address for the log; its local part is a phone number."""
        return f"<{self.shown(local)}@{clean(domain)}>"


class Senders:
    """Writes mail addresses into log lines; those that prove who sends only in part (ASPSMS §7.2)."""

    def __init__(self, secret: Collection[str] = ()) -> None:
        """`secret` are addresses in lower case."""
        self._secret = secret

    def shown(self, address: str) -> str:
        """`address` for the log in brackets: <c4c***@client.example> if it is secret."""
        if address.lower() in self._secret:
            local, _, domain = address.rpartition("@")
            address = f"{local[:_SHOWN_OF_SECRET]}***@{domain}"
        return f"<{clean(address)}>"
