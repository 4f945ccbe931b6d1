"""ENC §4, §5; SMPP §3 to §5, §11; HSL §4.4 to §4.6, §11, §12."""

from dataclasses import replace

import pytest

from sms_milter.errors import Rejected
from sms_milter.model import Binary, Kind, PlannedMessage, Priority, Reference, SubmitSm, Wish
from sms_milter.sms import alphabet
from sms_milter.sms.plan import originator_address
from sms_milter.sms.terms import Flash, SmscTraits, Terms
from support.planning import plan

WISH = Wish("447973100000", "Hi")
TERMS = Terms("ACME")


def planned(text: str, terms: Terms = TERMS, **wish: object) -> PlannedMessage:
    (message,) = plan([WISH._replace(text=text, **wish)], lambda _: terms)  # type: ignore[arg-type]
    return message


def contents(text: str, terms: Terms = TERMS) -> list[bytes]:
    return [part.short_message for part in planned(text, terms).parts]


def refusal(text: str, terms: Terms) -> str:
    with pytest.raises(Rejected) as refused:
        planned(text, terms)
    return str(refused.value.reply)


# --- fields -------------------------------------------------------------------------------------------------


def test_short_text_is_one_plain_submit_sm() -> None:
    message = planned("Server down")
    assert message.text == "Server down"
    assert message.originator == "ACME"
    assert message.concatenation is None
    assert message.parts == (
        SubmitSm(
            source_addr_ton=5,
            source_addr="ACME",
            destination_addr="447973100000",
            short_message=b"Server down",
        ),
    )


@pytest.mark.parametrize(
    ("receipt", "progress", "registered_delivery"),
    [(False, False, 0x00), (True, False, 0x01), (True, True, 0x11), (False, True, 0x00)],
)
def test_receipts_and_intermediate_notifications(
    receipt: bool, progress: bool, registered_delivery: int
) -> None:
    (part,) = planned("Hi", receipt=receipt, progress=progress).parts
    assert part.registered_delivery == registered_delivery


def test_the_wish_is_carried_over() -> None:
    wish = Wish(
        "447973100000",
        "Hi",
        recipient="447973100000@sms.example.com",
        reference="42",
        priority=Priority.HIGH,
        not_before=1732190400.0,
        validity_seconds=900,
        receipt=True,
        channel="sms",
    )
    (message,) = plan([wish], lambda _: Terms("ACME", route="swiss", smsc="primary"))
    assert message.recipient == "447973100000@sms.example.com"
    assert (message.reference, message.priority, message.not_before) == ("42", Priority.HIGH, 1732190400.0)
    assert (message.validity_seconds, message.receipt) == (900, True)
    assert (message.route, message.smsc) == ("swiss", "primary")
    (part,) = message.parts
    assert part.validity_period == "000000001500000R"
    assert part.registered_delivery == 1
    assert part.schedule_delivery_time == ""
    assert part.priority_flag == 0


@pytest.mark.parametrize(
    ("text", "flash", "data_coding"),
    [("Hi", False, 0x00), ("Hi", True, 0x10), ("Жду", False, 0x08), ("Жду", True, 0x18)],
)
def test_data_coding(text: str, flash: bool, data_coding: int) -> None:
    message = planned(text, flash=flash)
    assert message.flash is flash
    assert message.parts[0].data_coding == data_coding


