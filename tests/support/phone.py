"""What a phone shows of the submit_sm that an SMSC got: decoded, parts joined. Shares nothing with us."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from support.smsc import Submitted

# 3GPP TS 23.038 §6.2.1, in order of the septets; U+001B stands for the escape.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\"} | {
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One message on the screen of `destination`."""

    destination: str
    originator: str
    text: str
    parts: int
    receipt: bool
    unicode: bool

    def __str__(self) -> str:
        marks = [f"{self.parts} parts"] if self.parts > 1 else []
        marks += ["UCS-2"] if self.unicode else []
        marks += ["receipt"] if self.receipt else []
        notes = f" ({', '.join(marks)})" if marks else ""
        text = self.text.replace("\n", "\\n")
        return f"{self.destination} from {self.originator}{notes}: {text}"


def shown(parts: Iterable[Submitted]) -> list[Shown]:
    """The messages, each as it would be shown with all of its parts; AssertionError when one is missing."""
    single: list[Shown] = []
    joined: dict[tuple[str, str, int, int], dict[int, Submitted]] = {}
    for part in parts:
        place = _place(part)
        if place is None:
            single.append(_message([part]))
            continue
        reference, total, number = place
        found = joined.setdefault((part.destination, part.originator, reference, total), {})
        # The same part twice is one on the screen; it counts as a duplicate elsewhere.
        found.setdefault(number, part)
    for (destination, _, _, total), found in joined.items():
        assert sorted(found) == list(range(1, total + 1)), f"{destination}: parts {sorted(found)} of {total}"
        single.append(_message([found[number] for number in sorted(found)]))
    return single


def _place(part: Submitted) -> tuple[int, int, int] | None:
    """(reference, total, number) from an 8-bit concatenation header (3GPP TS 23.040 §9.2.3.24.1)."""
    octets = part.short_message
    if not part.fields["esm_class"] & 0x40 or octets[:3] != b"\x05\x00\x03":
        return None
    return octets[3], octets[4], octets[5]


def _message(parts: list[Submitted]) -> Shown:
    first = parts[0]
    coding = first.fields["data_coding"]
    content = b"".join(p.short_message[6:] if _place(p) else p.short_message for p in parts)
    return Shown(
        destination=first.destination,
        originator=first.originator,
        text=_text(content, coding),
        parts=len(parts),
        receipt=bool(first.fields["registered_delivery"] & 1),
        unicode=coding == 8,
    )


def _text(content: bytes, data_coding: int) -> str:
    """What is no text is shown as its coding and its octets."""
    if data_coding == 8:
        return content.decode("utf-16-be")
    return _gsm(content) if data_coding == 0 else f"[{data_coding}] {content.hex()}"


def _gsm(septets: bytes) -> str:
    letters = []
    waiting = iter(septets)
    for septet in waiting:
        letters.append(_EXTENSION.get(next(waiting), " ") if septet == 0x1B else _BASIC[septet])
    return "".join(letters)
