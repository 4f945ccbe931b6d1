"""What we send, read back by decoders that others wrote: hundreds of messages, the same ones each time.

The SMPP side is read by Wireshark, npm's smpp and smpp34; what a phone gets of it (support/tpdu.py packs it
as an SMSC does) by Wireshark and gammu; contents by gammu, gnokii, ImageMagick and libwbxml. Each kind of
message is read by two of them at least. Where one of them reads something else, the test says who is right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from subprocess import CalledProcessError
from typing import Any
from xml.etree import ElementTree

import gsmcodecs  # noqa: F401 -- registers its codecs
import pytest
import smpp34

from sms_milter.model import Wish
from sms_milter.smpp import codec
from sms_milter.sms import smart
from sms_milter.sms.indication import Waiting
from sms_milter.sms.national import Shift, locking_table, single_table
from sms_milter.sms.smart import Bitmap
from sms_milter.sms.terms import SmscTraits, Terms
from support.decoders import files, ofono, tshark
from support.decoders.exchange import (
    CAPTION,
    GSM,
    NATIONAL,
    NUMBER,
    SOURCE,
    Batch,
    Sent,
    calendars,
    cards,
    exchange,
    words,
)
from support.planning import plan
from support.smart import indication, tune

pytestmark = [pytest.mark.smsc, pytest.mark.slow]


@pytest.fixture(scope="module")
def batch() -> Batch:
    return exchange()


def test_there_are_hundreds_of_messages(batch: Batch) -> None:
    assert sum(len(sent.pdus) for many in batch.values() for sent in many) > 1500
    assert {len(sent.pdus) for sent in batch["gsm"]} >= {1, 2, 3, 4, 5}


# --- fields and headers -------------------------------------------------------------------------------------


def test_every_field_of_every_submit_sm(batch: Batch) -> None:
    for sent in (sent for many in batch.values() for sent in many):
        parts = zip(sent.plan.parts, sent.wireshark, sent.node, sent.rust, sent.pdus, strict=True)
        for part, shark, node, rust, pdu in parts:
            (fields,) = tshark.found(shark, "smpp")
            fields = {name.removeprefix("smpp."): value for name, value in fields.items()}
            assert fields["destination_addr"] == node["destination_addr"] == rust.destination_addr == NUMBER
            assert fields["source_addr"] == node["source_addr"] == rust.source_addr == SOURCE
            assert (
                int(fields["data_coding"], 16) == node["data_coding"] == rust.data_coding == part.data_coding
            )
            assert (
                int(fields["protocol_id"], 16) == node["protocol_id"] == rust.protocol_id == part.protocol_id
            )
            assert int(fields["esm.submit.features"], 16) == part.esm_class >> 6
            assert node["esm_class"] == rust.esm_class == part.esm_class
            stamped = pdu[len(pdu) - len(part.short_message) :] if not part.tlvs else part.short_message
            assert rust.short_message == stamped
            assert tshark.octets_of(fields.get("message", "")) == stamped


def headers(sent: Sent) -> list[tuple[int, int, int]]:
    """Reference, total and number of each part as its own header says."""
    told = []
    for part, pdu in zip(sent.plan.parts, sent.pdus, strict=True):
        elements = dict(_elements(pdu[len(pdu) - len(part.short_message) :])) if part.esm_class & 0x40 else {}
        if 0x00 in elements:
            told.append((elements[0][0], elements[0][1], elements[0][2]))
        elif 0x08 in elements:
            told.append((int.from_bytes(elements[8][:2], "big"), elements[8][2], elements[8][3]))
    return told


def _elements(user_data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 1
    while at <= user_data[0]:
        yield user_data[at], user_data[at + 2 : at + 2 + user_data[at + 1]]
        at += 2 + user_data[at + 1]


def test_the_places_of_parts(batch: Batch) -> None:
    checked = 0
    for sent in (sent for many in batch.values() for sent in many):
        wanted = headers(sent)
        if not wanted:
            continue
        assert wanted == [(sent.reference, len(wanted), at) for at in range(1, len(wanted) + 1)]
        for layers in (sent.wireshark, sent.on_air):
            ids = [name for one in layers for name in tshark.found(one, "gsm_sms.udh.mm.msg_id")] or [
                name for one in layers for name in tshark.found(one, "gsm_sms.udh.mm.msg_id_16bit")
            ]
            totals = [name for one in layers for name in tshark.found(one, "gsm_sms.udh.mm.msg_parts")]
            numbers = [name for one in layers for name in tshark.found(one, "gsm_sms.udh.mm.msg_part")]
            shown = [tuple(map(int, one)) for one in zip(ids, totals, numbers, strict=True)]
            assert shown == wanted
        for read, (reference, total, number) in zip(sent.node, wanted, strict=True):
            elements = [bytes.fromhex(one) for one in read["short_message"]["udh"]]
            place = next(one for one in elements if one[0] in (0x00, 0x08))
            assert place[2:] == (reference.to_bytes(place[1] - 2, "big") + bytes((total, number)))
        # gammu gives the place only where it knows the whole header, which of cards and tables it does not.
        if sent.gammu and sent.gammu["parts"][0]["UDH"]["Type"] != "UserUDH":
            for read, (reference, total, number) in zip(sent.gammu["parts"], wanted, strict=True):
                told = read["UDH"]
                assert (told["AllParts"], told["PartNumber"]) == (total, number)
                assert reference in (told["ID8bit"], told["ID16bit"])
        checked += 1
    assert checked > 200


def test_parts_tied_by_tlvs(batch: Batch) -> None:
    ways = set()
    for sent in batch["tied"]:
        total = len(sent.plan.parts)
        for number, (shark, node, rust) in enumerate(
            zip(sent.wireshark, sent.node, sent.rust, strict=True), 1
        ):
            tags = {one.tag: bytes(one.value) for one in rust.tlvs}
            ways.add(tuple(sorted(tags)))
            if 0x020C in tags:
                shown = [tshark.found(shark, f"smpp.sar_{name}")[0] for name in SAR_NAMES]
                assert [int(str(one), 0) for one in shown] == [sent.reference, total, number]
                assert [node[f"sar_{name}"] for name in SAR_NAMES] == [sent.reference, total, number]
            if 0x0424 in tags:
                (payload,) = tshark.found(shark, "smpp.message_payload")
                assert tshark.octets_of(payload) == tags[0x0424]
                assert rust.short_message == b""
    assert ways == {(), (0x0424,), (0x020C, 0x020E, 0x020F)}


SAR_NAMES = ("msg_ref_num", "total_segments", "segment_seqnum")


# --- texts --------------------------------------------------------------------------------------------------


def on_air(sent: Sent) -> str:
    """A text as Wireshark shows it from TPDUs: all of it at the last part, if there are several."""
    return "".join(tshark.found(sent.on_air[-1], "gsm_sms.sms_text"))


def in_smpp(sent: Sent) -> str:
    return "".join(tshark.found(one, "smpp.message_text")[0] for one in sent.wireshark)


def by_node(sent: Sent) -> str:
    return "".join(read["short_message"]["message"] for read in sent.node)


def by_gammu(sent: Sent) -> str:
    # gammu takes a text for as long as it has septets, so that a NUL and whatever was in its memory follow
    # one with pairs.
    return "".join(read["Text"].partition("\0")[0] for read in sent.gammu["parts"])


def test_texts_of_the_gsm_alphabet(batch: Batch) -> None:
    for sent in batch["gsm"]:
        assert sent.plan.parts[0].data_coding == 0
        by_codec = b"".join(sent.contents).decode("gsm23.038")
        read = [by_codec, by_node(sent), by_gammu(sent), on_air(sent), in_smpp(sent)]
        assert read == [sent.plan.text] * 5


def test_texts_in_ucs2(batch: Batch) -> None:
    beyond = 0
    for sent in batch["ucs2"]:
        text = sent.plan.text
        assert sent.plan.parts[0].data_coding == 8
        assert [by_node(sent), by_gammu(sent), on_air(sent)] == [text] * 3
        # Wireshark's SMPP dissector keeps to the letter of UCS-2 and shows the halves of a surrogate pair as
        # two characters. Phones, and Wireshark itself in a TPDU, read UTF-16: so we are right to send it (ENC
        # §3.2).
        to_the_letter = in_smpp(sent)
        assert to_the_letter.encode("utf-16", "surrogatepass").decode("utf-16") == text
        beyond += to_the_letter != text
    assert beyond > 50


@pytest.mark.parametrize(
    ("name", "default", "python"), [("latin1", "ISO-8859-1", "latin-1"), ("ascii", "ASCII", "ascii")]
)
def test_texts_in_the_default_alphabet_of_other_smscs(name: Any, default: str, python: str) -> None:
    """Read by Wireshark, and by smpp34 with Python's codec."""
    chance = random.Random(7)
    letters = [c for c in GSM if c.encode(python, "ignore") and c != "\f"]
    terms = Terms(SOURCE, max_parts=255, traits=SmscTraits(alphabet=name))
    messages = [plan([Wish(NUMBER, words(chance, letters, 500))], lambda _: terms)[0] for _ in range(30)]
    # Each by a number of its own, so that none is joined with another's parts.
    pdus = [
        codec.stamp(1, codec.compose(part, message.concatenation).stamped(at))
        for at, message in enumerate(messages)
        for part in message.parts
    ]
    read = [smpp34.decode(pdu) for pdu in pdus]
    assert {one.data_coding for one in read} == {0}
    contents = [one.short_message[6 if one.esm_class else 0 :].decode(python) for one in read]
    shown = [tshark.found(one, "smpp.message_text")[0] for one in tshark.smpp(pdus, default)]
    assert "".join(contents) == "".join(shown) == "".join(message.text for message in messages)


