"""Delivery receipts: what a deliver_sm or data_sm says about a part that the SMSC took earlier.

Reads the text form (SMPP 3.4 Appendix B) and the TLVs, which win over it. Refuses to know which part is
meant: it only brings message ids of both sides into one form.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

from sms_milter.model import PartState
from sms_milter.smpp import codec
from sms_milter.smpp.codec import DeliverSm

IdRule = Literal["exact", "casefold", "strip-zeros", "hex-dec", "dec-hex"]
Side = Literal["response", "receipt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery receipt. Texts are "" and times None where the SMSC is silent.

    `stat` is one of the names of SMPP 3.4 §5.2.28; `state` is None when the part's fate is still open.
    Times are UTC by assumption: receipts name no zone.
    """

    message_id: str
    stat: str
    state: PartState | None
    error: str = ""
    submitted_at: float | None = None
    done_at: float | None = None
    sub: str = ""
    dlvrd: str = ""
    text: str = ""


# --- states -------------------------------------------------------------------------------------------------

# SMPP 3.4 §5.2.28; 0 and 9 are those of SMPP 5.0.
_MESSAGE_STATES: Final = {
    0: "SCHEDLD",
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}
_PART_STATES: Final = {
    "SCHEDLD": None,
    "ENROUTE": None,
    "DELIVRD": PartState.DELIVERED,
    "EXPIRED": PartState.EXPIRED,
    "DELETED": PartState.FAILED,
    "UNDELIV": PartState.FAILED,
    "ACCEPTD": None,  # many SMSCs say so on the way
    "UNKNOWN": PartState.FAILED,
    "REJECTD": PartState.FAILED,
    "SKIPPED": PartState.FAILED,
}
_OTHER_WORDS: Final = {
    "BUFFRED": "ENROUTE",
    "BUFFERD": "ENROUTE",
    "BUFFERED": "ENROUTE",
    "ACKED": "ENROUTE",
    "SCHEDULED": "SCHEDLD",
    "ACCEPTED": "ACCEPTD",
    "DELIVERED": "DELIVRD",
    "UNDELIVERABLE": "UNDELIV",
    "FAILED": "UNDELIV",
    "REJECTED": "REJECTD",
}


def _from_word(word: str) -> tuple[str, PartState | None]:
    """`stat` and state of the text form's word. One that nobody knows is UNKNOWN, but fails no mail."""
    word = word.upper()
    stat = _OTHER_WORDS.get(word, word)
    if stat in _PART_STATES:
        return stat, _PART_STATES[stat]
    return ("UNKNOWN" if stat else ""), None


# --- the text form ------------------------------------------------------------------------------------------

