"""Tells identical requests from different ones, for the protection against duplicates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sms_milter.model import NewMessage, SmsRequest


def identity(request: SmsRequest, messages: Iterable[NewMessage]) -> bytes:
    """The digest of what identical requests have in common: the request as it was written, where that counts
    (SMSCentre §12.1), else the same SMS for the same numbers. b"" for one that may be repeated.
    """
    if request.repeatable:
        return b""
    digest = hashlib.blake2b(request.written, digest_size=16)
    if not request.written:
        for message in messages:
            for part in message.parts:
                digest.update(len(part.body).to_bytes(4, "big") + part.body)
    return digest.digest()
