"""PDUs as smpplib generates them. The only module that knows it."""

from __future__ import annotations

from typing import Any

from smpplib import smpp


class _SequenceSource:
    """What smpplib's PDU classes ask of their client; our session numbers PDUs itself."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


_SEQUENCES = _SequenceSource()


def built(command: str, **fields: Any) -> bytes:
    """A whole PDU with sequence number 0, as smpplib generates it."""
    pdu = smpp.make_pdu(command, client=_SEQUENCES, **fields)
    if "interface_version" in fields:
        pdu.interface_version = fields["interface_version"]  # smpplib's constructor overwrites it
    generated: bytes = pdu.generate()
    return generated
