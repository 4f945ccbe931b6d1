"""What a data coding scheme says about the octets of a short message (ENC §4)."""

from __future__ import annotations

from enum import Enum


class Coding(Enum):
    """How the octets of a short message count."""

    GSM = "GSM 7-bit"  # a septet in each octet
    OCTETS = "8-bit"
    UCS2 = "UCS-2"


_COMPRESSED = 0x20


def coding_of(data_coding: int) -> Coding:
    """The alphabet that `data_coding`, 0..255, names (GSM 03.38 §4); reserved values count in octets."""
    return _CODINGS[data_coding]


def _coding(data_coding: int) -> Coding:
    group = data_coding >> 4
    if group < 0x8:
        if data_coding & _COMPRESSED:
            return Coding.OCTETS
        return (Coding.GSM, Coding.OCTETS, Coding.UCS2, Coding.OCTETS)[data_coding >> 2 & 3]
    if group == 0xF:
        return Coding.OCTETS if data_coding & 0x04 else Coding.GSM
    return {0xC: Coding.GSM, 0xD: Coding.GSM, 0xE: Coding.UCS2}.get(group, Coding.OCTETS)


_CODINGS = tuple(map(_coding, range(256)))  # asked for with every message
