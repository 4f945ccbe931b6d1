"""Messages from phones as the simulated SMSC delivers them: whole, or in parts that may come in any order."""

from __future__ import annotations

from sms_milter.simulate.script import MobileRule
from sms_milter.simulate.wire import Address, Tlv, compose_deliver_sm
from sms_milter.sms import alphabet

_UDHI = 0x40
_UCS2 = 8


def deliveries(rule: MobileRule, reference: int) -> list[bytes]:
    """The bodies of the deliver_sm in the order of sending (SMPP 3.4 §4.6.1)."""
    septets = alphabet.encode(rule.text)
    octets = rule.text.encode("utf-16-be") if septets is None else septets
    contents = _cut(octets, rule.parts)
    numbers = [number for number in rule.order or range(1, rule.parts + 1) if number not in rule.missing]
    coding = _UCS2 if septets is None else 0
    return [
        _body(rule, contents[number - 1], coding, reference, number)
        for number in numbers
        if 1 <= number <= rule.parts
    ]


def _cut(octets: bytes, parts: int) -> list[bytes]:
    """`parts` pieces of about the same length, of whole UTF-16 units."""
    size = -(-len(octets) // parts)
    size += size % 2
    return [octets[at : at + size] for at in range(0, size * parts, size)]


def _body(rule: MobileRule, content: bytes, data_coding: int, reference: int, number: int) -> bytes:
    esm_class, header = 0, b""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    if rule.parts > 1 and rule.joined_by == "sar":
        tlvs = (
            (Tlv.SAR_MSG_REF_NUM, reference.to_bytes(2, "big")),
            (Tlv.SAR_TOTAL_SEGMENTS, bytes((rule.parts,))),
            (Tlv.SAR_SEGMENT_SEQNUM, bytes((number,))),
        )
    elif rule.parts > 1:
        esm_class = _UDHI
        wide = rule.joined_by == "udh16"
        value = reference.to_bytes(2, "big") if wide else bytes((reference & 0xFF,))
        element = bytes((8 if wide else 0, len(value) + 2)) + value + bytes((rule.parts, number))
        header = bytes((len(element),)) + element
    return compose_deliver_sm(
        Address(1, 1, rule.source),
        Address(1, 1, rule.to),
        header + content,
        esm_class=esm_class,
        data_coding=data_coding,
        tlvs=tlvs,
    )
