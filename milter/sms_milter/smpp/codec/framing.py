"""A stream of octets as PDUs, and PDUs as octets: the header (SMPP 3.4 §3.2) and how long one may be."""

from __future__ import annotations

import struct
from typing import Final

from sms_milter.errors import DecodeError, LocalProtocolError

HIGHEST_SEQUENCE: Final = 0x7FFFFFFF
SHORTEST_PDU: Final = 16
LONGEST_PDU: Final = 70_000

Frame = tuple[int, int, int, bytes]
"""One PDU as read: command_id, command_status, sequence_number, body (all after the 16-octet header)."""

HEADER: Final = struct.Struct(">4I")


def frame(command_id: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole PDU: the header (SMPP 3.4 §3.2) and `body`."""
    try:
        return HEADER.pack(HEADER.size + len(body), command_id, status, sequence) + body
    except struct.error:
        raise LocalProtocolError(f"header of command {command_id:#x}: a value does not fit 32 bits") from None


def split(pdu: bytes) -> Frame:
    """One whole PDU as a frame."""
    _, command_id, status, sequence = HEADER.unpack_from(pdu)
    return command_id, status, sequence, pdu[HEADER.size :]


class BadLength(DecodeError):
    """A command_length that cannot be: the stream is out of step and cannot be read on.

    `frames` were read before it; `sequence` is the one to name in the generic_nack (0 when unknown).
    """

    def __init__(self, length: int, sequence: int, frames: list[Frame]) -> None:
        super().__init__(f"command_length {length}, not {SHORTEST_PDU}..{LONGEST_PDU}")
        self.sequence = sequence
        self.frames = frames


class FrameReader:
    """Cuts the octets of a link into PDUs. However they are chunked, the same frames come out."""

    __slots__ = ("_lost", "_needed", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._lost = False  # out of step: nothing that follows can be told apart
        self._needed = HEADER.size  # octets that `_rest` must hold before anything new can be known

    @property
    def partial(self) -> bool:
        """Whether the beginning of a PDU has arrived and its end has not."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[Frame]:
        """The PDUs that `data` completes. Raises BadLength with those before it; none come after."""
        if self._lost:
            return []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                if len(self._rest) < HEADER.size:
                    self._check_short(self._rest, [])
                return []
            data = bytes(self._rest)
            self._rest.clear()
        return self._cut(data)

    def _cut(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        unpack = HEADER.unpack_from
        at, end = 0, len(data)
        while end - at >= 16:
            length, command_id, status, sequence = unpack(data, at)
            if not 16 <= length <= LONGEST_PDU:
                raise self._lose(length, sequence if length >= 16 else 0, frames)
            following = at + length
            if following > end:
                self._keep(data, at, length)
                return frames
            frames.append((command_id, status, sequence, data[at + 16 : following]))
            at = following
        if at < end:
            self._check_short(data[at:], frames)
            self._keep(data, at, HEADER.size)
        return frames

    def _keep(self, data: bytes, at: int, needed: int) -> None:
        self._rest += data[at:] if at else data
        self._needed = needed

    def _lose(self, length: int, sequence: int, frames: list[Frame]) -> BadLength:
        self._lost = True
        self._rest.clear()
        return BadLength(length, sequence, frames)

    def _check_short(self, start: bytes | bytearray, frames: list[Frame]) -> None:
        """A length below 16 may be all that ever comes, so do not wait for a whole header."""
        if len(start) >= 4:
            length = int.from_bytes(start[:4], "big")
            if length < SHORTEST_PDU:
                raise self._lose(length, 0, frames)
