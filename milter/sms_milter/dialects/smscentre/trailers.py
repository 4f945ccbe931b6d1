"""What a channel must know besides the text, at the end of it: `subj:`, `voice:`, calls (SMSCentre §9.2)."""

from __future__ import annotations

import re

from sms_milter.dialects.smscentre import replies
from sms_milter.errors import Rejected

# trailer = ( "subj" / "voice" ) ":" value         in the last lines, one or both of them
_TRAILER = re.compile(r"[ \t]*(subj|voice):(.*)", re.IGNORECASE)
_NAMES = {"subj": "subject", "voice": "voice"}
_VOICES = ("m", "m2", "m3", "m4", "w", "w2", "w3", "w4")
# call = [ "param:" ] wait "," interval "," tries
_CALL = re.compile(r"(?:param\s*:)?\s*([0-9]{1,4})\s*,\s*([0-9]{1,4})\s*,\s*([0-9])", re.IGNORECASE)
_CALL_LIMITS = {"wait_seconds": (10, 35), "interval_seconds": (10, 3600), "tries": (1, 9)}


def cut_off(text: str) -> tuple[str, dict[str, str]]:
    """The text before its trailers, and these by name: "subject" and "voice". Raises Rejected."""
    found: dict[str, str] = {}
    while len(found) < len(_NAMES):
        before, _, last = text.rstrip().rpartition("\n")
        trailer = _TRAILER.fullmatch(last)
        if trailer is None or _NAMES[trailer[1].lower()] in found:
            break
        found[_NAMES[trailer[1].lower()]] = trailer[2].strip()
        text = before.rstrip()
    if "voice" in found:
        found["voice"] = found["voice"].lower()
        if found["voice"] not in _VOICES:
            raise Rejected(replies.BAD_PARAMETERS)
    return text, found


def of_a_call(written: str) -> dict[str, str]:
    """The parameters of a call, none if nothing is written. Raises Rejected."""
    if not written:
        return {}
    given = _CALL.fullmatch(written)
    if given is None:
        raise Rejected(replies.BAD_PARAMETERS)
    for value, (least, most) in zip(given.groups(), _CALL_LIMITS.values(), strict=True):
        if not least <= int(value) <= most:
            raise Rejected(replies.BAD_PARAMETERS)
    return {name: str(int(value)) for name, value in zip(_CALL_LIMITS, given.groups(), strict=True)}