@pytest.mark.parametrize(
    ("way", "gsm", "ucs2", "octets", "tlvs"),
    [
        ("dcs-10", 0x10, 0x18, 0x14, ()),
        ("dcs-f0", 0xF0, 0x18, 0xF4, ()),
        ("subunit", 0x00, 0x08, 0x04, ((0x0005, b"\x01"),)),
    ],
)
def test_each_smsc_is_told_in_its_way_to_show_a_message_at_once(
    way: Flash, gsm: int, ucs2: int, octets: int, tlvs: object
) -> None:
    terms = Terms("ACME", traits=SmscTraits(flash=way))
    for text, coding in (("Hi", gsm), ("A" * 161, gsm), ("Жду", ucs2)):
        parts = planned(text, terms, flash=True).parts
        assert {(part.data_coding, part.tlvs) for part in parts} == {(coding, tlvs)}
    content = Binary(b"\x01", data_coding=0x14)
    (part,) = planned("", terms, flash=True, binary=content).parts
    assert (part.data_coding, part.tlvs) == (octets, tlvs)
    (part,) = planned("", terms, binary=content).parts
    assert (part.data_coding, part.tlvs) == (0x14, ())  # asked for by its number, and so left alone


def test_flash_by_tlv_goes_with_the_others() -> None:
    sar = Terms("ACME", traits=SmscTraits(flash="subunit", long_messages="sar"))
    assert [tag for tag, _ in planned("A" * 161, sar, flash=True).parts[0].tlvs] == [5, 0x20C, 0x20E, 0x20F]
    payload = Terms("ACME", traits=SmscTraits(flash="subunit", long_messages="payload"))
    assert [tag for tag, _ in planned("A" * 161, payload, flash=True).parts[0].tlvs] == [5, 0x424]


def test_smart_messages_have_the_coding_that_the_smsc_wants() -> None:
    terms = Terms("ACME", traits=SmscTraits(smart_coding="dcs-f5"))
    for content, coding in (
        (Binary(b"\x02\x4a", kind=Kind.RINGTONE), 0xF5),
        (Binary(b"\x02\x4a", kind=Kind.RINGTONE, data_coding=0x15), 0x15),
        (Binary(b"\x02\x4a"), 0x04),
    ):
        assert planned("", terms, binary=content).parts[0].data_coding == coding


def test_a_ping_shows_nothing() -> None:
    message = planned("", kind=Kind.PING, protocol_id=0x40)
    assert message.kind is Kind.PING
    assert [(part.protocol_id, part.short_message) for part in message.parts] == [(0x40, b"")]


def test_a_validity_period_goes_to_the_smsc_unchanged() -> None:
    message = planned("Hi", validity_seconds=900, validity_period="241121120000000+")
    assert message.parts[0].validity_period == "241121120000000+"
    assert message.validity_seconds == 900


def test_a_validity_of_our_queue_is_not_told_to_the_smsc() -> None:
    message = planned("Hi", validity_seconds=900, queue_only=True)
    assert (message.validity_seconds, message.parts[0].validity_period) == (900, "")


def test_ucs2_may_be_asked_for() -> None:
    (part,) = planned("Hi", replace(TERMS, append="!"), ucs2=True).parts
    assert (part.data_coding, part.short_message) == (8, "Hi!".encode("utf-16-be"))
    decomposed = planned("e\u0301", ucs2=True).parts[0].short_message
    assert decomposed == "e\u0301".encode("utf-16-be")
    both = plan([WISH._replace(text="Hi"), WISH._replace(text="Hi", ucs2=True)], lambda _: TERMS)
    assert [message.parts[0].data_coding for message in both] == [0, 8]


def test_binary_content_is_what_it_says_it_is() -> None:
    tone = Binary(b"\x02\x4a", udh=bytes.fromhex("050415810000"), kind=Kind.RINGTONE)
    (message,) = plan([WISH._replace(text="", binary=tone, protocol_id=63)], lambda _: TERMS)
    assert (message.kind, message.text, message.concatenation) == (Kind.RINGTONE, "", None)
    assert message.parts == (
        SubmitSm(
            source_addr_ton=5,
            source_addr="ACME",
            destination_addr="447973100000",
            esm_class=0x40,
            protocol_id=63,
            data_coding=4,
            short_message=bytes.fromhex("06050415810000024A"),
        ),
    )