_LABEL = re.compile(r"(?:^|(?<=\s))(id|sub|dlvrd|submit\s+date|done\s+date|stat|err|text):", re.IGNORECASE)
_LABELS: Final = ("id", "sub", "dlvrd", "submit date", "done date", "stat", "err", "text")
# Nearly every SMSC writes exactly this; it reads three times as fast as searching for labels.
_USUAL = re.compile(
    r"id:(\S*) sub:(\S*) dlvrd:(\S*) submit date:(\S*) done date:(\S*) stat:(\S*) err:(\S*) [Tt]ext:(.*)",
    re.DOTALL,
)
_LOOSE_ID = re.compile(r"(?:^|\s)id:\s*(\S+)", re.IGNORECASE)
_LOOSE_STAT = re.compile(r"stat:\s*([A-Za-z]+)", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")


def parse_text(text: str) -> dict[str, str]:
    """The fields of the text form by label, lower case ("id", "submit date", …).

    The first of each label counts; its value runs to the next label that counts, or to the end.
    """
    usual = _USUAL.match(text)
    if usual is None:
        return parse_labels(text)
    fields = dict(zip(_LABELS, usual.groups(), strict=True))
    fields["text"] = fields["text"].strip()
    return fields


def parse_labels(text: str) -> dict[str, str]:
    """As `parse_text`, whatever the order of the labels and whichever are missing."""
    fields: dict[str, str] = {}
    label, start = "", 0
    for match in _LABEL.finditer(text):
        found = " ".join(match[1].lower().split())
        if found in fields:
            continue
        if label:
            fields[label] = text[start : match.start()].strip()
        label, start = found, match.end()
        fields[label] = ""
    if label:
        fields[label] = text[start:].strip()
    return fields


def _text_of(pdu: DeliverSm) -> str:
    octets = pdu.short_message
    # Some SMSCs set the UDH bit on receipts that carry none; a text does not begin with a control character.
    if pdu.esm_class & 0x40 and octets and octets[0] < 0x20:
        octets = octets[octets[0] + 1 :]
    if pdu.data_coding == 8:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


@lru_cache(maxsize=1024)
def parse_date(digits: str) -> float | None:
    """Seconds since the epoch of YYMMDDhhmm, YYMMDDhhmmss or YYYYMMDDhhmmss; None for anything else."""
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (10, 12, 14):
        return None
    if len(digits) < 14:
        digits = "20" + digits
    month, day, hour, minute, second = (int(digits[at : at + 2] or 0) for at in range(4, 14, 2))
    try:
        return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


# --- the whole ----------------------------------------------------------------------------------------------


def _is_receipt(pdu: DeliverSm) -> bool:
    """SMPP 3.4 §5.2.12: receipt or intermediate notification; or the two TLVs that only receipts carry."""
    if pdu.esm_class & 0x3C in (0x04, 0x20):
        return True
    tlvs = pdu.tlvs
    return (
        not pdu.esm_class & 0x3C
        and codec.TLV_RECEIPTED_MESSAGE_ID in tlvs
        and codec.TLV_MESSAGE_STATE in tlvs
    )


def read(pdu: DeliverSm) -> Receipt | None:
    """The receipt in `pdu`; None for anything else (a message from a phone, a handset's acknowledgement)."""
    if not _is_receipt(pdu):
        return None
    text = _text_of(pdu)
    fields = parse_text(text)
    before_quote = text[: text.lower().find("text:")] if "text" in fields else text
    stat, state = _state(pdu, fields, before_quote)
    return Receipt(
        message_id=_message_id(pdu, fields, before_quote),
        stat=stat,
        state=state,
        error=fields.get("err") or _network_error(pdu.tlvs.get(codec.TLV_NETWORK_ERROR_CODE, b"")),
        submitted_at=parse_date(fields.get("submit date", "")),
        done_at=parse_date(fields.get("done date", "")),
        sub=fields.get("sub", ""),
        dlvrd=fields.get("dlvrd", ""),
        text=fields.get("text", ""),
    )


def _message_id(pdu: DeliverSm, fields: dict[str, str], text: str) -> str:
    receipted = codec.legible(pdu.tlvs.get(codec.TLV_RECEIPTED_MESSAGE_ID, b"").strip(b"\0")).strip()
    if receipted:
        return receipted
    words = fields.get("id", "").split()
    if words:
        return words[0]
    loose = _LOOSE_ID.search(text)
    return loose[1] if loose else ""


def _state(pdu: DeliverSm, fields: dict[str, str], text: str) -> tuple[str, PartState | None]:
    stat = _MESSAGE_STATES.get(int.from_bytes(pdu.tlvs.get(codec.TLV_MESSAGE_STATE) or b"\xff", "big"))
    if stat is not None:
        return stat, _PART_STATES[stat]
    word = _WORD.match(fields.get("stat", ""))
    if word:
        return _from_word(word[0])
    loose = _LOOSE_STAT.search(text)
    return _from_word(loose[1] if loose else "")


def _network_error(octets: bytes) -> str:
    """network_error_code (SMPP 3.4 §5.3.2.31): network type and code; some send three digits instead."""
    if len(octets) == 3 and octets.isdigit():
        return octets.decode("ascii")
    return f"{int.from_bytes(octets[1:3], 'big'):03}" if len(octets) >= 3 else ""


# --- ids ----------------------------------------------------------------------------------------------------

_LONGEST_NUMBER: Final = 20
_BASES: Final[dict[tuple[str, str], int]] = {
    ("hex-dec", "response"): 16,
    ("hex-dec", "receipt"): 10,
    ("dec-hex", "response"): 10,
    ("dec-hex", "receipt"): 16,
}


def key(message_id: str, rule: IdRule, side: Side) -> str:
    """A message id in the form in which response and receipt compare equal under the SMSC's `rule`.

    `hex-dec`: the response is hexadecimal, the receipt decimal; `dec-hex` the reverse. "" stays "" and must
    match nothing.
    """
    if rule == "exact":
        return message_id
    if rule == "casefold":
        return message_id.casefold()
    if rule == "strip-zeros":
        return message_id.casefold().lstrip("0") or message_id[:1]
    return _number(message_id, _BASES[rule, side])


def other_forms(message_id: str) -> tuple[str, ...]:
    """What a response may have called a part that the SMSC calls so in a receipt, whatever its habit (SMPP
    §7.4): other case, without leading zeros, hexadecimal instead of decimal and the reverse.
    """
    if not message_id.isalnum() or not message_id.isascii():
        return ()
    forms = [message_id.lower(), message_id.upper(), message_id.lstrip("0")]
    if len(message_id) <= _LONGEST_NUMBER:
        if message_id.isdigit():
            value = f"{int(message_id):x}"
            forms += [value, value.upper(), value.zfill(8), value.upper().zfill(8)]
        with contextlib.suppress(ValueError):
            forms.append(str(int(message_id, 16)))
    return tuple(dict.fromkeys(form for form in forms if form and form != message_id))


def _number(message_id: str, base: int) -> str:
    """The id's decimal value; with letters it is hexadecimal anyway; what is no number stays as it is."""
    if len(message_id) > _LONGEST_NUMBER or not message_id.isalnum() or not message_id.isascii():
        return message_id
    try:
        return str(int(message_id, base if message_id.isdigit() else 16))
    except ValueError:
        return message_id
