"""Delivery receipts as this SMSC writes them: the customary text and the TLVs (SMPP §7)."""

from __future__ import annotations

from time import gmtime, strftime

from sms_milter.simulate.faults import Script
from sms_milter.simulate.phone import BINARY, alphabet_of, text_of
from sms_milter.simulate.wire import Address, Submission, Tlv, compose_deliver_sm

_RECEIPT = 0x04  # esm_class
_ON_ANY_END, _ON_FAILURE, _ON_SUCCESS = 1, 2, 3  # registered_delivery; 3 as in SMPP 5.0
_STATES = {"DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "REJECTD": 8}
_QUOTED_CHARACTERS = 20


def is_wanted(registered_delivery: int, stat: str) -> bool:
    """Whether a receipt with `stat` was asked for (SMPP 3.4 §5.2.17)."""
    delivered = stat == "DELIVRD"
    return registered_delivery & 3 in (_ON_ANY_END, _ON_SUCCESS if delivered else _ON_FAILURE)


def compose_receipt(
    submission: Submission,
    content: bytes,
    message_id: str,
    script: Script,
    submitted_at: float,
    done_at: float,
) -> bytes:
    """The body of the deliver_sm; `content` is the user data without header, times are epoch seconds."""
    delivered = script.stat == "DELIVRD"
    shown_id = str(int(message_id, 16)) if script.decimal_receipt else message_id
    text = (
        f"id:{shown_id} sub:001 dlvrd:{delivered:03}"
        f" submit date:{_minute(submitted_at)} done date:{_minute(done_at)}"
        f" stat:{script.stat} err:{not delivered:03} text:{_quoted(submission, content)}"
    )
    tlvs: tuple[tuple[int, bytes], ...] = ((Tlv.MESSAGE_STATE, bytes((_STATES[script.stat],))),)
    if not script.decimal_receipt:
        tlvs = ((Tlv.RECEIPTED_MESSAGE_ID, message_id.encode("ascii") + b"\0"), *tlvs)
    return compose_deliver_sm(
        Address(submission.destination_ton, 1, submission.destination),
        Address(submission.source_ton, submission.source_ton == 1, submission.source),
        text.encode("ascii", "replace"),
        esm_class=_RECEIPT,
        tlvs=tlvs,
    )


def _minute(at: float) -> str:
    return strftime("%y%m%d%H%M", gmtime(at))


def _quoted(submission: Submission, content: bytes) -> str:
    name = alphabet_of(submission.data_coding)
    return "" if name == BINARY else text_of(content[: 2 * _QUOTED_CHARACTERS], name)[:_QUOTED_CHARACTERS]
