"""Image files as black-and-white pictures of a phone's size: BMP, GIF and PNG, read by Pillow (ENC §9.7)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sms_milter.errors import ContentFault
from sms_milter.sms.smart.bitmap import Bitmap, joined

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("BMP", "GIF", "PNG")
LOGO, LARGE_LOGO, PICTURE = (72, 14), (78, 21), (72, 28)
"""Sizes in pixels: logos, logos of later phones, picture messages (ENC §9.7)."""

_MOST_PIXELS = 4_000_000  # a small file can claim a picture that fills the memory
_WHITE = 255


def image(octets: bytes, size: tuple[int, int] = LOGO, *, threshold: int | None = None) -> Bitmap:
    """The image file `octets` as a bitmap of `size` (width, height; 1..255 each).

    A larger image is reduced until it fits, a smaller one stays; it stands in the middle, on white.
    Transparent is white too, and of moving pictures the first is taken. Greys darker than `threshold`
    (0..255) become black; without one it is where the image itself falls apart best in dark and light. Raises
    ContentFault for what is no image, or one of more than four million pixels.
    """
    grey = _fitting(_grey(octets), size)
    limit = _dividing_grey(grey.histogram()) if threshold is None else threshold
    bits = grey.point([_WHITE if level < limit else 0 for level in range(256)], mode="1")
    rows = bits.tobytes()
    stride = -(-size[0] // 8)
    return joined([rows[at : at + stride] for at in range(0, len(rows), stride)], size[0])


def _grey(octets: bytes) -> Image.Image:
    """The image in 256 greys. Raises ContentFault."""
    # Only mails with images pay for loading Pillow.
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # no warnings: we look at the size ourselves, before anything is decoded
    try:
        with Image.open(io.BytesIO(octets), formats=FORMATS) as found:
            if found.width * found.height > _MOST_PIXELS:
                raise ContentFault(
                    f"an image has at most {_MOST_PIXELS} pixels, not {found.width}x{found.height}"
                )
            colours = found.convert("RGBA")
    except UnidentifiedImageError:
        raise ContentFault(f"not an image of the kinds {', '.join(FORMATS)}") from None
    except ContentFault:
        raise
    except Exception as fault:
        raise ContentFault("the image is damaged") from fault
    white = Image.new("RGBA", colours.size, (_WHITE, _WHITE, _WHITE, 255))
    return Image.alpha_composite(white, colours).convert("L")


def _fitting(grey: Image.Image, size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    if grey.width > size[0] or grey.height > size[1]:
        scale = min(size[0] / grey.width, size[1] / grey.height)
        smaller = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        grey = grey.resize(smaller, Image.Resampling.BOX)
    sheet = Image.new("L", size, _WHITE)
    sheet.paste(grey, ((size[0] - grey.width) // 2, (size[1] - grey.height) // 2))
    return sheet


def _dividing_grey(histogram: list[int]) -> int:
    """The first of the light greys: so that dark and light lie farthest apart on average (N. Otsu, 1979)."""
    pixels = sum(histogram)
    brightness = sum(level * count for level, count in enumerate(histogram))
    best, found = -1.0, 128
    dark = dark_brightness = 0
    for level, count in enumerate(histogram[:-1]):
        dark += count
        dark_brightness += level * count
        light = pixels - dark
        if not (count and dark and light):
            continue
        apart = dark * light * (dark_brightness / dark - (brightness - dark_brightness) / light) ** 2
        if apart > best:
            best, found = apart, level + 1
    return found
