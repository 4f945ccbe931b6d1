"""An errand as octets: what the queue keeps of it, and the JSON object that a web service gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sms_milter.model import ComposedPart, Errand, LeasedPart

_OUTLET = "channel:"  # no SMSC's name has a colon


def outlet_name(channel: str) -> str:
    """What stands in the place of an SMSC's name where the channel has an outlet of its own."""
    return f"{_OUTLET}{channel}"


def compose(errand: Errand, account: str) -> ComposedPart:
    """The errand as the queue keeps it, with the account that it counts for."""
    kept = {**shown(errand), "account": account}
    return ComposedPart(json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace"))


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


@dataclass(frozen=True, slots=True)
class Kept:
    """An errand as it was read from the queue; `as_given` are all its plain values."""

    errand: Errand
    as_given: Mapping[str, Any]


def read(octets: bytes) -> Kept:
    """What `compose` wrote. Raises ValueError when it did not."""
    try:
        given = json.loads(octets)
        errand = Errand(
            given["channel"],
            given["destination"],
            given["originator"],
            given["text"],
            tuple(given["fields"].items()),
            given["reference"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("no errand") from error
    return Kept(errand, given)


def identity(part: LeasedPart) -> str:
    """Our id of a part for a web service: the same at every try, and never again another's, even after the
    queue was made anew.
    """
    return f"{part.part_id}-{int(part.received_at * 1000):x}"