def test_no_part_begins_or_ends_within_a_character(batch: Batch) -> None:
    for sent in batch["ucs2"]:
        texts = [content.decode("utf-16-be") for content in sent.contents]
        assert not any(text[0] in "\u0301🏽" for text in texts[1:])
    assert not any(content.endswith(b"\x1b") for sent in batch["gsm"] for content in sent.contents)


def shift_of(sent: Sent) -> Shift | None:
    """The tables that the last three or six octets of the header announce; None for UCS-2."""
    part = sent.plan.parts[0]
    if part.data_coding == 8:
        return None
    elements = dict(_elements(part.short_message))
    return Shift(single=elements.get(0x24, b"\0")[0], locking=elements.get(0x25, b"\0")[0])


@pytest.mark.parametrize("language", NATIONAL)
def test_texts_with_national_tables(batch: Batch, language: str) -> None:
    """gsmcodecs has all tables, npm's smpp those of three languages, Wireshark names the language."""
    shifts = set()
    for sent in batch[language]:
        shift, text = shift_of(sent), sent.plan.text
        if shift is None:
            continue
        shifts.add(shift)
        octets = b"".join(sent.contents)
        assert octets.decode(f"gsm23.038-{shift.locking}-{shift.single}") == text
        (single, *_), (locking, *_) = (
            tshark.found(sent.wireshark[0], f"gsm_sms.dis_iei_lang.{kind}_shift") or ["0"]
            for kind in ("single", "locking")
        )
        assert (int(single), int(locking)) == (shift.single, shift.locking)
        # npm's smpp takes a language's locking table where only its single-shift table is announced, and its
        # Portuguese letters behind the escape are out of step: where the two differ it is wrong (ENC §6).
        if language == "spanish" or (language == "turkish" and shift.locking):
            assert by_node(sent) == text
    assert shifts


