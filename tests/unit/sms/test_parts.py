"""ENC §5, §9.1: parts of what is not text. Parts of texts are looked at in test_plan."""

from dataclasses import replace

import pytest

from sms_milter.errors import Rejected
from sms_milter.model import Binary, Reference
from sms_milter.sms import udh
from sms_milter.sms.parts import Composed, binary_parts
from sms_milter.sms.terms import Concatenation, LongMessages, SmscTraits, Terms

TERMS = Terms("ACME")
RINGTONE = udh.ports(5505)
COUNTED = bytes(n % 256 for n in range(2000))


def composed(content: Binary, way: Concatenation = "udh", **terms: object) -> Composed:
    return binary_parts(content, replace(TERMS, traits=SmscTraits(long_messages=way), **terms))  # type: ignore[arg-type]


def octets(content: Binary, way: Concatenation = "udh", **terms: object) -> list[bytes]:
    return [octets for octets, _ in composed(content, way, **terms).parts]


def refusal(content: Binary, **terms: object) -> str:
    with pytest.raises(Rejected) as refused:
        composed(content, **terms)  # type: ignore[arg-type]
    return str(refused.value.reply)


def test_one_sms_holds_140_octets_header_included() -> None:
    assert octets(Binary(COUNTED[:140])) == [COUNTED[:140]]
    assert octets(Binary(COUNTED[:133], udh=RINGTONE)) == [b"\x06" + RINGTONE + COUNTED[:133]]
    assert len(octets(Binary(COUNTED[:141]))) == len(octets(Binary(COUNTED[:134], udh=RINGTONE))) == 2


def test_the_whole_of_200_octets() -> None:  # ENC §11 vector 19
    whole = composed(Binary(COUNTED[:200]))
    assert whole == Composed(
        "",
        4,
        (
            (bytes.fromhex("050003000201") + COUNTED[:134], ()),
            (bytes.fromhex("050003000202") + COUNTED[134:200], ()),
        ),
        0x40,
        Reference(3, 1),
    )


def test_ports_come_first_in_every_part() -> None:
    whole = composed(Binary(COUNTED[:265], udh=udh.ports(5514)))
    assert [part for part, _ in whole.parts] == [
        bytes.fromhex("0B0504158A000000030003") + b"\1" + COUNTED[:128],
        bytes.fromhex("0B0504158A000000030003") + b"\2" + COUNTED[128:256],
        bytes.fromhex("0B0504158A000000030003") + b"\3" + COUNTED[256:265],
    ]
    assert whole.concatenation == Reference(9, 1)


def test_sixteen_bit_reference() -> None:
    whole = composed(Binary(COUNTED[:200], udh=RINGTONE), "udh16")
    assert [part for part, _ in whole.parts] == [
        bytes.fromhex("0C0504158100000804000002") + b"\1" + COUNTED[:127],
        bytes.fromhex("0C0504158100000804000002") + b"\2" + COUNTED[127:200],
    ]
    assert whole.concatenation == Reference(9, 2)


def test_tlvs_leave_room_for_the_header_that_the_smsc_makes_of_them() -> None:
    whole = composed(Binary(COUNTED[:200], udh=RINGTONE), "sar")
    assert [part for part, _ in whole.parts] == [
        b"\x06" + RINGTONE + COUNTED[:128],
        b"\x06" + RINGTONE + COUNTED[128:200],
    ]
    assert [dict(tlvs)[0x020F] for _, tlvs in whole.parts] == [b"\1", b"\2"]
    assert (whole.esm_class, whole.concatenation) == (0x40, Reference(0, 2, tlv=True))
    bare = composed(Binary(COUNTED[:200]), "sar")
    assert [len(part) for part, _ in bare.parts] == [134, 66]
    assert bare.esm_class == 0


@pytest.mark.parametrize(("way", "long_messages"), [("payload", "concatenate"), ("udh", "payload")])
def test_message_payload_is_for_octets_without_a_header(
    way: Concatenation, long_messages: LongMessages
) -> None:
    whole = composed(Binary(COUNTED[:200]), way, long_messages=long_messages)
    assert whole == Composed("", 4, ((b"", ((0x0424, COUNTED[:200]),)),))
    headed = octets(Binary(COUNTED[:200], udh=RINGTONE), way, long_messages=long_messages)
    assert [part[:12] for part in headed] == [bytes.fromhex(f"0B050415810000000300020{n}") for n in (1, 2)]


