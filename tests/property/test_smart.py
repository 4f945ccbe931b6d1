"""What holds for whatever a sender writes: a content or the one error, and a phone reads what was written."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sms_milter.errors import ContentFault
from sms_milter.model import Binary
from sms_milter.sms import smart
from sms_milter.sms.smart import Bitmap
from support.smart import indication, tune

TEXTS: list[Callable[[str], Any]] = [
    smart.ringtone,
    smart.vcard,
    smart.vcalendar,
    lambda text: smart.picture(Bitmap(8, 1, b"\0"), text),
    lambda text: smart.service_indication(text, text, si_id=text),
    lambda text: smart.service_indication("x", text, created=text),
    lambda text: smart.service_indication("x", text, expires=text),
    lambda text: smart.service_indication("x", text, action=text),
    lambda text: smart.service_load(text, action=text),
    lambda text: smart.network_code(text, text),
]
OCTETS: list[Callable[[bytes], Any]] = [smart.bmp, smart.image, smart.ota_bitmap, smart.ready_ringtone]
HEADS = [b"", b"\x00\x08\x01\x01", b"BM", b"GIF89a\x08\0\x04\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"]

melodious = st.text("abcdefghp#.,:=123468osnl \n", max_size=80)


@pytest.mark.parametrize("made", TEXTS)
@given(text=st.text(st.characters()) | melodious)
def test_any_text_is_a_content_or_the_one_error(made: Callable[[str], Any], text: str) -> None:
    try:
        content = made(text)
    except ContentFault:
        return
    assert isinstance(content, Binary | bytes)


@pytest.mark.parametrize("made", OCTETS)
@given(octets=st.binary(max_size=200), head=st.sampled_from(HEADS))
def test_any_octets_are_a_content_or_the_one_error(
    made: Callable[[bytes], Any], octets: bytes, head: bytes
) -> None:
    try:
        content = made(head + octets)
    except ContentFault:
        return
    assert isinstance(content, Binary | Bitmap)


PITCHES = ["p", "c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b"]
note = st.tuples(
    st.sampled_from(["", "1", "2", "4", "8", "16", "32"]),
    st.sampled_from(PITCHES),
    st.sampled_from(["", "4", "5", "6", "7"]),
    st.sampled_from(["", "."]),
)


@given(st.lists(note, min_size=1, max_size=120))
def test_a_phone_plays_what_is_written(melody: list[tuple[str, str, str, str]]) -> None:
    played = tune(smart.ringtone("x:d=8,o=5:" + ",".join(map("".join, melody))).octets)
    heard, octave = [], 0
    for name, values in played.instructions:
        if name == "scale":
            octave = values[0] + 4
        elif name == "note":
            pitch, duration, dots = values
            heard.append((pitch, octave if pitch else 0, 2**duration, dots))
    assert heard == [
        (PITCHES.index(pitch), int(octave or 5) if pitch != "p" else 0, int(duration or 8), len(dot))
        for duration, pitch, octave, dot in melody
    ]


strings = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@given(
    st.sampled_from(["", "http://", "http://www.", "https://", "https://www."]),
    st.lists(strings | st.sampled_from([".com/", ".org/"])).map("".join),
    strings,
    st.sampled_from(["none", "prefix", "all"]),
    st.booleans(),
)
def test_a_phone_reads_the_link_and_the_text(
    prefix: str, rest: str, text: str, tokens: Any, charset_header: bool
) -> None:
    href = prefix + rest or "x"
    push = smart.service_indication(href, text, tokens=tokens, charset_header=charset_header)
    read = indication(push.octets)
    assert (read.attributes, read.text) == ({"href": href}, text)


@given(st.integers(1, 255), st.integers(1, 255), st.data())
def test_a_bitmap_reads_back(width: int, height: int, data: st.DataObject) -> None:
    count = -(-width * height // 8)
    bitmap = Bitmap(width, height, data.draw(st.binary(min_size=count, max_size=count)))
    assert smart.ota_bitmap(bitmap.octets) == bitmap


@given(
    st.sampled_from(["BMP", "GIF", "PNG"]),
    st.integers(0, 200),
    st.binary(max_size=4),
    st.sampled_from(["1", "L", "RGB"]),
)
def test_a_damaged_image_is_a_picture_or_the_one_error(kind: str, at: int, wrong: bytes, mode: str) -> None:
    file = io.BytesIO()
    Image.effect_noise((16, 9), 80).convert(mode).save(file, kind)
    octets = file.getvalue()
    try:
        made = smart.image(octets[:at] + wrong + octets[at + len(wrong) :])
    except ContentFault:
        return
    assert (made.width, made.height) == smart.LOGO
