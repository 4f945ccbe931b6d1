"""The user data header at the start of an SMS's user data: its elements (ENC §8, GSM 03.40 §9.2.3.24).

Stored and passed on as the elements alone; UDHL, the octet in front that counts theirs, is made when needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from sms_milter.errors import ContentFault

_LONGEST = 139  # octets of elements in 140 octets of user data
_CONCATENATIONS = frozenset({0x00, 0x08})


def ports(destination: int, source: int = 0) -> bytes:
    """The element that addresses an application by 16-bit ports (GSM 03.40 §9.2.3.24.4)."""
    return b"\x05\x04" + destination.to_bytes(2, "big") + source.to_bytes(2, "big")


def elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    """Identifier and data of each element. Raises ContentFault unless they end where `header` does."""
    at = 0
    while at < len(header):
        start = at + 2
        at = start + header[at + 1] if start <= len(header) else len(header) + 1
        if at > len(header):
            raise ContentFault("an element of the user data header runs past its end")
        yield header[start - 2], header[start:at]


def is_part(header: bytes) -> bool:
    """Whether these elements say already which part of a message this is."""
    return any(identifier in _CONCATENATIONS for identifier, _ in elements(header))


def without_concatenation(header: bytes) -> tuple[bytes, bool]:
    """The other elements, and whether there was one that says which part of a message this is.

    Raises ContentFault as `elements`.
    """
    kept = b"".join(
        bytes((identifier, len(data))) + data
        for identifier, data in elements(header)
        if identifier not in _CONCATENATIONS
    )
    return kept, len(kept) < len(header)


def compose(header: bytes) -> bytes:
    """The user data header of these elements, UDHL in front; nothing for none."""
    return bytes((len(header),)) + header if header else b""


def cut_off(user_data: bytes) -> tuple[bytes, bytes]:
    """The elements of the header that `user_data` begins with, and what follows it.

    Raises ContentFault when the header is longer than an SMS or what is there, or its elements do not fill
    it; having none is allowed.
    """
    length = user_data[0] if user_data else _LONGEST + 1
    if length > min(_LONGEST, len(user_data) - 1):
        raise ContentFault("the user data header is longer than the message")
    header = user_data[1 : length + 1]
    for _ in elements(header):
        pass
    return header, user_data[length + 1 :]
