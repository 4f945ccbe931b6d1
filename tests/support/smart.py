"""Reads what a phone reads of ringtones and WAP pushes. Shares nothing with us (ENC §9.2, §10)."""

from __future__ import annotations

from dataclasses import dataclass, field

_BITS = {1: (4, 3, 2), 2: (2,), 3: (2,), 4: (5,), 5: (4,)}
_NAMES = {1: "note", 2: "scale", 3: "style", 4: "tempo", 5: "volume"}


@dataclass(frozen=True)
class Tune:
    """A ringtone: its instructions by name, each with its values."""

    title: str
    loop: int
    instructions: list[tuple[str, tuple[int, ...]]]


class _Bits:
    def __init__(self, octets: bytes) -> None:
        self._bits = "".join(f"{octet:08b}" for octet in octets)
        self.at = 0

    def take(self, width: int) -> int:
        value = int(self._bits[self.at : self.at + width], 2)
        self.at += width
        return value


def tune(octets: bytes) -> Tune:
    """The ringtone in binary form; AssertionError when it is none."""
    bits = _Bits(octets)
    assert (bits.take(8), bits.take(7), bits.take(1), bits.take(7), bits.take(3)) == (2, 0x25, 0, 0x1D, 1)
    title = "".join(chr(bits.take(8)) for _ in range(bits.take(4)))
    assert (bits.take(8), bits.take(3), bits.take(2)) == (1, 0, 0), "one pattern, called A"
    loop, count = bits.take(4), bits.take(8)
    instructions = []
    for _ in range(count):
        kind = bits.take(3)
        instructions.append((_NAMES[kind], tuple(bits.take(width) for width in _BITS[kind])))
    end = -(-bits.at // 8)
    assert octets[end:] == b"\0", "the end of the commands"
    return Tune(title, loop, instructions)


# --- WAP push -----------------------------------------------------------------------------------------------

_PREFIXES = {1: "http://", 2: "http://www.", 3: "https://", 4: "https://www."}
_VALUES = {0x85: ".com/", 0x86: ".edu/", 0x87: ".net/", 0x88: ".org/"}
_ACTIONS = {5: "signal-none", 6: "signal-low", 7: "signal-medium", 8: "signal-high", 9: "delete"}
_ATTRIBUTES = {0x0A: "created", 0x10: "si-expires", 0x11: "si-id", 0x12: "class"}


@dataclass
class Indication:
    """A service indication; dates are their digits."""

    transaction: int
    header: bytes
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


class _Wbxml:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def octet(self) -> int:
        self._at += 1
        return self._octets[self._at - 1]

    def number(self) -> int:
        value = 0
        while True:
            octet = self.octet()
            value = value << 7 | octet & 0x7F
            if octet < 0x80:
                return value

    def octets(self, count: int) -> bytes:
        self._at += count
        return self._octets[self._at - count : self._at]

    def string(self) -> str:
        end = self._octets.index(0, self._at)
        text = self._octets[self._at : end].decode()
        self._at = end + 1
        return text

    @property
    def done(self) -> bool:
        return self._at == len(self._octets)


def indication(octets: bytes) -> Indication:
    """The service indication in a WSP Push PDU; AssertionError when it is none."""
    reader = _Wbxml(octets)
    transaction, pdu = reader.octet(), reader.octet()
    assert pdu == 0x06, "a push"
    found = Indication(transaction, reader.octets(reader.number()))
    version, public_id, charset = reader.octet(), reader.number(), reader.number()
    assert (public_id, charset) == (5, 0x6A), "SI 1.0 in UTF-8"
    assert version in (2, 3)
    table = reader.octets(reader.number())
    assert (reader.octet(), reader.octet()) == (0x45, 0xC6), "si, indication"
    _read_attributes(reader, table, found)
    while (token := reader.octet()) != 0x01:
        found.text += _piece(token, reader, table)
    assert reader.octet() == 0x01
    assert reader.done, "nothing behind </si>"
    return found


def _read_attributes(reader: _Wbxml, table: bytes, found: Indication) -> None:
    name = ""
    while (token := reader.octet()) != 0x01:
        if token in _ACTIONS:
            found.attributes["action"] = _ACTIONS[token]
        elif 0x0B <= token <= 0x0F:
            name = "href"
            found.attributes[name] = _PREFIXES.get(token - 0x0B, "")
        elif token in _ATTRIBUTES:
            name = _ATTRIBUTES[token]
            found.attributes[name] = ""
        else:
            found.attributes[name] += _piece(token, reader, table)


def _piece(token: int, reader: _Wbxml, table: bytes) -> str:
    if token == 0x03:
        return reader.string()
    if token == 0x83:
        at = reader.number()
        return table[at : table.find(b"\0", at) % (len(table) + 1)].decode()
    if token == 0xC3:
        return reader.octets(reader.number()).hex()
    return _VALUES[token]