# 3GPP TS 23.038 prints the letter PA twice in its Kannada locking table; the order of letters asks for DDA at
# 24, which would be missing otherwise, and Android has it there.
KANNADA, DDA = 7, 0x24
MALAYALAM = 8
# In the locking tables of India gsmcodecs has an apostrophe there. oFono and Android have the comma, which
# would stand nowhere else, while the apostrophe has its place behind the escape (09).
COMMA = 0x2C


def test_every_code_of_every_national_table() -> None:
    compared = 0
    for language, single_alone in ((n, alone) for n in range(1, 14) for alone in (True, False)):
        shift = Shift(single=language, locking=0 if single_alone or language == 2 else language)
        name = f"gsm23.038-{shift.locking}-{shift.single}"
        for code, escaped in (
            (code, escaped) for code in range(128) if code != 0x1B for escaped in (False, True)
        ):
            septets = bytes((0x1B, code) if escaped else (code,))
            ours = shift.decode(septets)
            try:
                theirs = septets.decode(name)
            except UnicodeDecodeError:
                continue  # unassigned, where a phone shows what we do: TS 23.038 §6.2.1.1
            if not escaped and (shift.locking, code) == (KANNADA, DDA):
                assert (theirs, ours) == ("\u0caa", "\u0ca1")
            elif not escaped and code == COMMA and shift.locking >= 4:
                assert (theirs, ours) == ("'", ",")
            else:
                assert ours == theirs, f"{name} {septets.hex()}"
            compared += 1
    assert compared > 4000


