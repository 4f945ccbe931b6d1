"""What the account, the route and the SMSC make of a wish: the conditions that planning works under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from sms_milter.config.schema import Smsc
from sms_milter.model import EVERY_FEATURE, STALE, Feature

Alphabet = Literal["gsm7", "latin1", "ascii"]
Concatenation = Literal["udh", "udh16", "sar", "payload"]
LongMessages = Literal["concatenate", "split", "payload", "reject", "truncate"]
Flash = Literal["dcs-10", "dcs-f0", "subunit"]
SmartCoding = Literal["dcs-04", "dcs-f5"]


@dataclass(frozen=True, slots=True)
class SmscTraits:
    """How an SMSC wants its submit_sm.

    `alphabet` is what data_coding 0 means there, `long_messages` how parts belong together, `source_ton_npi`
    the TON and NPI of every originator; None: chosen by its form (SMPP §4). `flash` is how it is told to show
    a message at once, `smart_coding` the data_coding of Smart Messaging and WAP push (ENC §4).
    """

    alphabet: Alphabet = "gsm7"
    long_messages: Concatenation = "udh"
    source_ton_npi: tuple[int, int] | None = None
    flash: Flash = "dcs-10"
    smart_coding: SmartCoding = "dcs-04"

    @property
    def form(self) -> str:
        """The traits in a line, such as "gsm7 udh auto dcs-10 dcs-04"; what is composed for one SMSC fits
        every other with the same.
        """
        numbering = "auto" if self.source_ton_npi is None else "{}/{}".format(*self.source_ton_npi)
        return f"{self.alphabet} {self.long_messages} {numbering} {self.flash} {self.smart_coding}"


def traits_of(smsc: Smsc) -> SmscTraits:
    """What the settings of an SMSC say of its submit_sm."""
    numbering = _numbering(smsc.source_ton_npi)
    return SmscTraits(smsc.alphabet, smsc.long_messages, numbering, smsc.flash, smsc.smart_coding)


_FEATURES = {
    "text": Feature.TEXT,
    "8bit": Feature.OCTETS,
    "udh": Feature.UDH,
    "ucs2": Feature.UCS2,
    "alpha": Feature.ALPHA,
    "numer": Feature.NUMERIC,
    "reply": Feature.REPLY,
    "flash": Feature.FLASH,
    "delivack": Feature.RECEIPT,
    "concat": Feature.CONCATENATION,
}


def features_of(smsc: Smsc) -> int:
    """What an SMSC can do, as a sum of `Feature`."""
    return int(sum({_FEATURES[name] for name in smsc.features}))


def traits_in(form: str) -> SmscTraits:
    """The traits that `SmscTraits.form` tells, also behind `STALE`. Raises ValueError for another text."""
    alphabet, long_messages, numbering, flash, smart_coding = form.removeprefix(STALE).split(" ")
    return SmscTraits(
        cast(Alphabet, alphabet),
        cast(Concatenation, long_messages),
        _numbering(numbering),
        cast(Flash, flash),
        cast(SmartCoding, smart_coding),
    )


def _numbering(setting: str) -> tuple[int, int] | None:
    if setting == "auto":
        return None
    ton, npi = map(int, setting.split("/"))
    return ton, npi


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
    where that saves UCS-2; `languages` (keys of `sms.national.LANGUAGES`) may be written with their national
    tables where that saves parts. `keep_words`: a concatenated part ends with a word where it can. By a
    channel other than SMS, `smsc` may be an outlet that is no SMSC: then the message is an `errand`. `final`:
    nothing is heard of it once its outlet has it. `marks` are for an SMSC.
    `receipt`: the way asks for one, whatever the mail wants. `features` are what the SMSC can do.
    """

    originator: str
    append: str = ""
    max_parts: int = 10
    long_messages: LongMessages = "concatenate"
    punctuation: bool = False
    languages: tuple[str, ...] = ()
    keep_words: bool = False
    route: str = "default"
    smsc: str = ""
    traits: SmscTraits = SmscTraits()
    errand: bool = False
    final: bool = False
    marks: Marks | None = None
    receipt: bool = False
    features: int = EVERY_FEATURE
