"""ENC §9.7."""

import struct

import pytest

from sms_milter.errors import ContentFault
from sms_milter.sms.smart import Bitmap, bmp, ota_bitmap

CHEQUERED = Bitmap(8, 4, bytes.fromhex("AA55AA55"))
WHITE, BLACK = b"\xff\xff\xff\0", b"\0\0\0\0"


def bmp_file(
    rows: list[bytes],
    width: int,
    *,
    colours: bytes = WHITE + BLACK,
    upside_down: bool = True,
    magic: bytes = b"BM",
    header: int = 40,
    depth: int = 1,
    compression: int = 0,
) -> bytes:
    """A BMP file of these rows, top row first, as `upside_down` as most are."""
    height = len(rows) if upside_down else -len(rows)
    stride = -(-width // 32) * 4
    padded = [row.ljust(stride, b"\0") for row in (reversed(rows) if upside_down else rows)]
    start = 14 + header + len(colours)
    head = struct.pack("<2sIII", magic, start + stride * len(rows), 0, start)
    info = struct.pack("<IiiHHIIiiII", header, width, height, 1, depth, compression, 0, 0, 0, 2, 0)
    return head + info.ljust(header, b"\0") + colours + b"".join(padded)


ROWS = [b"\xaa", b"\x55", b"\xaa", b"\x55"]


def test_ota_form() -> None:
    assert CHEQUERED.octets.hex().upper() == "00080401AA55AA55"
    assert ota_bitmap(bytes.fromhex("00080401AA55AA55")) == CHEQUERED
    assert len(ota_bitmap(b"\x00\x48\x0e\x01" + bytes(126)).pixels) == 126
    assert ota_bitmap(b"\x00\x03\x03\x01\xff\x80") == Bitmap(3, 3, b"\xff\x80")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("", "begins with"),
        ("000804", "begins with"),
        ("01080401AA55AA55", "begins with"),
        ("00080402AA55AA55", "begins with"),
        ("00000401", "without pixels"),
        ("00080001", "without pixels"),
        ("00080401AA55AA", "8x4 has 4 octets of pixels, not 3"),
        ("00080401AA55AA5500", "not 5"),
    ],
)
def test_what_is_no_ota_bitmap(octets: str, words: str) -> None:
    with pytest.raises(ContentFault, match=words):
        ota_bitmap(bytes.fromhex(octets))


@pytest.mark.parametrize("upside_down", [True, False])
def test_rows_of_a_bmp_file_from_either_end(upside_down: bool) -> None:
    rows = [b"\x80", b"\x40", b"\x20"]
    assert bmp(bmp_file(rows, 8, upside_down=upside_down)) == Bitmap(8, 3, b"\x80\x40\x20")


@pytest.mark.parametrize(
    ("colours", "pixels"),
    [
        (WHITE + BLACK, "AA55AA55"),
        (BLACK + WHITE, "55AA55AA"),
        (b"\xff\0\0\0" + b"\0\xff\0\0", "55AA55AA"),  # blue is darker than green
        (BLACK + BLACK, "AA55AA55"),
    ],
)
def test_the_darker_colour_is_black(colours: bytes, pixels: str) -> None:
    assert bmp(bmp_file(ROWS, 8, colours=colours)).pixels.hex().upper() == pixels


def test_padding_is_dropped() -> None:
    assert bmp(bmp_file([b"\xe0", b"\x1f", b"\xa0"], 3)) == Bitmap(3, 3, bytes((0b11100010, 0b10000000)))
    logo = [bytes((n,)) * 9 for n in range(14)]
    assert bmp(bmp_file(logo, 72)) == Bitmap(72, 14, b"".join(logo))


def test_longer_headers_are_as_good() -> None:
    assert bmp(bmp_file(ROWS, 8, header=124)) == CHEQUERED


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "not a BMP"),
        (b"BM", "not a BMP"),
        (b"GIF89a" + bytes(100), "not a BMP"),
        (bmp_file(ROWS, 8, magic=b"BA"), "not a BMP"),
        (bmp_file(ROWS, 8)[:60], "not a BMP"),
        (bmp_file(ROWS, 8)[:-1], "ends before"),
        (bmp_file(ROWS, 8, depth=8), "one bit per pixel"),
        (bmp_file(ROWS, 8, compression=1), "not compressed"),
        (bmp_file([bytes(32)], 256), "256x1"),
        (bmp_file([b"\0"] * 256, 8), "8x256"),
        (bmp_file([], 8), "8x0"),
        (bmp_file(ROWS, -8), "-8x4"),
        (bmp_file(ROWS, 8)[:14] + b"\xff" * 4 + bmp_file(ROWS, 8)[18:], "not a BMP"),
    ],
)
def test_what_is_no_black_and_white_bmp(octets: bytes, words: str) -> None:
    with pytest.raises(ContentFault, match=words):
        bmp(octets)