def test_the_tables_of_india_in_ofono() -> None:
    """The second that has them. Where it differs gsmcodecs agrees with us, or the order of letters says."""
    locking = {n: [ord(character) for character in locking_table(n)] for n in range(4, 14)}
    differing = {n: _unlike(table, ofono.locking_tables()) for n, table in locking.items()}
    assert {n: codes for n, codes in differing.items() if codes} == {
        KANNADA: {DDA: (0x0CA1, 0x0CAA)},  # the standard's error, as above
        MALAYALAM: {0x2E: (0x2E, 0x2C)},  # there would be two commas and no full stop
    }
    for language in locking:
        single = [ord(single_table(language).get(code, "\ufffd")) for code in range(128)]
        # There would be two closing brackets and no opening one.
        assert _unlike(single, ofono.single_tables_of_india()) == (
            {0x3C: (0x5B, 0x5D)} if language == KANNADA else {}
        )


def _unlike(ours: list[int], tables: list[list[int]]) -> dict[int, tuple[int, int]]:
    """Codes at which ours differs from the most similar of `tables`; they have a space where nothing is."""
    ours = [0x20 if point == 0xFFFD else point for point in ours]
    both = [zip(ours, theirs, strict=True) for theirs in tables]
    found = [
        {at: pair for at, pair in enumerate(pairs) if at != 0x1B and pair[0] != pair[1]} for pairs in both
    ]
    return min(found, key=len)


# --- contents for applications ------------------------------------------------------------------------------


def application(sent: Sent) -> tuple[set[int], bytes]:
    """Destination ports and all the data, as Wireshark sees them in TPDUs, and npm's smpp in PDUs."""
    ports = {int(port) for one in sent.on_air for port in tshark.found(one, "gsm_sms.destination_port")}
    pieces = [read["short_message"]["message"]["hex"] for read in sent.node]
    return ports, bytes.fromhex("".join(pieces))


def test_ports_and_data(batch: Batch) -> None:
    for name, port in PORTS.items():
        for sent in batch[name]:
            assert sent.plan.parts[0].data_coding == 4
            assert application(sent) == ({port}, b"".join(sent.contents))


PORTS = {
    "ringtone": 5505,
    "operator-logo": 5506,
    "group-logo": 5507,
    "picture": 5514,
    "vcard": 9204,
    "vcalendar": 9205,
    "si": 2948,
    "sl": 2948,
}


def test_octets(batch: Batch) -> None:
    for sent in batch["octets"]:
        read = b"".join(bytes.fromhex(read["short_message"]["message"]["hex"]) for read in sent.node)
        assert read == b"".join(part["Text"].encode("latin-1") for part in sent.gammu["parts"])
        assert read == b"".join(sent.contents)


NOTES = ["Pause", "C", "Cis", "D", "Dis", "E", "F", "Fis", "G", "Gis", "A", "Ais", "H"]


def test_ringtones(batch: Batch) -> None:
    """gnokii writes each melody down again, gammu reads the notes of those that need one SMS."""
    by_gammu = 0
    for sent in batch["ringtone"]:
        octets = b"".join(sent.contents)
        melody = played(octets)
        assert played(smart.ringtone(files.rtttl(octets)).octets) == melody
        for entry in sent.gammu["entries"]:
            notes = entry["Ringtone"]["Notes"]
            assert [note for note, *_ in melody] == [NOTES.index(one["Note"]) for one in notes]
            assert [length for _, _, length, _ in melody] == [LENGTHS.index(one["Duration"]) for one in notes]
            assert [dotted for *_, dotted in melody] == [one["DurationSpec"] == "DottedNote" for one in notes]
            by_gammu += 1
    assert by_gammu > 20


