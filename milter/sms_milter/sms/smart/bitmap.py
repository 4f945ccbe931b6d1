"""Black-and-white pictures: the OTA bitmap of Smart Messaging (ENC §9.7), and BMP files to make them of."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sms_milter.errors import ContentFault

_INFO, _DEPTH = 0x00, 0x01  # one-octet sizes, not compressed; one bit per pixel


@dataclass(frozen=True, slots=True)
class Bitmap:
    """`width` times `height` pixels, 0..255 each, row by row from the top without padding.

    In `pixels` the most significant bit comes first and 1 is black; only the last octet may be filled up.
    """

    width: int
    height: int
    pixels: bytes

    @property
    def octets(self) -> bytes:
        """The OTA bitmap."""
        return bytes((_INFO, self.width, self.height, _DEPTH)) + self.pixels


def ota_bitmap(octets: bytes) -> Bitmap:
    """The bitmap in OTA form (`00 width height 01`, pixels). Raises ContentFault."""
    if len(octets) < 4 or octets[0] != _INFO or octets[3] != _DEPTH:
        raise ContentFault("a bitmap begins with 00, width, height, 01")
    width, height, pixels = octets[1], octets[2], octets[4:]
    if not (width and height):
        raise ContentFault("a bitmap without pixels")
    expected = -(-width * height // 8)
    if len(pixels) != expected:
        raise ContentFault(f"a bitmap of {width}x{height} has {expected} octets of pixels, not {len(pixels)}")
    return Bitmap(width, height, pixels)


# --- BMP files ----------------------------------------------------------------------------------------------

_FILE_HEADER = struct.Struct("<2sIIII")  # BM, size, reserved, where the pixels begin, size of what follows
_INFO_HEADER = struct.Struct("<iiHHI")  # width, height, planes, bits per pixel, compression
_SMALLEST_HEADER = 40
_AFTER_FILE_HEADER = 14
_COLOUR = struct.Struct("<3Bx")  # blue, green, red


def bmp(octets: bytes) -> Bitmap:
    """The picture in a BMP file of one bit per pixel, not compressed; its darker colour becomes black.

    Raises ContentFault for any other file.
    """
    try:
        magic, _, _, start, header = _FILE_HEADER.unpack_from(octets)
        width, height, planes, depth, compression = _INFO_HEADER.unpack_from(octets, _FILE_HEADER.size)
        colours = [_brightness(octets, _AFTER_FILE_HEADER + header + at * _COLOUR.size) for at in (0, 1)]
    except struct.error:
        raise ContentFault("not a BMP file") from None
    if magic != b"BM" or header < _SMALLEST_HEADER:
        raise ContentFault("not a BMP file")
    if (planes, depth, compression) != (1, 1, 0):
        raise ContentFault("a BMP file of one bit per pixel, not compressed, is needed")
    if not (1 <= width <= 255 and 1 <= abs(height) <= 255):
        raise ContentFault(f"a picture has 1 to 255 pixels each way, this one {width}x{abs(height)}")
    stride = -(-width // 32) * 4
    if len(octets) < start + stride * abs(height):
        raise ContentFault("the BMP file ends before its picture")
    rows = [octets[start + stride * row :][:stride] for row in range(abs(height))]
    if height > 0:
        rows.reverse()  # the usual order is from the bottom
    return joined(rows, width, inverted=colours[0] < colours[1])


def _brightness(octets: bytes, at: int) -> int:
    blue, green, red = _COLOUR.unpack_from(octets, at)
    return 299 * int(red) + 587 * int(green) + 114 * int(blue)


def joined(rows: list[bytes], width: int, *, inverted: bool = False) -> Bitmap:
    """The bitmap of `rows`, each padded to octets at its end; `inverted` where 0 is black."""
    all_set = (1 << width) - 1
    bits = 0
    for row in rows:
        pixels = int.from_bytes(row, "big") >> 8 * len(row) - width
        bits = bits << width | (pixels ^ all_set if inverted else pixels)
    count = width * len(rows)
    octets = -(-count // 8)
    return Bitmap(width, len(rows), (bits << 8 * octets - count).to_bytes(octets, "big"))