def test_what_is_appended_belongs_to_texts_only() -> None:
    (message,) = plan([WISH._replace(binary=Binary(b"\x01"))], lambda _: Terms("ACME", append=" -- ACME"))
    assert message.parts[0].short_message == b"\x01"


# --- alphabets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("Café", "43616605"),  # HSL §12 H19
        ("maça", "006D006100E70061"),
        ("Привет", "041F04400438043204350442"),
        ("😀", "D83DDE00"),
        ("Cafe\u0301", "43616605"),
        ("z\u0301", "017A"),  # NFC in UCS-2 too
        ("a\ud800b", "0061003F0062"),
    ],
)
def test_choice_of_alphabet(text: str, octets: str) -> None:
    assert contents(text) == [bytes.fromhex(octets)]


def test_punctuation_saves_ucs2_only_where_it_is_allowed() -> None:
    message = planned("“Ready” – go…", Terms("ACME", punctuation=True))
    assert message.text == '"Ready" - go...'
    assert message.parts[0].data_coding == 0
    assert planned("“Ready”").parts[0].data_coding == 8


def test_punctuation_that_does_not_help_is_left_alone() -> None:
    assert planned("“Привет”", Terms("ACME", punctuation=True)).text == "“Привет”"


@pytest.mark.parametrize(
    ("name", "text", "data_coding", "octets"),
    [
        ("latin1", "[Café]", 0, b"[Caf\xe9]"),
        ("latin1", "5 €", 8, "5 €".encode("utf-16-be")),
        ("latin1", "Ω", 8, "Ω".encode("utf-16-be")),
        ("latin1", "á", 8, "á".encode("utf-16-be")),  # the choice stays GSM's
        ("latin1", "a\u00a0b", 0, b"a b"),
        ("ascii", "[a]~", 0, b"[a]~"),
        ("ascii", "Café", 8, "Café".encode("utf-16-be")),
        ("ascii", "a\u00a0b", 0, b"a b"),
    ],
)
def test_smsc_with_another_default_alphabet(name: str, text: str, data_coding: int, octets: bytes) -> None:
    terms = Terms("ACME", traits=SmscTraits(alphabet=name))  # type: ignore[arg-type]
    (part,) = planned(text, terms).parts
    assert (part.data_coding, part.short_message) == (data_coding, octets)


def test_extension_characters_count_two_even_where_they_are_one_octet() -> None:
    terms = Terms("ACME", traits=SmscTraits(alphabet="latin1"))
    assert len(contents("[" * 80, terms)) == 1
    assert [len(part) for part in contents("[" * 81, terms)] == [6 + 76, 6 + 5]


# --- parts --------------------------------------------------------------------------------------------------


def test_concatenation_with_eight_bit_reference() -> None:
    message = planned("A" * 161)
    assert [part.short_message for part in message.parts] == [
        bytes.fromhex("050003000201") + b"A" * 153,
        bytes.fromhex("050003000202") + b"A" * 8,
    ]
    assert {part.esm_class for part in message.parts} == {0x40}
    assert message.concatenation == Reference(3, 1)


def test_concatenation_with_sixteen_bit_reference() -> None:
    message = planned("A" * 161, Terms("ACME", traits=SmscTraits(long_messages="udh16")))
    assert [part.short_message for part in message.parts] == [
        bytes.fromhex("06080400000201") + b"A" * 152,
        bytes.fromhex("06080400000202") + b"A" * 9,
    ]
    assert message.concatenation == Reference(3, 2)


def test_concatenation_by_tlvs() -> None:
    message = planned("A" * 161, Terms("ACME", traits=SmscTraits(long_messages="sar")))
    assert [part.short_message for part in message.parts] == [b"A" * 153, b"A" * 8]
    assert [part.tlvs for part in message.parts] == [
        ((0x020C, b"\0\0"), (0x020E, b"\2"), (0x020F, b"\1")),
        ((0x020C, b"\0\0"), (0x020E, b"\2"), (0x020F, b"\2")),
    ]
    assert {part.esm_class for part in message.parts} == {0}
    assert message.concatenation == Reference(0, 2, tlv=True)


