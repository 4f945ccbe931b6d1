"""Tells a client's retry of one mail from a mail of its own (DESIGN §3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

# Fields that milters before us add at each try, with the time in them (OpenDKIM does).
_OF_MILTERS = frozenset(
    (
        *("received-spf", "authentication-results", "dkim-signature"),
        *("arc-seal", "arc-message-signature", "arc-authentication-results"),
    )
)
# Fields that relays add or change on the way: the retry of a mail may carry other ones.
_TRACE = _OF_MILTERS | {"received", "return-path", "delivered-to"}
# Besides, Postfix gives a local client's mail the moment of each try for a Date, if it has none of its own.
_PER_TRY = _TRACE | {"date"}


def fingerprint(
    fields: Sequence[tuple[str, bytes]],
    body: bytes,
    *,
    sender: str,
    recipients: Iterable[str],
    mta_queue_id: str,
) -> bytes | None:
    """The digest by which a retry of this mail is known, or None when it is never to be taken for one.

    With a Message-ID of the client's: envelope, content and Message-ID, trace fields and Date left out.
    Without one: the whole content without the fields of milters, if it carries a Date or a Received field.
    An MTA may add Message-ID, Date and From (Postfix does, at the end of the header, for local clients); a
    Message-ID that contains `mta_queue_id` is the MTA's, and the client's header ends before it.
    """
    names = [name.lower() for name, _ in fields]
    values = [value for _, value in fields]
    has_message_id = False
    if "message-id" in names:
        at = names.index("message-id")
        if mta_queue_id and mta_queue_id.encode() in values[at]:
            del names[at:], values[at:]
        else:
            has_message_id = bool(values[at].strip())
    if not (has_message_id or "date" in names or "received" in names):
        return None
    passing = _PER_TRY if has_message_id else _OF_MILTERS
    if not passing.isdisjoint(names):
        lasting = [at for at, name in enumerate(names) if name not in passing]
        names, values = [names[at] for at in lasting], [values[at] for at in lasting]
    words = "\0".join((sender, *sorted(recipients), "", *names))
    octets = b"\0".join((words.encode(errors="surrogateescape"), *values, body))
    return hashlib.blake2b(octets, digest_size=16).digest()
