"""Images of others become logos: sizes, transparency, thresholds, damaged files (ENC §9.7)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from sms_milter.errors import ContentFault
from sms_milter.sms.smart import LARGE_LOGO, LOGO, PICTURE, Bitmap, bmp, image

CHEQUERED = bytes.fromhex("AA55AA55")


def file(picture: Image.Image, kind: str, **options: Any) -> bytes:
    octets = io.BytesIO()
    picture.save(octets, kind, **options)
    return octets.getvalue()


def chequered(dark: int = 0, light: int = 255, mode: str = "L") -> Image.Image:
    picture = Image.new("L", (8, 4))
    picture.putdata([dark if (x + y) % 2 == 0 else light for y in range(4) for x in range(8)])
    return picture.convert(mode)


def drawn(bitmap: Bitmap) -> list[str]:
    bits = "".join(f"{octet:08b}" for octet in bitmap.pixels)
    lines = [bits[at * bitmap.width :][: bitmap.width] for at in range(bitmap.height)]
    return [line.replace("0", ".").replace("1", "#") for line in lines]


@pytest.mark.parametrize("kind", ["BMP", "GIF", "PNG"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_each_kind_of_file_and_of_colours(kind: str, mode: str) -> None:
    assert image(file(chequered(mode=mode), kind), (8, 4)) == Bitmap(8, 4, CHEQUERED)


def test_black_and_white_files_are_read_as_the_strict_reader_reads_them() -> None:
    octets = file(chequered(mode="1"), "BMP")
    assert image(octets, (8, 4)) == bmp(octets)


@pytest.mark.parametrize(("dark", "light"), [(0, 40), (200, 255), (90, 130)])
def test_dark_and_light_are_told_apart_whatever_greys_they_are(dark: int, light: int) -> None:
    assert image(file(chequered(dark, light), "PNG"), (8, 4)).pixels == CHEQUERED


def test_a_threshold_may_be_given() -> None:
    octets = file(chequered(90, 130), "PNG")
    assert image(octets, (8, 4), threshold=90).pixels == bytes(4)
    assert image(octets, (8, 4), threshold=91).pixels == CHEQUERED
    assert image(octets, (8, 4), threshold=131).pixels == b"\xff" * 4


@pytest.mark.parametrize(("level", "pixels"), [(0, b"\xff"), (255, b"\0")])
def test_one_colour_alone_is_black_or_white_as_it_is_dark(level: int, pixels: bytes) -> None:
    assert image(file(Image.new("L", (8, 1), level), "PNG"), (8, 1)).pixels == pixels


def test_transparent_is_white() -> None:
    picture = Image.new("RGBA", (8, 1), (0, 0, 0, 0))
    picture.putpixel((0, 0), (0, 0, 0, 255))
    assert image(file(picture, "PNG"), (8, 1)).pixels == b"\x80"


def test_of_moving_pictures_the_first_is_taken() -> None:
    octets = file(chequered(), "GIF", save_all=True, append_images=[chequered(255, 0)])
    assert image(octets, (8, 4)).pixels == CHEQUERED


def test_a_smaller_image_stands_in_the_middle() -> None:
    assert drawn(image(file(Image.new("L", (2, 1), 0), "PNG"), (5, 3))) == [".....", ".##..", "....."]


def test_a_larger_image_is_reduced_in_proportion() -> None:
    wide = Image.new("L", (40, 10), 0)
    assert drawn(image(file(wide, "PNG"), (8, 4))) == ["........", "########", "########", "........"]
    assert image(file(Image.new("L", (1000, 1), 0), "PNG"), (8, 1)).pixels == b"\xff"


@pytest.mark.parametrize(("size", "octets"), [(LOGO, 126), (LARGE_LOGO, 205), (PICTURE, 252)])
def test_the_usual_sizes(size: tuple[int, int], octets: int) -> None:
    made = image(file(Image.new("L", (300, 200), 0), "PNG"), size)
    assert (made.width, made.height, len(made.pixels)) == (*size, octets)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "not an image of the kinds BMP, GIF, PNG"),
        (b"hello", "not an image"),
        (b"<svg/>", "not an image"),
        (file(chequered(), "JPEG"), "not an image"),  # made for photographs
        (file(chequered(), "PNG")[:-30], "damaged"),
        (file(chequered(), "BMP")[:-20], "damaged"),
        (file(Image.new("1", (3000, 2000)), "PNG"), "at most 4000000 pixels, not 3000x2000"),
        (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08", "not 65535x65535"),
    ],
)
def test_what_cannot_become_a_picture(octets: bytes, words: str) -> None:
    with pytest.raises(ContentFault, match=words):
        image(octets)