@pytest.mark.parametrize(
    "terms",
    [Terms("ACME", long_messages="payload"), Terms("ACME", traits=SmscTraits(long_messages="payload"))],
)
def test_whole_text_in_message_payload(terms: Terms) -> None:
    message = planned("Ж" * 71, terms)
    (part,) = message.parts
    assert part.short_message == b""
    assert part.tlvs == ((0x0424, "Ж".encode("utf-16-be") * 71),)
    assert message.concatenation is None
    assert planned("A" * 160, terms).parts[0].short_message == b"A" * 160


def test_plain_splitting() -> None:
    message = planned("A" * 161, Terms("ACME", long_messages="split"))
    assert [part.short_message for part in message.parts] == [b"A" * 160, b"A"]
    assert {part.esm_class for part in message.parts} == {0}
    assert message.concatenation is None


def test_vectors_of_pairs_that_would_straddle() -> None:
    assert contents("A" * 152 + "€" + "B" * 10) == [
        bytes.fromhex("050003000201") + b"A" * 152,
        bytes.fromhex("0500030002021B6542424242424242424242"),
    ]
    assert contents("ж" * 66 + "😀" + "ж" * 5) == [
        bytes.fromhex("050003000201") + bytes.fromhex("0436") * 66,
        bytes.fromhex("050003000202D83DDE0004360436043604360436"),
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [("A" * 160, 1), ("A" * 161, 2), ("A" * 306, 2), ("A" * 307, 3), ("ж" * 70, 1), ("ж" * 71, 2)],
)
def test_number_of_parts(text: str, parts: int) -> None:
    assert len(planned(text).parts) == parts


def test_too_many_parts() -> None:
    terms = Terms("ACME", max_parts=2)
    assert len(planned("A" * 306, terms).parts) == 2
    assert refusal("A" * 307, terms) == (
        "552 5.3.4 message too long, it needs 3 SMS and 2 are allowed (GSM 7-bit; 307 septets, 153 in each)"
    )
    assert "needs 3 SMS" in refusal("A" * 321, replace(terms, long_messages="split"))
    assert "needs 3 SMS" in refusal("A" * 307, replace(terms, long_messages="payload"))


def test_more_parts_than_a_concatenation_can_count() -> None:
    terms = Terms("ACME", max_parts=1000)
    assert len(planned("A" * 153 * 255, terms).parts) == 255
    assert "needs 256 SMS and 255 are allowed" in refusal("A" * 153 * 255 + "A", terms)
    assert "needs 13072 SMS" in refusal("A" * 2_000_000, terms)


def test_long_text_refused_where_the_account_says_so() -> None:
    terms = Terms("ACME", long_messages="reject")
    assert len(planned("A" * 160, terms).parts) == 1
    assert "needs 2 SMS and 1 are allowed" in refusal("A" * 161, terms)


# --- appended text ------------------------------------------------------------------------------------------


def test_appended_text_counts() -> None:
    terms = Terms("ACME", append=" -- ACME Ltd")
    assert planned("Hi", terms).text == "Hi -- ACME Ltd"
    assert len(planned("A" * 148, terms).parts) == 1
    assert len(planned("A" * 155, terms).parts) == 2


def test_appended_text_takes_part_in_the_choice_of_alphabet() -> None:
    assert planned("Hi", Terms("ACME", append=" Ж")).parts[0].data_coding == 8


