"""What each SMSC bears now: when its next part falls due, and how long it wants to be left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from sms_milter.config.schema import Smsc
from sms_milter.dispatch.health import Health
from sms_milter.dispatch.load import Limit, Load
from sms_milter.dispatch.pace import Pace
from sms_milter.model import LeasedPart, WaitingMessage
from sms_milter.smpp import status
from sms_milter.smpp.codec import times_of, with_times
from sms_milter.sms.terms import SmscTraits, features_of, traits_of
from sms_milter.sms.times import NOTICED_SECONDS, retold


@dataclass(slots=True)
class Lane:
    """What we know of one SMSC between turns."""

    settings: Smsc
    ours: bool = True  # a bind of it is; otherwise other dispatchers have all
    due: float = 0.0  # when the next part falls due; 0: look now
    served: str = ""  # the account that had the last slot
    backlog: bool = False  # the last lease filled all free slots: there is more
    look: bool = False  # it did not: find out when the next part falls due
    health: Health = field(default_factory=Health)
    pace: Pace = field(init=False)
    load: Load = field(default_factory=Load)
    traits: SmscTraits = field(init=False)
    statuses: dict[int, status.Status] = field(init=False)
    form: str = field(init=False)  # what its bodies must be composed for
    features: int = field(init=False)  # of `Feature`

    def __post_init__(self) -> None:
        self.statuses = status.overridden(self.settings.statuses)
        self.pace = Pace(self.settings.rate)
        self.traits = traits_of(self.settings)
        self.form = self.traits.form
        self.features = features_of(self.settings)

    @property
    def usable(self) -> bool:
        """Whether parts can go there at all, for all that we know."""
        return not self.health.why

    def carries(self, message: WaitingMessage) -> bool:
        """Whether the SMSC can do what the message needs."""
        return not message.features & ~self.features

    def room(self, now: float) -> float:
        """How many parts may go now."""
        return 0.0 if now < self.due else self.pace.allowance(now)

    def opens_at(self, now: float) -> float | None:
        """When a part may go if none may now; None if one may."""
        at = max(self.due, self.pace.opens_at(now))
        return at if at > now else None

    def body(self, part: LeasedPart, now: float) -> bytes:
        """The submit_sm of a part without its header, as it leaves now."""
        form = self.settings.time_format
        if form == "relative" and now - part.received_at < NOTICED_SECONDS:
            return part.body
        times = times_of(part.body)
        if times == ("", ""):
            return part.body
        told = retold(*times, form, received_at=part.received_at, expires_at=part.expires_at, now=now)
        return with_times(part.body, *told)

    def meaning(self, command_status: int) -> status.Status:
        """What a command_status means at this SMSC."""
        return self.statuses.get(command_status) or status.classify(command_status)

    def limit(self, now: float, *, bound: bool, slots: int) -> Limit:
        """What holds back the next part now; `slots` are free in the windows of its binds."""
        if not bound:
            return Limit.BIND
        if now < self.pace.paused_until:
            return Limit.THROTTLING
        if now < self.due:
            return Limit.QUEUE
        if self.pace.allowance(now) < 1:
            return Limit.THROTTLING if self.pace.slowed else Limit.RATE
        return Limit.OURSELVES if slots else Limit.WINDOW

    def taken(self, now: float) -> None:
        """The SMSC took a part."""
        self.pace.accepted()
        self.health.answered(True, now)

    def again_at(self, kind: status.Class, part: LeasedPart, now: float) -> float:
        """When a part that was refused for now goes again; a throttled SMSC is left alone as a whole."""
        again = now + status.retry_delay(part.attempts)
        if kind is status.Class.THROTTLED:
            again = self.pace.throttled(now)
        elif kind is status.Class.LINK:
            again = now
        self.due = min(self.due, again)
        return again