@pytest.mark.parametrize(
    ("data_coding", "one", "several"),
    [(0x00, 160, 153), (0x04, 140, 134), (0x08, 140, 134), (0xF5, 140, 134)],
)
def test_octets_count_as_their_alphabet_does(data_coding: int, one: int, several: int) -> None:
    fitting = Binary(b"A" * one, data_coding=data_coding)
    assert len(octets(fitting)) == 1
    parts = octets(replace(fitting, octets=b"A" * (one + 2)))
    assert [len(part) - 6 for part in parts] == [several, one + 2 - several]
    assert composed(fitting).data_coding == data_coding


def test_characters_are_not_cut() -> None:
    escaped = octets(Binary(b"A" * 152 + b"\x1b\x65" + b"B" * 10, data_coding=0))
    assert escaped[1][6:8] == b"\x1b\x65"
    paired = octets(Binary(("ж" * 66 + "😀" + "ж" * 5).encode("utf-16-be"), data_coding=8))
    assert paired[1][6:10] == bytes.fromhex("D83DDE00")
    odd = octets(Binary(b"\0" * 141, data_coding=8))
    assert [len(part) - 6 for part in odd] == [134, 7]
    with_ports = octets(Binary("ж".encode("utf-16-be") * 70, udh=b"\x0a\x01\x01", data_coding=8))
    assert [len(part) - 9 for part in with_ports] == [130, 10]


def test_bits_of_esm_class_are_kept() -> None:
    assert composed(Binary(b"\1", esm_class=0x80)).esm_class == 0x80
    assert composed(Binary(COUNTED[:200], udh=RINGTONE, esm_class=0x83)).esm_class == 0xC3


@pytest.mark.parametrize("esm_class", [0x00, 0x40])
def test_what_is_whole_stays_as_given(esm_class: int) -> None:
    content = Binary(COUNTED[:254], data_coding=0, esm_class=esm_class, whole=True)
    for terms in (TERMS, replace(TERMS, max_parts=1, long_messages="truncate")):
        assert binary_parts(content, terms) == Composed("", 0, ((COUNTED[:254], ()),), esm_class)


def test_too_many_parts() -> None:
    assert len(octets(Binary(COUNTED[:268]), max_parts=2)) == 2
    assert refusal(Binary(COUNTED[:269]), max_parts=2).endswith(
        "it needs 3 SMS and 2 are allowed (269 octets, 134 in each)"
    )
    assert "needs 256 SMS and 255 are allowed" in refusal(Binary(bytes(134 * 255 + 1)), max_parts=1000)


@pytest.mark.parametrize("long_messages", ["reject", "truncate"])
def test_nothing_is_cut_short(long_messages: LongMessages) -> None:
    assert "needs 2 SMS and 1 are allowed" in refusal(Binary(COUNTED[:141]), long_messages=long_messages)


def test_nothing_is_split_into_messages_of_their_own() -> None:
    assert octets(Binary(COUNTED[:141]), long_messages="split")[0][:6] == bytes.fromhex("050003000201")


@pytest.mark.parametrize("header", ["00035A0201", "08045A5A0201", "0504158200000003010201"])
def test_a_part_is_not_cut_into_parts(header: str) -> None:
    assert "needs 2 SMS and 1 are allowed" in refusal(Binary(COUNTED[:140], udh=bytes.fromhex(header)))


def test_a_header_that_leaves_no_room() -> None:
    header = bytes((0x0A, 130)) + bytes(130)
    assert octets(Binary(b"1234567", udh=header)) == [bytes((132,)) + header + b"1234567"]
    assert "and 1 are allowed" in refusal(Binary(b"12345678", udh=header))
    assert "and 1 are allowed" in refusal(Binary(b"12345678", udh=bytes((0x0A, 137)) + bytes(137)))
