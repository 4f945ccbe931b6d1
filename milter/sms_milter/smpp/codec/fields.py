"""Mandatory fields: what is written is checked first and never cut, what is read is taken as it comes."""

from __future__ import annotations

from datetime import datetime

from sms_milter.errors import LocalProtocolError


def latin1(name: str, text: str, longest: int) -> bytes:
    """A C-string's octets without the NUL. smpplib would cut it, and a NUL inside would shift the rest."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{name} holds characters outside Latin-1") from None
    if len(octets) > longest:
        raise LocalProtocolError(f"{name} has {len(octets)} characters, at most {longest} fit")
    if b"\0" in octets:
        raise LocalProtocolError(f"{name} holds a NUL")
    return octets


def check_octet(name: str, value: int, highest: int) -> None:
    """Raise unless `value` is one of 0 to `highest`."""
    if not 0 <= value <= highest:
        raise LocalProtocolError(f"{name} is {value}, not 0..{highest}")


def check_time(name: str, text: str) -> None:
    """Raise unless `text` is empty or a time of SMPP 3.4 §7.1.1: `YYMMDDhhmmsstnnp`."""
    if not text:
        return
    if len(text) != 16 or not (text[:15].isascii() and text[:15].isdigit()) or text[15] not in "+-R":
        raise LocalProtocolError(f"{name} is not of the form YYMMDDhhmmsstnnp")
    if text[15] == "R":
        return
    year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 12, 2))
    try:
        datetime(2000 + year, month, day, hour, minute, second)
    except ValueError as fault:
        raise LocalProtocolError(f"{name}: {fault}") from None
    if int(text[13:15]) > 48:
        raise LocalProtocolError(f"{name} differs from UTC by more than 48 quarter hours")


def c_string(body: bytes, at: int) -> tuple[str, int]:
    """The Latin-1 text at `at`, and where the field behind its NUL stands. Raises ValueError without NUL."""
    end = body.index(0, at)
    return body[at:end].decode("latin-1"), end + 1


def legible(octets: bytes) -> str:
    """Latin-1 text; what could not be printed on one line is escaped, for such texts end in the log."""
    text = octets.decode("latin-1")
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
