"""Delivery receipts as this SMSC writes them: the customary text and the TLVs (SMPP §7), or what a rule makes
of them.
"""

from __future__ import annotations

from time import gmtime, strftime

from sms_milter.simulate.phone import BINARY, alphabet_of, text_of
from sms_milter.simulate.script import ReceiptRule, Stat
from sms_milter.simulate.wire import Address, Command, Submission, Tlv, compose_data_sm, compose_deliver_sm

_ON_ANY_END, _ON_FAILURE, _ON_SUCCESS = 1, 2, 3  # registered_delivery; 3 as in SMPP 5.0
_INTERMEDIATE = 0x10
_STATES: dict[Stat, int] = {
    "ENROUTE": 1,
    "BUFFRED": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
_DATES = {"10": "%y%m%d%H%M", "12": "%y%m%d%H%M%S", "14": "%Y%m%d%H%M%S"}
_QUOTED_CHARACTERS = 20


def is_wanted(registered_delivery: int, stat: Stat) -> bool:
    """Whether a receipt with `stat` was asked for (SMPP 3.4 §5.2.17)."""
    if stat in ("ENROUTE", "BUFFRED", "ACCEPTD"):
        return bool(registered_delivery & _INTERMEDIATE)
    delivered = stat == "DELIVRD"
    return registered_delivery & 3 in (_ON_ANY_END, _ON_SUCCESS if delivered else _ON_FAILURE)


def compose_receipt(
    submission: Submission,
    content: bytes,
    message_id: str,
    stat: Stat,
    rule: ReceiptRule,
    submitted_at: float,
    done_at: float,
) -> tuple[Command, bytes]:
    """Command and body; `content` is the user data without header, times are epoch seconds."""
    delivered = stat == "DELIVRD"
    error = f"{not delivered:03}" if rule.error is None else rule.error
    text = (
        f"id:{message_id} sub:001 dlvrd:{delivered:03}"
        f" submit date:{_date(submitted_at, rule)} done date:{_date(done_at + rule.dated, rule)}"
        f" stat:{stat} err:{error} text:{_quoted(submission, content)}"
    ).encode("ascii", "replace")
    tlvs = _tlvs(rule, message_id, stat)
    phone = Address(submission.destination_ton, 1, submission.destination)
    ours = Address(submission.source_ton, submission.source_ton == 1, submission.source)
    if rule.carrier == "data_sm":
        tlvs = ((Tlv.MESSAGE_PAYLOAD, text), *tlvs)
        return Command.DATA_SM, compose_data_sm(phone, ours, esm_class=rule.esm_class, tlvs=tlvs)
    if rule.place == "message_payload":
        text, tlvs = b"", ((Tlv.MESSAGE_PAYLOAD, text), *tlvs)
    return Command.DELIVER_SM, compose_deliver_sm(phone, ours, text, esm_class=rule.esm_class, tlvs=tlvs)


def _tlvs(rule: ReceiptRule, message_id: str, stat: Stat) -> tuple[tuple[int, bytes], ...]:
    """receipted_message_id and message_state, or what goes wrong with them."""
    receipted = (Tlv.RECEIPTED_MESSAGE_ID, message_id.encode("ascii") + b"\0")
    state = (Tlv.MESSAGE_STATE, bytes((_STATES[stat],)))
    match rule.tlvs:
        case "none":
            return ()
        case "state":
            return (state,)
        case "no-nul":
            return ((Tlv.RECEIPTED_MESSAGE_ID, message_id.encode("ascii")), state)
        case "vendor":
            return ((Tlv.VENDOR, b"\x01\x02\x03"), receipted, state)
        case "wrong-length":
            return (receipted, (Tlv.MESSAGE_STATE, b"\0\0" + state[1]))
    return (receipted, state)


def _date(at: float, rule: ReceiptRule) -> str:
    return strftime(_DATES[rule.dates], gmtime(at))


def _quoted(submission: Submission, content: bytes) -> str:
    name = alphabet_of(submission.data_coding)
    return "" if name == BINARY else text_of(content[: 2 * _QUOTED_CHARACTERS], name)[:_QUOTED_CHARACTERS]
