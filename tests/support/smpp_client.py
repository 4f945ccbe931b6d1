"""An ESME written by hand, to test the simulated SMSC with: octets in, octets out, no library."""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import NamedTuple


class Answer(NamedTuple):
    """A PDU from the SMSC."""

    command: int
    status: int
    sequence: int
    body: bytes


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """A whole PDU."""
    return struct.pack(">4I", 16 + len(body), command, status, sequence) + body


def submit_body(
    destination: str,
    short_message: bytes,
    *,
    source: str = "ME",
    source_ton: int = 5,
    esm_class: int = 0,
    registered_delivery: int = 0,
    data_coding: int = 0,
    tlvs: bytes = b"",
    validity: str = "",
) -> bytes:
    """A submit_sm body."""
    return b"".join(
        (
            b"\0",
            bytes((source_ton, 0)) + source.encode("latin-1") + b"\0",
            b"\1\1" + destination.encode("ascii") + b"\0",
            bytes((esm_class, 0, 0)),
            b"\0" + validity.encode("ascii") + b"\0",
            bytes((registered_delivery, 0, data_coding, 0, len(short_message))),
            short_message,
            tlvs,
        )
    )


def tlv(tag: int, value: bytes) -> bytes:
    """A TLV."""
    return struct.pack(">HH", tag, len(value)) + value


class SmppClient:
    """One connection; reading waits at most thirty seconds and raises TimeoutError then."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._sequence = 0

    def __enter__(self) -> SmppClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def write(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._socket.sendall(octets)

    def send(self, command: int, body: bytes = b"", status: int = 0, sequence: int = 0) -> int:
        """Send a PDU; gives its sequence number."""
        if not sequence:
            self._sequence += 1
            sequence = self._sequence
        self.write(pdu(command, sequence, body, status))
        return sequence

    def read(self) -> Answer:
        """The next PDU; EOFError when the SMSC closed."""
        length = struct.unpack(">I", self._take(4))[0]
        octets = self._take(length - 4)
        return Answer(*struct.unpack(">3I", octets[:12]), octets[12:])

    def read_rest(self) -> bytes:
        """Everything until the SMSC closes or says nothing for half a second."""
        self._socket.settimeout(0.5)
        try:
            while data := self._socket.recv(65536):
                self._received += data
        except (TimeoutError, ConnectionResetError):
            pass
        rest, self._received = self._received, b""
        return rest

    def ask(self, command: int, body: bytes = b"") -> Answer:
        """Send a request and read the next PDU."""
        self.send(command, body)
        return self.read()

    def bind(self, command: int = 9, system_id: str = "gateway", password: str = "secret") -> Answer:
        """Bind as a transceiver (9), transmitter (2) or receiver (1)."""
        return self.ask(command, f"{system_id}\0{password}\0\0".encode() + b"\x34\0\0\0")

    def send_submit(self, destination: str, short_message: bytes = b"Hi", **fields: object) -> int:
        """Submit an SMS without reading; gives its sequence number."""
        return self.send(4, submit_body(destination, short_message, **fields))  # type: ignore[arg-type]

    def submit(self, destination: str, short_message: bytes = b"Hi", **fields: object) -> Answer:
        """Submit an SMS and read the next PDU."""
        return self.ask(4, submit_body(destination, short_message, **fields))  # type: ignore[arg-type]

    def acknowledge(self, receipt: Answer, status: int = 0) -> None:
        """Answer a deliver_sm."""
        self.send(0x80000005, b"\0", status, receipt.sequence)

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            data = self._socket.recv(65536)
            if not data:
                raise EOFError("the SMSC closed the connection")
            self._received += data
        taken, self._received = self._received[:count], self._received[count:]
        return taken
