"""Faults on request: the last four digits of a destination say what becomes of its submit_sm.

…0901  refuse: invalid destination (0x0B)
…0902  throttle twice (0x58), then accept
…0903  system error once (0x08), then accept
…0904  never answer; not taken
…0905  close the connection instead of an answer, not taken; accept the repeat
…0906  answer after 3 seconds
…0907  receipt UNDELIV
…0908  receipt before the response
…0909  receipt EXPIRED
…0910  no receipt
…0911  the id is decimal in the receipt, hex in the response
…0912  accept with an empty message id
…0913  generic_nack (0x08)
…0914  half a response, then nothing on this connection; accept the repeat
…0915  unbind instead of an answer, not taken; accept the repeat
…0916  take it, close the connection before the answer; accept the repeat
…0917  the receipt comes twice
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sms_milter.simulate.wire import Status


class Act(Enum):
    """What follows a submit_sm."""

    ACCEPT = auto()
    REFUSE = auto()
    SILENCE = auto()
    CLOSE = auto()
    NACK = auto()
    STALL = auto()
    UNBIND = auto()
    TAKE_AND_CLOSE = auto()


class Receipts(Enum):
    """When the receipt comes."""

    AFTER = auto()
    BEFORE = auto()
    TWICE = auto()
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Script:
    """One row of the table; `act` holds for the first `times` tries of the same submit_sm, 0: for all."""

    says: str
    act: Act = Act.ACCEPT
    times: int = 0
    status: int = 0
    delay_seconds: float = 0.0
    receipt: Receipts = Receipts.AFTER
    stat: str = "DELIVRD"
    decimal_receipt: bool = False
    without_id: bool = False


PLAIN = Script("accept")

SCRIPTS = {
    "0901": Script("refuse: invalid destination (0x0B)", Act.REFUSE, status=Status.DESTINATION),
    "0902": Script("throttle twice (0x58), then accept", Act.REFUSE, 2, Status.THROTTLED),
    "0903": Script("system error once (0x08), then accept", Act.REFUSE, 1, Status.SYSTEM_ERROR),
    "0904": Script("never answer; not taken", Act.SILENCE),
    "0905": Script("close the connection instead of an answer, not taken; accept the repeat", Act.CLOSE, 1),
    "0906": Script("answer after 3 seconds", delay_seconds=3.0),
    "0907": Script("receipt UNDELIV", stat="UNDELIV"),
    "0908": Script("receipt before the response", receipt=Receipts.BEFORE),
    "0909": Script("receipt EXPIRED", stat="EXPIRED"),
    "0910": Script("no receipt", receipt=Receipts.NEVER),
    "0911": Script("the id is decimal in the receipt, hex in the response", decimal_receipt=True),
    "0912": Script("accept with an empty message id", without_id=True, receipt=Receipts.NEVER),
    "0913": Script("generic_nack (0x08)", Act.NACK, status=Status.SYSTEM_ERROR),
    "0914": Script("half a response, then nothing on this connection; accept the repeat", Act.STALL, 1),
    "0915": Script("unbind instead of an answer, not taken; accept the repeat", Act.UNBIND, 1),
    "0916": Script(
        "take it, close the connection before the answer; accept the repeat", Act.TAKE_AND_CLOSE, 1
    ),
    "0917": Script("the receipt comes twice", receipt=Receipts.TWICE),
}

TABLE = "\n".join(f"…{digits}  {script.says}" for digits, script in SCRIPTS.items())


class Faults:
    """Chooses the script for each submit_sm and counts its tries."""

    def __init__(self) -> None:
        self._tries: dict[bytes, int] = {}

    def script_for(self, destination: str, body: bytes) -> Script:
        """What to do with this try; tries of the same `body` count together until it is accepted."""
        script = SCRIPTS.get(destination[-4:], PLAIN)
        if not script.times:
            return script
        tries = self._tries.get(body, 0)
        if tries < script.times:
            self._tries[body] = tries + 1
            return script
        self._tries.pop(body, None)
        return PLAIN
