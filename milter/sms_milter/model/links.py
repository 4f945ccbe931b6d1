"""The links to the SMSCs, as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class LinkState(Enum):
    """What an SMPP link is doing."""

    DOWN = "down"
    CONNECTING = "connecting"
    BINDING = "binding"
    BOUND = "bound"
    UNBINDING = "unbinding"


UNHEARD = "unknown"  # what is shown in place of a state that a dispatcher told of which is gone


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One bind as `sms-milter status` shows it."""

    smsc: str
    bind: str
    state: LinkState
    since: float
    window_used: int
    window: int
    submitted: int
    accepted: int
    refused: int
    uncertain: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class SmscLoad:
    """How fast an SMSC is sent to, and what keeps it from going faster, as `sms-milter status` shows it.

    Rates are parts per second, 0 for unlimited; `advice` says what changing the limit would give.
    """

    smsc: str
    limited_by: str
    advice: str
    sent_per_second: float
    rate: float
    contract_rate: float
    window: int
    window_used: int
    response_p95_ms: float | None
    throttled_at: float | None
