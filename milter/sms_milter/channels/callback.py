"""What a web service tells of an errand that it took: a JSON object, read as a receipt."""

from __future__ import annotations

import json
from datetime import datetime

from sms_milter.channels.errand import id_of, outlet_name
from sms_milter.model import PartState, ReceiptNews

_LONGEST_ERROR = 40  # characters
_CLOCKS_DIFFER_SECONDS = 86400

# In the words of receipts, so that whoever tells the sender needs no others (SMPP 3.4 Appendix B).
_MEANING = {
    "delivered": (PartState.DELIVERED, "DELIVRD"),
    "failed": (PartState.FAILED, "UNDELIV"),
    "expired": (PartState.EXPIRED, "EXPIRED"),
    "pending": (None, "ENROUTE"),
}


def read(octets: bytes, channel: str, now: float) -> ReceiptNews:
    """What was posted for `channel`. Raises ValueError, which says what was expected."""
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        raise ValueError("expected a JSON object") from None
    if not isinstance(said, dict):
        raise ValueError("expected a JSON object")
    name = id_of(said.get("id"))
    if not name:
        raise ValueError("expected `id`: what your answer called it, or else our id")
    status = said.get("status")
    if not isinstance(status, str) or status not in _MEANING:
        raise ValueError(f"expected `status`: {', '.join(_MEANING)}")
    state, stat = _MEANING[status]
    return ReceiptNews(
        smsc=outlet_name(channel),
        smsc_message_id=name,
        smsc_key=name,
        source="",
        stat=stat,
        error=str(said.get("error") or "")[:_LONGEST_ERROR],
        state=state,
        done_at=_moment(said.get("at"), now),
        at=now,
    )


def _moment(written: object, now: float) -> float | None:
    """`at`: ISO 8601 with its offset, None when it was not said."""
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(str(written))
        if moment.tzinfo is None or not 0 <= moment.timestamp() <= now + _CLOCKS_DIFFER_SECONDS:
            raise ValueError
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise ValueError("expected `at` as 2026-11-22T08:00:00Z") from None
