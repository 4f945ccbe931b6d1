"""What a planned message costs and why, in lines for a person: alphabet, length, and where each part ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sms_milter.model import PlannedMessage, SubmitSm
from sms_milter.sms import form as forms
from sms_milter.sms import split, udh
from sms_milter.sms.alphabet import decode, encode
from sms_milter.sms.coding import Coding, coding_of
from sms_milter.sms.form import GSM, UCS2, national_form
from sms_milter.sms.national import Shift, shift_of
from sms_milter.sms.parts import MESSAGE_PAYLOAD, UDHI
from sms_milter.sms.terms import Alphabet, Terms

_WHOLE_SMS = 140  # octets of user data
_SHOWN = 12  # characters at the end of a part


@dataclass(frozen=True, slots=True)
class _Part:
    """One SMS; `text` is "" for what is not text, `length` and `room` count in the unit of its alphabet."""

    coding: Coding
    header: bytes  # UDHL included
    text: str
    length: int
    room: int

    @property
    def octets(self) -> int:
        """How much it takes of an SMS's 140 octets, in which septets are packed (ENC §7)."""
        if self.coding is Coding.GSM:
            return -(-7 * (-(-8 * len(self.header) // 7) + self.length) // 8)
        return len(self.header) + self.length * (2 if self.coding is Coding.UCS2 else 1)


def explained(message: PlannedMessage, name: Alphabet = "gsm7") -> list[str]:
    """Lines about `message`; `name` is what data_coding 0 means at its SMSC."""
    parts = [part for part in message.parts if isinstance(part, SubmitSm)]
    who = f"{message.destination} from {message.originator or 'the SMSC'}"
    if not parts:
        return [f"{who}, {message.kind}: no SMS"]
    if dict(parts[0].tlvs).get(MESSAGE_PAYLOAD) is not None:
        return [f"{who}, {message.kind}: {_in_payload(parts[0], name)}"]
    coding = coding_of(parts[0].data_coding)
    read = [_read(part, coding, name) for part in parts]
    unit = {Coding.GSM: "septets", Coding.UCS2: "units", Coding.OCTETS: "octets"}[coding]
    alphabet = _alphabet(message, coding, read[0], name)
    counted = forms.counted(alphabet, sum(part.length for part in read), unit, read[0].room)
    lines = [f"{who}, {message.kind}: {len(parts)} SMS", f"  {counted}"]
    if message.folded:
        lines.append("  typographic punctuation is written in ASCII")
    return [*lines, *_ends(message.text, read, unit)]


def _alphabet(message: PlannedMessage, coding: Coding, first: _Part, name: Alphabet) -> str:
    if coding is Coding.OCTETS:
        return "8-bit data"
    if coding is Coding.UCS2:
        return forms.ucs2_and_why(message.text, name) if message.text else UCS2.name
    shift = _shift(first.header)
    return national_form(shift).name if shift.header else GSM[name].name


def _ends(text: str, read: Sequence[_Part], unit: str) -> Iterator[str]:
    """A line for each part."""
    at = 0
    for number, part in enumerate(read, start=1):
        used = f"{part.length} of {part.room} {unit}, {part.octets} of {_WHOLE_SMS} octets"
        if text and part.text:
            start = max(text.find(part.text, at), at)
            at = start + len(part.text)
            before = "..." if len(part.text) > _SHOWN else ""
            used += f"; characters {start + 1} to {at}, the end: {before}{part.text[-_SHOWN:]!r}"
        yield f"  part {number}: {used}"


def _in_payload(part: SubmitSm, name: Alphabet) -> str:
    """A content that the SMSC cuts; for a text, how it probably does."""
    octets = dict(part.tlvs)[MESSAGE_PAYLOAD]
    coding = coding_of(part.data_coding)
    told = f"{len(octets)} octets in message_payload, which the SMSC cuts"
    if coding is Coding.OCTETS:
        return told
    text = octets.decode("utf-16-be", "replace") if coding is Coding.UCS2 else _gsm_text(octets, name)
    one = forms.written(text, Terms(""), ucs2=coding is Coding.UCS2)
    return f"{told}: {forms.measured(one, Terms(''))}, {len(forms.cut(one, Terms('')))} SMS"


def _read(part: SubmitSm, coding: Coding, name: Alphabet) -> _Part:
    octets = part.short_message
    size = octets[0] + 1 if part.esm_class & UDHI and octets else 0
    header, content = octets[:size], octets[size:]
    if coding is Coding.OCTETS:
        return _Part(coding, header, "", len(content), _WHOLE_SMS - size)
    if coding is Coding.UCS2:
        text = content.decode("utf-16-be", "replace")
        return _Part(coding, header, text, len(content) // 2, split.ucs2_capacity(size))
    shift = _shift(header)
    text = shift.decode(content) if shift.header else _gsm_text(content, name)
    # SMPP §11: what the SMSC translates counts in septets all the same.
    length = len(content) if name == "gsm7" else len(encode(text) or content)
    return _Part(coding, header, text, length, split.gsm_capacity(size))


def _gsm_text(octets: bytes, name: Alphabet) -> str:
    return decode(octets) if name == "gsm7" else octets.decode(name, "replace")


def _shift(header: bytes) -> Shift:
    return shift_of(tuple(udh.elements(header[1:])))