@pytest.mark.parametrize(
    ("text", "append", "shown"),
    [
        ("A" * 200, "", "A" * 160),
        ("A" * 200, " -- ACME", "A" * 152 + " -- ACME"),
        ("A" * 151 + "€€", " -- ACME", "A" * 151 + " -- ACME"),
        ("ж" * 100, " [A]", "ж" * 66 + " [A]"),
        ("ж" * 65 + "😀😀", " [A]", "ж" * 65 + " [A]"),
        ("A" * 200, "B" * 160, "B" * 160),
        ("ж" * 80, "B" * 70, "B" * 70),
        ("“" + "A" * 200 + "”", "…", '"' + "A" * 156 + "..."),
    ],
)
def test_truncation_cuts_the_text_and_never_what_is_appended(text: str, append: str, shown: str) -> None:
    message = planned(text, Terms("ACME", append=append, long_messages="truncate", punctuation=True))
    assert message.text == shown
    assert len(message.parts) == 1
    octets = message.parts[0].short_message
    assert (octets.decode("utf-16-be") if message.parts[0].data_coding else alphabet.decode(octets)) == shown


def test_appended_text_that_leaves_no_room() -> None:
    terms = Terms("ACME", append="B" * 161, long_messages="truncate")
    assert "needs 2 SMS and 1 are allowed" in refusal("A", terms)


# --- many destinations --------------------------------------------------------------------------------------


def test_one_text_for_many_destinations_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    encode = alphabet.encode
    monkeypatch.setattr(alphabet, "encode", lambda text: encoded.append(text) or encode(text))
    wishes = [WISH._replace(destination=str(447973100000 + n)) for n in range(100)]
    messages = plan(wishes, lambda wish: Terms("ACME", route=wish.destination[-1]))
    assert [message.parts[0].destination_addr for message in messages] == [w.destination for w in wishes]
    assert {message.route for message in messages} == set("0123456789")
    assert encoded.count("Hi") == 1


def test_contents_of_one_mail_are_kept_apart() -> None:
    wishes = [WISH._replace(text=""), WISH._replace(text="", binary=Binary(b"\x01"))]
    assert [message.parts[0].short_message for message in plan(wishes, lambda _: TERMS)] == [b"", b"\x01"]


def test_terms_differ_by_destination() -> None:
    wishes = [WISH._replace(destination=d, text="A" * 161) for d in ("41790000001", "447973100000")]
    traits = {
        "41790000001": SmscTraits(),
        "447973100000": SmscTraits(long_messages="sar", source_ton_npi=(0, 1)),
    }
    swiss, british = plan(wishes, lambda wish: Terms("ACME", traits=traits[wish.destination]))
    assert swiss.concatenation == Reference(3, 1)
    assert british.concatenation == Reference(0, 2, tlv=True)
    assert (british.parts[0].source_addr_ton, british.parts[0].source_addr_npi) == (0, 1)


# --- originators ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("originator", "address"),
    [
        ("", (0, 0, "")),
        ("447973100000", (1, 1, "447973100000")),
        ("+447973100000", (1, 1, "447973100000")),
        ("1234567", (1, 1, "1234567")),
        ("1234567890123456", (1, 1, "1234567890123456")),
        ("123456", (3, 0, "123456")),
        ("7", (3, 0, "7")),
        ("ACME", (5, 0, "ACME")),
        ("ACME Ltd. 24", None),
        ("ACME Ltd 24", (5, 0, "ACME Ltd 24")),
        ("+123", (1, 1, "123")),
        ("me@acme", (5, 0, "me@acme")),
        ("12345678901234567", None),
        ("A[CME[CME[C", None),  # 14 septets
        ("Müller", None),
        ("A`B", None),
        ("A\nB", None),
        ("٠١٢٣٤٥٦٧", None),
    ],
)
def test_originator_address(originator: str, address: tuple[int, int, str] | None) -> None:
    if address is None:
        with pytest.raises(ValueError, match="an originator"):
            originator_address(originator)
    else:
        assert originator_address(originator) == address


def test_ton_and_npi_by_configuration() -> None:
    assert originator_address("12345", (0, 1)) == (0, 1, "12345")
    assert originator_address("+447973100000", (0, 1)) == (0, 1, "447973100000")
    assert originator_address("", (0, 1)) == (0, 0, "")
