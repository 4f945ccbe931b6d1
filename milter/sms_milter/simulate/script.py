"""What the simulated SMSC is told to do: how it behaves as a whole, and what becomes of which submit_sm.

`sms-milter simulate --script FILE` reads `Options` from YAML; the defaults are those of an SMSC without
faults.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator

from sms_milter.config.schema import Section, setting
from sms_milter.config.values import AsciiText, Expects
from sms_milter.simulate.phone import ASCII, GSM, LATIN1

_DELAY = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)", re.ASCII)
_DELAY_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _parse_delay(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = _DELAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return int(found[1]) * _DELAY_UNITS[found[2]]


def _whole(most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"0x[0-9A-Fa-f]{1,8}|[0-9]{1,10}", value, re.ASCII):
            value = int(value, 0) if value.startswith("0x") else int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return int(value)
        raise ValueError

    return parse


Delay = Annotated[float, BeforeValidator(_parse_delay), Expects("a time such as 40ms, 3s or 2d")]
Code = Annotated[int, BeforeValidator(_whole(0xFFFFFFFF)), Expects("a command_status such as 0x58 or 88")]
Octet = Annotated[int, BeforeValidator(_whole(0xFF)), Expects("a number from 0 to 255, such as 64 or 0x40")]
Count = Annotated[int, BeforeValidator(_whole(1_000_000_000)), Expects("a whole number")]
Percent = Annotated[int, BeforeValidator(_whole(100)), Expects("a whole number from 0 to 100")]
Stat = Literal[
    "ENROUTE", "BUFFRED", "ACCEPTD", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "UNKNOWN", "REJECTD"
]
IdForm = Literal["hex", "decimal", "padded", "uuid", "constant", "empty"]
OddTlvs = Literal["proper", "none", "state", "no-nul", "vendor", "wrong-length"]


class Act(StrEnum):
    """What follows a submit_sm."""

    ACCEPT = "accept"
    REFUSE = "refuse"  # with `status`
    SILENCE = "silence"  # no answer, not taken
    LOSE = "lose"  # taken, and no answer
    CLOSE = "close"  # the connection; not taken
    TAKE_AND_CLOSE = "take-and-close"
    CUT = "cut"  # taken; half an answer, then the connection is closed
    STALL = "stall"  # half an answer, then nothing on this connection; not taken
    NACK = "nack"  # generic_nack with `status`
    UNBIND = "unbind"  # asked for instead of an answer; not taken
    OUTBIND = "outbind"  # sent in front of the answer
    UNKNOWN = "unknown"  # a request with a command id that nobody knows, in front of the answer


class ReceiptRule(Section):
    """The receipt of an accepted submit_sm that asks for one."""

    when: Literal["after", "before", "never"] = setting("after", doc="Than the response.")
    delay: Delay = setting("0s", doc="Until it is sent, beside receipt_delay.")
    times: Count = setting(1, doc="How often it is sent.")
    interim: tuple[Stat, ...] = setting((), doc="Told on the way, before the end.")
    stat: Stat = setting("DELIVRD", doc="The end.")
    error: AsciiText | None = setting(None, doc="err:, such as 21b; by default 000 or 001.")
    id: Literal["same", "hex", "decimal", "padded"] = setting("same", doc="Its form in the receipt.")
    tlvs: OddTlvs = setting("proper", doc="state: only message_state; others are wrong on purpose.")
    carrier: Literal["deliver_sm", "data_sm"] = setting("deliver_sm", doc="The PDU.")
    place: Literal["short_message", "message_payload"] = setting("short_message", doc="Of the text.")
    dates: Literal["10", "12", "14"] = setting(
        "10", doc="Digits: to the minute, with seconds, with the century."
    )
    dated: Delay = setting("0s", doc="How much later than now it says that it was done.")
    esm_class: Octet = setting(0x04, doc="Of the deliver_sm.")
    parts: Literal["all", "first", "last"] = setting("all", doc="Which parts of a long message get one.")


_PLAIN_RECEIPT = ReceiptRule()


class Rule(Section):
    """What becomes of a submit_sm; the first rule that fits it counts."""

    to: AsciiText = setting("*", doc="Destinations: * stands for any digits.")
    share: Percent = setting(100, doc="Of these, in percent; which ones hangs on the seed.")
    times: Count = setting(0, doc="Only the first tries of the same submit_sm; 0: all.")
    act: Annotated[Act, Expects(f"one of {', '.join(Act)}")] = setting(Act.ACCEPT, doc="What the SMSC does.")
    status: Code = setting(0, doc="With refuse and nack.")
    delay: Delay = setting("0s", doc="Until the response, beside response_delay.")
    jitter: Delay = setting("0s", doc="Up to so much more, so that responses come out of order.")
    twice: bool = setting(False, doc="The response comes twice.")
    id: IdForm = setting("hex", doc="Form of the message id in the response.")
    tlvs: Literal["none", "vendor", "no-nul", "wrong-length"] = setting("none", doc="In the response.")
    receipt: ReceiptRule = setting(_PLAIN_RECEIPT, doc="The receipt, where one is asked for.")


class BindRefusal(Section):
    """Binds that are refused; each rule holds until it is used up, then the next one does."""

    status: Code = setting("0x0D", doc="0x05, 0x0D, 0x0E or another.")
    times: Count = setting(1, at_least=1, doc="So many binds; ignored with lasting.")
    lasting: Delay = setting("0s", doc="All binds for so long after the first of them.")


class MobileRule(Section):
    """A message from a phone (MO), sent once the first receiver is bound."""

    after: Delay = setting("0s", doc="So long after that bind.")
    source: AsciiText = setting("447973100000", doc="The phone.")
    to: AsciiText = setting("447700900000", doc="The number it writes to.")
    text: str = setting("Hello", doc="In GSM 03.38 where that can show it, else in UCS-2.")
    parts: Count = setting(1, doc="Into so many it is cut.", at_least=1, at_most=255)
    joined_by: Literal["udh8", "udh16", "sar"] = setting("udh8", doc="How the parts name each other.")
    order: tuple[Count, ...] = setting((), doc="Part numbers in the order of sending; [] is theirs.")
    missing: tuple[Count, ...] = setting((), doc="Part numbers that are never sent.")


class Options(Section):
    """How the whole SMSC behaves."""

    system_id: AsciiText | None = setting(None, doc="Take binds of this system_id only.")
    password: AsciiText | None = setting(None, doc="Take binds with this password only.")
    refuse_binds: tuple[BindRefusal, ...] = setting((), doc="Binds that are refused at first.")
    binds: Count = setting(0, doc="More binds of one system_id at a time are refused (0x05); 0: any number.")
    hold_binds: Delay = setting("0s", doc="A lost connection keeps its system_id bound for so long (0x05).")
    response_delay: Delay = setting("0s", doc="Until each response.")
    receipt_delay: Delay = setting("0s", doc="Until each receipt.")
    rate: Count = setting(0, doc="More submit_sm a second are throttled (0x58); 0: never.")
    alphabet: Literal["gsm7", "latin1", "ascii"] = setting("gsm7", doc="What data_coding 0 means.")
    fragment: Count = setting(0, doc="Octets are written so many at a time; 0: as many as there are.")
    faults: bool = setting(
        True, doc="Whether the last digits of a destination order faults, where no rule fits."
    )
    seed: Count = setting(1, doc="Of all that is left to chance.")
    rules: tuple[Rule, ...] = setting((), doc="What becomes of which submit_sm.")
    mobile: tuple[MobileRule, ...] = setting((), doc="Messages from phones.")

    @property
    def default_alphabet(self) -> str:
        """The name that `phone` has for `alphabet`."""
        return {"gsm7": GSM, "latin1": LATIN1, "ascii": ASCII}[self.alphabet]
