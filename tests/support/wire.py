"""A link without a socket: the real session on our side, a test that speaks for the SMSC on the other."""

from __future__ import annotations

import struct

from sms_milter.model import LinkState, LinkStatus
from sms_milter.smpp.events import Event
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.session import Session

BIND_RESP, SUBMIT, SUBMIT_RESP, DELIVER, DELIVER_RESP = 0x80000009, 4, 0x80000004, 5, 0x80000005


def pdu(command_id: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """One PDU (SMPP 3.4 §3.2)."""
    return struct.pack("!IIII", 16 + len(body), command_id, status, sequence) + body


class Wire:
    """`say` what the SMSC sends; `sent` is what it got, as (command_id, status, sequence, body)."""

    def __init__(self, smsc: str = "primary", window: int = 10, response_timeout: float = 60.0) -> None:
        self.smsc, self.name = smsc, f"{smsc}/1"
        self.number, self.needed, self.permitted = 1, True, True
        self._options = SessionOptions(
            system_id="acme", window=window, response_timeout_seconds=response_timeout, enquire_link_seconds=0
        )
        self.session: Session | None = None
        self.sent: list[tuple[int, int, int, bytes]] = []
        self._arrived = b""
        self._lost = False
        self.shut = self.watched = False

    def connect(self, now: float) -> None:
        """Connect and be bound."""
        self.session = Session(self._options)
        self.session.connected(now)
        self.flush()
        (_, _, sequence, _) = self.sent.pop()
        self.say(pdu(BIND_RESP, sequence, b"SMSC\0"))

    def say(self, octets: bytes) -> None:
        self._arrived += octets

    def lose(self) -> None:
        """The connection breaks."""
        self._lost = True

    @property
    def submits(self) -> list[tuple[int, bytes]]:
        """(sequence, body) of what was submitted since `answer` was last called."""
        return [(sequence, body) for command, _, sequence, body in self.sent if command == SUBMIT]

    def answer(self, status: int = 0) -> None:
        """Answer every open submit_sm; the message id is the sequence number in hexadecimal."""
        for sequence, _ in self.submits:
            self.say(pdu(SUBMIT_RESP, sequence, b"" if status else f"{sequence:X}\0".encode(), status))
        self.sent = [frame for frame in self.sent if frame[0] != SUBMIT]

    # --- as the dispatcher sees it ---

    @property
    def state(self) -> LinkState:
        return LinkState.DOWN if self.session is None else LinkState.BOUND

    def pump(self, now: float) -> list[Event]:
        if self.session is None:
            return []
        events = self.session.receive(self._arrived, now) + self.session.tick(now)
        self._arrived = b""
        if self._lost or self.shut:
            events += self.session.closed(now)
            self.session, self._lost = None, False
        return events

    def watch(self, *, on: bool) -> None:
        self.watched = on

    def flush(self) -> None:
        if self.session is None:
            return
        octets = self.session.outbound()
        while octets:
            length, command, status, sequence = struct.unpack_from("!IIII", octets)
            self.sent.append((command, status, sequence, octets[16:length]))
            octets = octets[length:]

    def deadline(self) -> float | None:
        return None if self.session is None else self.session.deadline()

    def permit(self, now: float, *, on: bool) -> None:
        self.permitted = on

    def shutdown(self, now: float) -> None:
        self.shut = True

    def status(self, now: float) -> LinkStatus:
        return LinkStatus(self.smsc, self.name, self.state, 0.0, 0, 10, 0, 0, 0, 0)
