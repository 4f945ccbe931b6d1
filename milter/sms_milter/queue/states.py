"""The states of a part as numbers in a database."""

from __future__ import annotations

from sms_milter.model import PartState

# The place in this tuple is the number.
STATES = (
    PartState.QUEUED,
    PartState.SUBMITTING,
    PartState.ACCEPTED,
    PartState.UNCERTAIN,
    PartState.DELIVERED,
    PartState.FAILED,
    PartState.EXPIRED,
)
NUMBER_OF = {state: number for number, state in enumerate(STATES)}