LENGTHS = ["Full", "1_2", "1_4", "1_8", "1_16", "1_32"]


def played(octets: bytes) -> list[tuple[int, int, int, bool]]:
    """Note, octave (0 for a pause), length and whether it is dotted, of each note."""
    scale, notes = 0, []
    for name, values in tune(octets).instructions:
        if name == "scale":
            scale = values[0] + 4
        elif name == "note":
            notes.append((values[0], scale if values[0] else 0, values[1], values[2] == 1))
    return notes


def drawn(bitmap: Bitmap) -> list[str]:
    bits = "".join(f"{octet:08b}" for octet in bitmap.pixels).replace("0", ".").replace("1", "#")
    return [bits[at * bitmap.width :][: bitmap.width] for at in range(bitmap.height)]


def by_gammus_brush(entry: dict[str, Any]) -> list[str]:
    (bitmap,) = entry["Bitmap"]
    head, *_ = bitmap["XPM"]
    rows = bitmap["XPM"][3:]
    assert head.split()[:2] == [str(len(rows[0])), str(len(rows))]
    return [row.replace(" ", ".") for row in rows]


def test_logos(batch: Batch) -> None:
    """ImageMagick draws a third of them, of every size, and gammu those of 72x14 and of one SMS."""
    by_gammu = 0
    for name, head in (("operator-logo", 3), ("group-logo", 0)):
        logos = [b"".join(sent.contents)[head:] for sent in batch[name][::3]]
        assert files.pixels(logos) == [drawn(smart.ota_bitmap(logo)) for logo in logos]
        for sent in batch[name]:
            octets = b"".join(sent.contents)
            bitmap = smart.ota_bitmap(octets[head:])
            if (bitmap.width, bitmap.height) != smart.LOGO:
                continue
            (entry,) = sent.gammu["entries"]
            assert by_gammus_brush(entry) == drawn(bitmap)
            by_gammu += 1
            if head:
                country, network = entry["Bitmap"][0]["NetworkCode"].split()
                assert smart.network_code(country, network) == octets[:3]
    assert by_gammu > 40


def test_a_bitmap_whose_rows_are_no_whole_octets() -> None:
    """ImageMagick pads each row; Smart Messaging and we the whole, which is the same for the usual sizes."""
    odd = Bitmap(3, 3, b"\xa5\x80")
    with pytest.raises(CalledProcessError):
        files.pixels([odd.octets])
    padded = Bitmap(3, 3, bytes((0b10100000, 0b00100000, 0b01100000)))
    assert files.pixels([padded.octets]) == [drawn(odd)]


def test_pictures(batch: Batch) -> None:
    bitmaps = []
    for sent in batch["picture"]:
        octets = b"".join(sent.contents)
        at = octets.index(b"\x02\x01\x00\x00\x48\x1c\x01") + 3
        bitmaps.append(octets[at : at + 256])
        (entry,) = sent.gammu["entries"]
        assert by_gammus_brush(entry) == drawn(smart.ota_bitmap(bitmaps[-1]))
        assert entry["Bitmap"][0]["Text"] == CAPTION
    assert files.pixels(bitmaps[::3]) == [drawn(smart.ota_bitmap(bitmap)) for bitmap in bitmaps[::3]]


def test_cards(batch: Batch) -> None:
    """gammu reads the card itself; its port and its octets are read in `test_ports_and_data`."""
    for (name, _), sent in zip(cards(random.Random(5)), batch["vcard"], strict=True):
        card = sent.gammu["card"]
        assert (card["Text_LastName"], card["Text_FirstName"]) == (name, "Joe")
        assert re.fullmatch(r"\+4479731[0-9]{5}", card["Number_Mobile"])


