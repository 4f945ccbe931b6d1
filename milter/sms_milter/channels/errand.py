"""An errand as octets, which is what the queue keeps of it; names of outlets and ids of ours."""

from __future__ import annotations

import json
from typing import Any

from sms_milter.model import ComposedPart, Errand, LeasedPart

_OUTLET = "channel:"  # no SMSC's name has a colon
_LONGEST_ID = 100  # characters


def outlet_name(channel: str) -> str:
    """What stands in the place of an SMSC's name where the channel has an outlet of its own."""
    return f"{_OUTLET}{channel}"


def channel_of(outlet: str) -> str:
    """The channel whose outlet has that name; "" for an SMSC's."""
    return outlet.removeprefix(_OUTLET) if outlet.startswith(_OUTLET) else ""


def compose(errand: Errand) -> ComposedPart:
    """The errand as the queue keeps it."""
    return ComposedPart(json.dumps(shown(errand), ensure_ascii=False).encode("utf-8", "replace"))


def shown(errand: Errand) -> dict[str, Any]:
    """The errand as plain values."""
    return {
        "channel": errand.channel,
        "destination": errand.destination,
        "originator": errand.originator,
        "text": errand.text,
        "fields": dict(errand.fields),
        "reference": errand.reference,
    }


def read(octets: bytes) -> Errand:
    """What `compose` wrote. Raises ValueError when it did not."""
    try:
        given = json.loads(octets)
        return Errand(
            given["channel"],
            given["destination"],
            given["originator"],
            given["text"],
            tuple(given["fields"].items()),
            given["reference"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("no errand") from error


def identity(part: LeasedPart) -> str:
    """Our id of a part for a web service: the same at every try, and never again another's, even after the
    queue was made anew.
    """
    return f"{part.part_id}-{int(part.received_at * 1000):x}"


def id_of(value: object) -> str:
    """An id of a web service as text: of a string or a whole number; "" for anything else."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isprintable() and len(text) <= _LONGEST_ID else ""
