"""Tells a client's retry of one mail from a mail of its own (DESIGN §3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

# Fields that relays add or change on the way: the retry of a mail may carry other ones.
_TRACE = frozenset(
    b"received return-path delivered-to received-spf authentication-results dkim-signature arc-seal "
    b"arc-message-signature arc-authentication-results".split()
)
# Besides, Postfix gives a local client's mail the moment of each try for a Date, if it has none of its own.
_PER_TRY = _TRACE | {b"date"}


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
    Without one: the whole content, if it carries a Date or a Received field. An MTA may add Message-ID, Date
    and From (Postfix does, at the end of the header, for local clients); a Message-ID that contains
    `mta_queue_id` is the MTA's, and the client's header ends before it.
    """
    own = [(name.lower().encode(), value) for name, value in fields]
    has_message_id = False
    for at, (name, value) in enumerate(own):
        if name == b"message-id":
            if mta_queue_id and mta_queue_id.encode() in value:
                del own[at:]
            else:
                has_message_id = bool(value.strip())
            break
    if has_message_id:
        own = [pair for pair in own if pair[0] not in _PER_TRY]
    elif not any(name in (b"date", b"received") for name, _ in own):
        return None
    digest = hashlib.blake2b(digest_size=16)
    digest.update("\0".join((sender, *sorted(recipients))).encode(errors="surrogateescape"))
    digest.update(b"\0\0" + b"\n".join(name + b":" + value for name, value in own))
    digest.update(b"\0\0" + body)
    return digest.digest()
