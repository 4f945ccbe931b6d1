"""What the account, the route and the SMSC make of a wish: the conditions that planning works under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Alphabet = Literal["gsm7", "latin1", "ascii"]
Concatenation = Literal["udh", "udh16", "sar", "payload"]
LongMessages = Literal["concatenate", "split", "payload", "reject", "truncate"]


@dataclass(frozen=True, slots=True)
class SmscTraits:
    """How an SMSC wants its submit_sm.

    `alphabet` is what data_coding 0 means there, `long_messages` how parts belong together, `source_ton_npi`
    the TON and NPI of every originator; None: chosen by its form (SMPP §4).
    """

    alphabet: Alphabet = "gsm7"
    long_messages: Concatenation = "udh"
    source_ton_npi: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """By what an SMSC knows a submit_sm for another channel than SMS; None leaves the message's own."""

    service_type: str = ""
    protocol_id: int | None = None
    data_coding: int | None = None
    tlvs: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What the account and the route make of a wish.

    `originator` has passed `sms.plan.originator_address`. `append` follows every text and is never cut.
    `max_parts` counts SMS; `long_messages` says what happens to a text that does not fit one: `payload`
    leaves cutting to the SMSC, `truncate` cuts the text to one SMS. `punctuation` allows ASCII punctuation
    where that saves UCS-2. By a channel other than SMS, `smsc` may be an outlet that is no SMSC: then the
    message is an `errand`. `final`: nothing is heard of it once its outlet has it. `marks` are for an SMSC.
    """

    originator: str
    append: str = ""
    max_parts: int = 10
    long_messages: LongMessages = "concatenate"
    punctuation: bool = False
    route: str = "default"
    smsc: str = ""
    traits: SmscTraits = SmscTraits()
    errand: bool = False
    final: bool = False
    marks: Marks | None = None
