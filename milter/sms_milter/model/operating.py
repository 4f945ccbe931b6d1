"""What operators do to what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sms_milter.model.sending import LeasedPart, PartState

# When a part that an operator holds falls due: the end of the calendar, so that it still expires in its time.
HELD_UNTIL = 253_402_300_799.0


class Deed(StrEnum):
    """What an operator does to parts that are not on the wire."""

    RETRY = "retry"  # now, what waits for its next try; again, what has failed, expired or is in doubt
    CANCEL = "cancel"  # what the SMSC does not have is never sent
    HOLD = "hold"  # not sent until released; the validity runs on
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which parts an operator means: all of these conditions hold, and "" is none."""

    name: str = ""  # a mail's queue id, ours or the MTA's
    account: str = ""
    smsc: str = ""
    destination: str = ""  # its first digits
    state: PartState | None = None
    message_id: int | None = None  # one message, as `find_messages` tells


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed has changed, and after which part id to go on; None: that was all.

    `asked` are parts that the SMSC has: it will be asked to cancel them.
    """

    parts: Sequence[LeasedPart]
    after: int | None
    asked: Sequence[LeasedPart] = ()


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A part that its SMSC, which calls it `smsc_message_id`, is to be asked to cancel."""

    part: LeasedPart
    smsc_message_id: str
