"""Messages of every kind as they leave, and what every decoder reads of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import smpp34

from sms_milter.model import Binary, Kind, PlannedMessage, Wish
from sms_milter.smpp import codec
from sms_milter.sms import smart
from sms_milter.sms.alphabet import EXTENSION, encode
from sms_milter.sms.indication import TYPE_0, Waiting, replace_type, waiting_coding, waiting_element
from sms_milter.sms.smart import Bitmap
from sms_milter.sms.terms import Concatenation, SmscTraits, Terms
from support import tpdu
from support.decoders import gammu, node_smpp, tshark
from support.planning import plan

NUMBER = "447973100000"
SOURCE = "447700900000"


@dataclass
class Sent:
    """A message as it goes out, its parts stamped with one reference, and what decoders read of each part."""

    plan: PlannedMessage
    reference: int
    pdus: list[bytes] = field(default_factory=list)
    wireshark: list[dict[str, Any]] = field(default_factory=list)
    node: list[dict[str, Any]] = field(default_factory=list)
    rust: list[Any] = field(default_factory=list)
    on_air: list[dict[str, Any]] = field(default_factory=list)  # Wireshark, of TPDUs
    gammu: dict[str, Any] = field(default_factory=dict)

    @property
    def contents(self) -> list[bytes]:
        """short_message of each part without its user data header."""
        return [
            part.short_message[part.short_message[0] + 1 :] if part.esm_class & 0x40 else part.short_message
            for part in self.plan.parts
        ]


Batch = dict[str, list[Sent]]


class Outbox:
    """Plans messages by name, stamps their references as a queue does, and has all of them read at once."""

    def __init__(self) -> None:
        self.batch: Batch = {}
        self._count = 0

    def send(self, name: str, wish: Wish, **terms: Any) -> None:
        chosen = Terms(SOURCE, max_parts=255, **terms)
        (message,) = plan([wish], lambda _: chosen)
        self._count += 1
        sent = Sent(message, self._count % 250 + 1)
        for at, part in enumerate(message.parts):
            body = codec.compose(part, message.concatenation).stamped(sent.reference)
            sent.pdus.append(codec.stamp(self._count << 8 | at, body))
        self.batch.setdefault(name, []).append(sent)

    def text(self, name: str, text: str, **terms: Any) -> None:
        self.send(name, Wish(NUMBER, text), **terms)

    def content(self, name: str, content: Binary, **terms: Any) -> None:
        self.send(name, Wish(NUMBER, binary=content), **terms)

    def read(self) -> Batch:
        everything = [sent for many in self.batch.values() for sent in many]
        pdus = [pdu for sent in everything for pdu in sent.pdus]
        _deal(everything, "wireshark", tshark.smpp(pdus))
        _deal(everything, "node", node_smpp.pdus(pdus))
        _deal(everything, "rust", [smpp34.decode(pdu) for pdu in pdus])
        # An SMSC that is told to cut or to join by TLVs makes other TPDUs than ours of it.
        aired = [sent for sent in everything if not any(part.tlvs for part in sent.plan.parts)]
        tpdus = [_tpdus(sent) for sent in aired]
        _deal(aired, "on_air", tshark.tpdus([octets for parts in tpdus for octets in parts]))
        # gammu takes every WAP push for news of an MMS, and long ones write beyond its buffer.
        known = [(sent, parts) for sent, parts in zip(aired, tpdus, strict=True) if not is_push(sent)]
        for (sent, _), told in zip(known, gammu.messages([parts for _, parts in known]), strict=True):
            sent.gammu = told
        return self.batch


def _deal(many: Sequence[Sent], reader: str, told: Sequence[Any]) -> None:
    """Each message gets what `reader` told of its parts."""
    waiting = iter(told)
    for sent in many:
        setattr(sent, reader, [next(waiting) for _ in sent.pdus])
    assert next(waiting, None) is None


def is_push(sent: Sent) -> bool:
    return sent.plan.kind == Kind.WAP_PUSH


def _tpdus(sent: Sent) -> list[bytes]:
    parts = zip(sent.plan.parts, sent.pdus, strict=True)
    return [
        tpdu.deliver(
            pdu[len(pdu) - len(part.short_message) :],
            originator=SOURCE,
            esm_class=part.esm_class,
            protocol_id=part.protocol_id,
            data_coding=part.data_coding,
        )
        for part, pdu in parts
    ]


# --- what is sent -------------------------------------------------------------------------------------------

GSM = [c for c in map(chr, range(0x20, 0x2100)) if encode(c) is not None and c != "\u00a0"]
GSM += [*EXTENSION.values(), "\n"] * 4
PLANE_0 = "абвгдежзиклмнопрстуфхцчшщ ёЁ中文字日本語한국어ąęłńśźżőű“”–…אבגد\u0301"
ASTRAL = "😀🎉🇨🇭👍🏽𝄞"
NATIONAL = {
    "turkish": "ŞşĞğİıÇç aeiou",
    "spanish": "çÁÍÓÚáíóú¿¡ñÑ aeiou",
    "portuguese": "êçÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂãõâ aeiou",
    "hindi": "नमस्तेक्यहै भारतAz१२",
    "tamil": "வணக்கம்தமிழ் ABC௧",
    "urdu": "اردوہےمیں ABC۱",
}
# gammu reads letters beyond ASCII in its locale's character set, and stops at one that is none there; Smart
# Messaging's are ISO-8859-1 (ENC §9.5).
CAPTION = "Hello from Cologne!"
WAYS: tuple[Concatenation, ...] = ("udh", "udh16", "sar", "payload")


def words(chance: random.Random, letters: Sequence[str], most: int) -> str:
    # A message shorter than one SMS, a little longer, or many parts long.
    return "".join(chance.choices(letters, k=chance.choice([chance.randint(1, 20), chance.randint(1, most)])))


def picture_of(chance: random.Random, size: tuple[int, int]) -> Bitmap:
    return Bitmap(*size, chance.randbytes(size[0] * size[1] // 8))


def melody(chance: random.Random) -> str:
    notes = [
        "".join(
            (
                chance.choice(["", "1", "2", "4", "8", "16", "32"]),
                chance.choice(["p", "c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b"]),
                chance.choice(["", "4", "5", "6", "7"]),
                chance.choice(["", "", "."]),
            )
        )
        for _ in range(chance.randint(1, 60))
    ]
    name = "".join(chance.choices("abcXYZ 123", k=chance.randint(1, 15))).strip() or "x"
    beats = chance.choice([25, 63, 100, 140, 160, 900])
    return f"{name}:d=8,o=5,b={beats}:" + ",".join(re.sub(r"p[4-7]", "p", note) for note in notes)


def link(chance: random.Random) -> str:
    prefix = chance.choice(["http://", "http://www.", "https://", "https://www.", "tel:"])
    rest = "".join(chance.choices([*"abc/?=&-._~%20", ".com/", ".org/", "ü"], k=chance.randint(1, 60)))
    return prefix + rest


def cards(chance: random.Random) -> Iterator[tuple[str, str]]:
    for at in range(20):
        name = "".join(chance.choices("abcdefg", k=chance.randint(1, 9))).capitalize()
        lines = [f"N:{name};Joe", f"TEL;CELL:+4479731{at:05}", *(f"NOTE:{'x' * 60}" for _ in range(at % 4))]
        yield name, "\n".join(["BEGIN:VCARD", "VERSION:2.1", *lines, "END:VCARD"])


def calendars(chance: random.Random) -> Iterator[tuple[str, str]]:
    for at in range(20):
        summary = "".join(chance.choices("abc def", k=chance.randint(1, 90))).strip() or "x"
        event = ["BEGIN:VEVENT", f"SUMMARY:{summary}", f"DTSTART:200303{at + 1:02}T133000", "END:VEVENT"]
        yield summary, "\n".join(["BEGIN:VCALENDAR", "VERSION:1.0", *event, "END:VCALENDAR"])


def exchange() -> Batch:
    """Messages of every kind, sent and read: one process of each decoder. The same ones each time."""
    chance = random.Random(4)
    out = Outbox()
    for at in range(200):
        way = WAYS[at % 2]
        out.text("gsm", words(chance, GSM, 700), traits=SmscTraits(long_messages=way), keep_words=at % 3 == 0)
        letters = PLANE_0 if at % 2 else PLANE_0 + ASTRAL
        out.text("ucs2", words(chance, letters, 400), traits=SmscTraits(long_messages=way))
    for at in range(60):
        text = words(chance, GSM if at % 2 else PLANE_0, 500)
        out.text("tied", text, traits=SmscTraits(long_messages=WAYS[2 + at // 2 % 2]))
        out.send("flash", Wish(NUMBER, words(chance, GSM if at % 2 else PLANE_0, 200), flash=True))
        out.content("octets", Binary(chance.randbytes(chance.randint(1, 600))))
    for language, letters in NATIONAL.items():
        for _ in range(30):
            # Long enough for the table to save parts.
            text = "".join(chance.choices(letters, k=chance.randint(75, 400)))
            out.text(language, text, languages=(language,))
    for at in range(40):
        size = chance.choice([smart.LOGO, (8, 8), (80, 16), (64, 32)])
        logo = picture_of(chance, size if at % 2 else smart.LOGO)
        network = smart.network_code(f"{chance.randint(200, 799)}", f"{chance.randint(0, 99):02}")
        out.content("ringtone", smart.ringtone(melody(chance)))
        out.content("operator-logo", smart.operator_logo(network, logo))
        out.content("group-logo", smart.group_logo(logo))
        shown = picture_of(chance, smart.PICTURE)
        out.content("picture", smart.picture(shown, CAPTION, text_first=at % 2 == 0))
        out.content("si", push(chance, at))
        out.content(
            "sl", smart.service_load(link(chance), action=chance.choice(["", "execute-low", "cache"]))
        )
    for _, card in cards(random.Random(5)):
        out.content("vcard", smart.vcard(card))
    for _, calendar in calendars(random.Random(6)):
        out.content("vcalendar", smart.vcalendar(calendar))
    for at, way in enumerate(("dcs-10", "dcs-f0", "subunit")):
        out.send("flash-ways", Wish(NUMBER, f"flash {at}", flash=True), traits=SmscTraits(flash=way))
    for what in Waiting:
        out.content("waiting-header", Binary(b"new", udh=waiting_element(what, 5 + what), data_coding=0))
        out.content("waiting-on", Binary(b"new", data_coding=waiting_coding(what, keep="store")))
        out.content("waiting-off", Binary(b"", data_coding=waiting_coding(what, active=False)))
    out.send("ping", Wish(NUMBER, "", protocol_id=TYPE_0))
    for number in range(1, 8):
        out.send("replace", Wish(NUMBER, f"take {number}", protocol_id=replace_type(number)))
    return out.read()


def push(chance: random.Random, at: int) -> Binary:
    return smart.service_indication(
        link(chance),
        words(chance, [*"abc <>&'\"", "é", "Ж", "😀"], 200).strip() or "x",
        si_id=f"id{at}@example.com" if at % 3 == 0 else "",
        created="2024-11-21T12:00:00Z" if at % 2 else "",
        expires="2024-12-01T00:00:00Z" if at % 4 == 0 else "",
        action=chance.choice(["", "signal-none", "signal-low", "signal-medium", "signal-high"]),
        charset_header=at % 2 == 0,
        tokens=chance.choice(["none", "prefix", "all"]),
    )