def test_calendars(batch: Batch) -> None:
    """As cards."""
    for at, ((summary, _), sent) in enumerate(
        zip(calendars(random.Random(6)), batch["vcalendar"], strict=True), start=1
    ):
        assert sent.gammu["card"] == {"TEXT": summary, "START_DATETIME": f"2003-03-{at:02} 13:30:00"}


def test_service_indications(batch: Batch) -> None:
    """Wireshark reads WSP and WBXML, libwbxml writes the document in XML."""
    for sent in batch["si"]:
        octets = b"".join(sent.contents)
        wanted = indication(octets)
        root = ElementTree.fromstring(files.xml(octets[octets[2] + 3 :]))
        (shown,) = root
        assert (root.tag, shown.tag, shown.text or "") == ("si", "indication", wanted.text)
        assert {name: written(name, value) for name, value in shown.attrib.items()} == {
            name: written(name, value) for name, value in wanted.attributes.items()
        }
        last = sent.wireshark[-1]
        assert tshark.found(last, "wsp.header.content_type") == ["application/vnd.wap.sic"]
        assert tshark.found(last, "wbxml.public_id.known") == ["0x00000005"]
        strings = "".join(tshark.found(last, "wbxml.str_i"))
        assert strings.endswith(wanted.text)


DATES = ("created", "si-expires")


def written(name: str, value: str) -> str:
    """An attribute's value; of dates the digits alone, trailing zeros included."""
    return re.sub(r"[^0-9]", "", value).ljust(14, "0") if name in DATES else value


def test_service_loads(batch: Batch) -> None:
    for sent in batch["sl"]:
        octets = b"".join(sent.contents)
        root = ElementTree.fromstring(files.xml(octets[octets[2] + 3 :]))
        assert root.tag == "sl"
        last = sent.wireshark[-1]
        assert tshark.found(last, "wsp.header.content_type") == ["application/vnd.wap.slc"]
        (start, *others) = tshark.found(last, "wbxml.known_attrstart")
        prefix = start.removeprefix("href=").strip("'")
        assert root.attrib["href"] == prefix + "".join(tshark.found(last, "wbxml.str_i"))
        assert [f"action='{root.attrib['action']}'"] == others if "action" in root.attrib else not others


# --- signs to the phone -------------------------------------------------------------------------------------


def test_flash_is_class_0(batch: Batch) -> None:
    for sent in batch["flash"] + batch["flash-ways"][:2]:
        for read, layers in zip(sent.gammu["parts"], sent.on_air, strict=True):
            assert read["Class"] == 0
            dcs = tshark.found(layers, "gsm_sms.dcs.message_class") + tshark.found(
                layers, "gsm_sms.message_class"
            )
            assert [int(one, 16) for one in dcs] == [0]
    (subunit,) = batch["flash-ways"][2:]
    assert subunit.node[0]["dest_addr_subunit"] == 1
    assert tshark.found(subunit.wireshark, "smpp.dest_addr_subunit") == ["0x01"]


def test_what_waits(batch: Batch) -> None:
    for what, header, on, off in zip(
        Waiting, batch["waiting-header"], batch["waiting-on"], batch["waiting-off"], strict=True
    ):
        (layers,) = header.on_air
        told = [tshark.found(layers, f"gsm_sms.{name}") for name in ("msg_ind_type", "msg_count")]
        assert told == [[str(int(what))], [str(5 + what)]]
        assert tshark.found(layers, "gsm_sms.msg_ind_type_and_stor") == ["1"]
        assert header.gammu["parts"][0]["Text"] == on.gammu["parts"][0]["Text"] == "new"
        for sent, sense in ((on, "1"), (off, "0")):
            (layers,) = sent.on_air
            assert tshark.found(layers, "gsm_sms.dcs.indication_sense") == [sense]
            assert [int(one, 16) for one in tshark.found(layers, "gsm_sms.dcs.message_waiting")] == [what]


def test_pings_and_replacements(batch: Batch) -> None:
    for number, sent in enumerate(batch["ping"] + batch["replace"]):
        (layers,), (part,) = sent.on_air, sent.gammu["parts"]
        assert tshark.found(layers, "gsm_sms.tp.pid.message_type") == [str(number)]
        assert part["ReplaceMessage"] == number
    assert len(batch["replace"]) == 7
