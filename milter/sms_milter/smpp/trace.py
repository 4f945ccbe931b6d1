"""PDUs as lines for a person: fields by their names, and all octets in hexadecimal.

Passwords are never shown, texts only where the postmaster wants them in the log, numbers as in every log
line; what is hidden shows as `..`, octet by octet, so that lengths and places still tell.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from sms_milter.logline import Numbers, clean
from sms_milter.smpp import codec, status
from sms_milter.smpp.codec import Frame

_HEADER_OCTETS = 16
_NAMES: Final = {
    **{command: f"bind_{kind}" for kind, command in codec.BIND_COMMANDS.items()},
    codec.SUBMIT_SM: "submit_sm",
    codec.CANCEL_SM: "cancel_sm",
    codec.DELIVER_SM: "deliver_sm",
    codec.DATA_SM: "data_sm",
    codec.UNBIND: "unbind",
    codec.ENQUIRE_LINK: "enquire_link",
    codec.OUTBIND: "outbind",
    codec.ALERT_NOTIFICATION: "alert_notification",
}
_RECEIPTS: Final = frozenset({0x04, 0x08, 0x10, 0x18, 0x20})  # esm_class: not a phone's own words
_QUOTED: Final = b"text:"


class Trace:
    """Turns frames into lines. `texts`: whether what people write may be shown."""

    def __init__(self, numbers: Numbers, *, texts: bool = False) -> None:
        self._numbers = numbers
        self._texts = texts

    def line(self, frame: Frame, *, sent: bool) -> str:
        """One PDU: `> submit_sm sequence=5 status=0 …`, `<` for what the SMSC sent."""
        command, command_status, sequence, body = frame
        reading = _Reading(body, self._numbers, texts=self._texts)
        try:
            _BODIES.get(command, _Reading.nothing)(reading)
        except (IndexError, ValueError):
            reading.hide(0, len(body))  # not what it says it is: no telling what stands where
            reading.fields.append("body=cannot be read")
        name = _NAMES.get(command & ~codec.RESPONSE, f"command_{command:08X}")
        if command == codec.GENERIC_NACK:
            name = "generic_nack"
        elif command & codec.RESPONSE:
            name += "_resp"
        shown = str(status.classify(command_status)) if command_status else "0"
        header = struct.pack(">4I", _HEADER_OCTETS + len(body), command, command_status, sequence)
        octets = header.hex().upper() + reading.hexadecimal()
        fields = [f"{'>' if sent else '<'} {name} sequence={sequence} status={shown}", *reading.fields]
        return " ".join([*fields, f"hex={octets}"])


class _Reading:
    """Goes through a body field by field and remembers what must not be shown."""

    def __init__(self, body: bytes, numbers: Numbers, *, texts: bool) -> None:
        self.fields: list[str] = []
        self._body = body
        self._at = 0
        self._numbers = numbers
        self._texts = texts
        self._hidden = bytearray(len(body))

    def hide(self, start: int, end: int) -> None:
        """These octets are not shown."""
        end = min(end, len(self._body))
        self._hidden[start:end] = b"\1" * (end - start)

    def hexadecimal(self) -> str:
        """The body, two characters an octet."""
        octets = zip(self._body, self._hidden, strict=True)
        return "".join([".." if hidden else f"{octet:02X}" for octet, hidden in octets])

    # --- bodies ---

    def nothing(self) -> None:
        """A body that is empty, or that we do not know: its length is told, its octets are not."""
        if self._body:
            self.hide(0, len(self._body))
            self.fields.append(f"octets={len(self._body)}")

    def bind(self) -> None:
        """SMPP 3.4 §4.1."""
        self._text("system_id")
        self._secret("password")
        self._text("system_type")
        self._number("interface_version")
        self._skip(2)
        self._text("address_range")

    def outbind(self) -> None:
        """SMPP 3.4 §4.1.7.1."""
        self._text("system_id")
        self._secret("password")

    def system_id(self) -> None:
        """A response to a bind (SMPP 3.4 §4.1.2)."""
        self._text("system_id")
        self._tlvs()

    def message_id(self) -> None:
        """A response to a submit_sm and its kin (SMPP 3.4 §4.4.2)."""
        if self._body:
            self._text("message_id")
            self._tlvs()

    def submission(self) -> None:
        """submit_sm (SMPP 3.4 §4.4.1)."""
        self._short_message(quotes=False)

    def delivery(self) -> None:
        """deliver_sm (SMPP 3.4 §4.6.1)."""
        self._short_message(quotes=True)

    def _short_message(self, *, quotes: bool) -> None:
        self._text("service_type")
        self._address("source")
        self._address("destination")
        esm_class = self._number("esm_class")
        self._number("protocol_id")
        self._skip(1)
        self._text("schedule_delivery_time")
        self._text("validity_period")
        self._number("registered_delivery")
        self._skip(1)
        self._number("data_coding")
        self._skip(1)
        length = self._body[self._at]
        self._at += 1
        self.fields.append(f"octets={length}")
        is_receipt = quotes and esm_class & 0x3C in _RECEIPTS
        self._words(self._at, self._at + length, is_receipt=is_receipt)
        self._at += length
        self._tlvs(is_receipt=is_receipt)

    def data(self) -> None:
        """SMPP 3.4 §4.7.1."""
        self._text("service_type")
        self._address("source")
        self._address("destination")
        esm_class = self._number("esm_class")
        self._number("registered_delivery")
        self._number("data_coding")
        self._tlvs(is_receipt=esm_class & 0x3C in _RECEIPTS)

    def cancel(self) -> None:
        """SMPP 3.4 §4.9.1."""
        self._text("service_type")
        self._text("message_id")
        self._address("source")
        self._address("destination")

    # --- fields ---

    def _c_string(self) -> tuple[int, int]:
        start = self._at
        end = self._body.find(0, start)
        end = len(self._body) if end < 0 else end  # some SMSCs leave the NUL of the last one out
        self._at = end + 1
        return start, end

    def _text(self, name: str) -> None:
        start, end = self._c_string()
        if end > start:
            self.fields.append(f"{name}={clean(codec.legible(self._body[start:end]))}")

    def _secret(self, name: str) -> None:
        start, end = self._c_string()
        self.hide(start, end)
        self.fields.append(f"{name}=(hidden)")

    def _address(self, name: str) -> None:
        ton, npi = self._body[self._at], self._body[self._at + 1]
        self._at += 2
        start, end = self._c_string()
        number = codec.legible(self._body[start:end])
        shown = self._numbers.shown(number)
        if shown != clean(number):
            self.hide(start, end)
        self.fields.append(f"{name}={shown}({ton}/{npi})")

    def _number(self, name: str) -> int:
        value = self._body[self._at]
        self._at += 1
        if value:
            self.fields.append(f"{name}=0x{value:02X}")
        return value

    def _skip(self, octets: int) -> None:
        self._at += octets

    def _words(self, start: int, end: int, *, is_receipt: bool) -> None:
        """What somebody wrote; of a receipt only the beginning of the message that it quotes."""
        if self._texts or start == end:
            return
        if is_receipt:
            quoted = self._body.lower().find(_QUOTED, start, end)
            start = end if quoted < 0 else quoted + len(_QUOTED)
        self.hide(start, end)

    def _tlvs(self, *, is_receipt: bool = False) -> None:
        found = []
        while self._at + 4 <= len(self._body):
            tag, length = struct.unpack_from(">HH", self._body, self._at)
            start = self._at + 4
            self._at = start + length
            if tag == codec.TLV_MESSAGE_PAYLOAD:
                self._words(start, min(self._at, len(self._body)), is_receipt=is_receipt)
            found.append(f"{tag:04X}({length})")
        if found:
            self.fields.append(f"tlvs={','.join(found)}")


_BODIES: Final[dict[int, Callable[[_Reading], None]]] = {
    **dict.fromkeys(codec.BIND_COMMANDS.values(), _Reading.bind),
    **{codec.RESPONSE | command: _Reading.system_id for command in codec.BIND_COMMANDS.values()},
    codec.SUBMIT_SM: _Reading.submission,
    codec.DELIVER_SM: _Reading.delivery,
    codec.DATA_SM: _Reading.data,
    codec.CANCEL_SM: _Reading.cancel,
    codec.OUTBIND: _Reading.outbind,
    codec.SUBMIT_SM_RESP: _Reading.message_id,
    codec.RESPONSE | codec.DELIVER_SM: _Reading.message_id,
    codec.RESPONSE | codec.DATA_SM: _Reading.message_id,
}
