"""What each SMSC bears now: when its next part falls due, and how long it wants to be left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from sms_milter.config.schema import Smsc
from sms_milter.dispatch.health import Health
from sms_milter.model import LeasedPart
from sms_milter.smpp import status
from sms_milter.sms.terms import SmscTraits, traits_of

_THROTTLE_SECONDS = (1.0, 30.0)  # first and longest pause after 0x58 or 0x14


@dataclass(slots=True)
class Lane:
    """What we know of one SMSC between turns."""

    settings: Smsc
    due: float = 0.0  # when the next part falls due; 0: look now
    paused_until: float = 0.0
    pause: float = 0.0
    served: str = ""  # the account that had the last slot
    backlog: bool = False  # the last lease filled all free slots: there is more
    look: bool = False  # it did not: find out when the next part falls due
    health: Health = field(default_factory=Health)
    traits: SmscTraits = field(init=False)
    form: str = field(init=False)  # what its bodies must be composed for

    def __post_init__(self) -> None:
        self.traits = traits_of(self.settings)
        self.form = self.traits.form

    @property
    def usable(self) -> bool:
        """Whether parts can go there at all."""
        return not self.health.why

    def open(self, now: float) -> bool:
        """Whether a part may go now."""
        return now >= self.paused_until and now >= self.due

    def opens_at(self, now: float) -> float | None:
        """When a part may go if none may now; None if one may."""
        if self.paused_until > now:
            return self.paused_until
        return self.due if self.due > now else None

    def taken(self, now: float) -> None:
        """The SMSC took a part: it does not feel crowded any more."""
        self.pause = 0.0
        self.health.answered(True, now)

    def again_at(self, kind: status.Class, part: LeasedPart, now: float) -> float:
        """When a part that was refused for now goes again; a throttled SMSC gets a pause as a whole."""
        again = now + status.retry_delay(part.attempts)
        if kind is status.Class.THROTTLED:
            if now >= self.paused_until:
                self.pause = min(self.pause * 2 or _THROTTLE_SECONDS[0], _THROTTLE_SECONDS[1])
                self.paused_until = now + self.pause
            again = self.paused_until
        elif kind is status.Class.LINK:
            again = now
        self.due = min(self.due, again)
        return again
