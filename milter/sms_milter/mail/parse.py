"""From header fields and body octets to a `Mail`: its fields and its leaf parts, transfer encoding undone.

Ordinary mail is a single part of text and takes a short path without the standard library's parser. Character
sets are not touched here: which of the parts count is the dialect's matter. Whatever stands in a mail, only
Rejected is raised.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32, compat32
from email.utils import getaddresses
from functools import lru_cache, partial
from itertools import count
from typing import Any, NamedTuple, TypeVar

from sms_milter.errors import Rejected
from sms_milter.mail.words import unfold
from sms_milter.reply import TOO_COMPLEX, UNDECODABLE

Reading = TypeVar("Reading")

_PLAIN = "text/plain"
_LONGEST_REMEMBERED = 200  # octets of a Content-Type value worth keeping
# The standard library takes time that grows with the square of a parameter list.
_LONGEST_PARAMETERS = 2048  # octets
_WITH_PARAMETERS = frozenset({"content-type", "content-disposition"})
UNKNOWN_ENCODING = "unknown transfer encoding"  # the `fault` of such a part
_ASIS = frozenset({"", "7bit", "8bit", "binary"})
# What the standard library's parser lets through from malformed parameters, such as the charsets of RFC 2231.
_PARSER_FAULTS = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much structure a mail may have; beyond any of these it is refused as too complex."""

    fields: int = 500
    field_octets: int = 256 * 1024  # all fields together, as received
    depth: int = 10  # MIME entities inside one another
    parts: int = 100  # MIME entities of any kind


class Part(NamedTuple):
    """One leaf of the MIME tree.

    `content_type` is lower case without parameters; `charset` as declared or ""; `octets` have the transfer
    encoding undone. `alternative` numbers the innermost multipart/alternative around it. `fault` says why
    `octets` are not what the sender wrote, None when all is well.
    """

    content_type: str
    octets: bytes
    charset: str = ""
    attachment: bool = False
    filename: str = ""
    alternative: int | None = None
    flowed: bool = False
    delsp: bool = False
    fault: str | None = None

    def __repr__(self) -> str:
        return f"Part({self.content_type!r}, {len(self.octets)} octets)"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its dialect reads it: fields by name, leaf parts in order of appearance, `size` in octets."""

    fields: Sequence[tuple[str, bytes]] = field(repr=False)
    parts: tuple[Part, ...]
    size: int
    by_name: Mapping[str, bytes] = field(repr=False)  # lower-case name to the value of the first such field
    _read: dict[object, Any] = field(default_factory=dict, repr=False, compare=False, init=False)

    def first(self, name: str) -> bytes | None:
        """The value of the first field of that name, as received (folds inside), or None."""
        return self.by_name.get(name.lower())

    def all(self, name: str) -> list[bytes]:
        """The values of all fields of that name in order."""
        wanted = name.lower()
        return [value for name, value in self.fields if name.lower() == wanted]

    def once(self, read: Callable[[Mail], Reading]) -> Reading:
        """What `read` makes of this mail: who sends it and what it wants are read out of the same text."""
        if read not in self._read:
            self._read[read] = read(self)
        found: Reading = self._read[read]
        return found

    def has(self, name: str) -> bool:
        """Whether there is a field of that name, even an empty one."""
        return name.lower() in self.by_name


class _Kind(NamedTuple):
    """A Content-Type, read."""

    content_type: str
    charset: str = ""
    flowed: bool = False
    delsp: bool = False
    name: str = ""


def parse(fields: Sequence[tuple[str, bytes]], body: bytes, limits: Limits = Limits()) -> Mail:
    """The mail of these fields (name, value without the first blank, folded with LF or CRLF) and this body.

    Raises Rejected when it exceeds `limits` or its MIME structure cannot be read at all.
    """
    octets = sum([len(name) + len(value) for name, value in fields])
    if len(fields) > limits.fields or octets > limits.field_octets:
        raise Rejected(TOO_COMPLEX)
    by_name = {name.lower(): value for name, value in reversed(fields)}
    kind = _kind(by_name.get("content-type", b""))
    if kind.content_type.startswith("multipart/"):
        parts = _multipart(by_name["content-type"], body, limits)
    else:
        parts = (_leaf(kind, by_name, body),)
    return Mail(fields, parts, octets + 4 * len(fields) + len(body), by_name)


def authors(mail: Mail) -> list[str]:
    """What stands in the From fields of a mail where an address should; nothing if it cannot be read, or is
    longer than any real one.
    """
    fields = [unfold(value).decode("latin-1") for value in mail.all("from")]
    if any(len(value) > _LONGEST_PARAMETERS for value in fields):
        return []
    try:
        return [address for _, address in getaddresses(fields) if address]
    except _PARSER_FAULTS:
        return []


def _leaf(kind: _Kind, by_name: Mapping[str, bytes], raw: bytes, alternative: int | None = None) -> Part:
    encoding = by_name.get("content-transfer-encoding", b"")
    octets, fault = _transfer_decoded(raw, _encoding(encoding)) if encoding else (raw, None)
    disposition = by_name.get("content-disposition")
    if disposition is None:
        attachment, filename = False, kind.name
    else:
        attachment, filename = _disposition(disposition)
    return Part(
        kind.content_type,
        octets,
        kind.charset,
        attachment,
        filename or kind.name,
        alternative,
        kind.flowed,
        kind.delsp,
        fault,
    )


def _encoding(value: bytes) -> str:
    """The bare token of a Content-Transfer-Encoding (RFC 2045 §6.1)."""
    token = unfold(value).partition(b";")[0].partition(b"(")[0].strip()
    return token.decode("latin-1").lower()


def _transfer_decoded(raw: bytes, encoding: str) -> tuple[bytes, str | None]:
    if encoding in _ASIS:
        return raw, None
    if encoding == "base64":
        try:
            return binascii.a2b_base64(b"".join(raw.split()), strict_mode=True), None
        except binascii.Error:
            return b"", "broken base64"
    if encoding == "quoted-printable":
        # RFC 2045 §6.7 (3): white space at a line's end was added on the way, also behind a soft line break.
        lines = [line.rstrip(b" \t\r") for line in raw.split(b"\n")]
        return binascii.a2b_qp(b"\n".join(lines)), None
    return b"", UNKNOWN_ENCODING


# --- Content-Type and Content-Disposition -------------------------------------------------------------------


def _kind(value: bytes) -> _Kind:
    if not value:
        return _Kind(_PLAIN)
    return _remembered_kind(value) if len(value) <= _LONGEST_REMEMBERED else _read_kind(value)


def _read_kind(value: bytes) -> _Kind:
    try:
        entity = _entity("Content-Type", value)
        return _Kind(
            entity.get_content_type(),
            _parameter(entity, "charset"),
            _parameter(entity, "format").lower() == "flowed",
            _parameter(entity, "delsp").lower() == "yes",
            _parameter(entity, "name"),
        )
    except _PARSER_FAULTS as error:
        raise Rejected(UNDECODABLE, "unreadable Content-Type") from error


_remembered_kind = lru_cache(maxsize=1024)(_read_kind)


def _disposition(value: bytes) -> tuple[bool, str]:
    try:
        entity = _entity("Content-Disposition", value)
        return entity.get_content_disposition() == "attachment", entity.get_filename("")
    except _PARSER_FAULTS as error:
        raise Rejected(UNDECODABLE, "unreadable Content-Disposition") from error


def _entity(name: str, value: bytes) -> Message:
    if len(value) > _LONGEST_PARAMETERS:
        raise Rejected(TOO_COMPLEX)
    entity = Message()
    entity[name] = unfold(value).decode("latin-1")
    return entity


def _parameter(entity: Message, name: str) -> str:
    value = entity.get_param(name, "")
    if isinstance(value, tuple):  # RFC 2231: charset, language, octets
        value = value[2]
    return str(value).strip()


# --- multipart ----------------------------------------------------------------------------------------------


class _Entity(Message):
    """A MIME entity that counts itself and knows its depth: parsing stops at a limit, not behind it."""

    def __init__(self, numbers: Iterator[int], limits: Limits, policy: Compat32 = compat32) -> None:
        super().__init__(policy)
        self._limits = limits
        self._depth = 0
        if next(numbers) >= limits.parts:
            raise Rejected(TOO_COMPLEX)

    def set_raw(self, name: str, value: str) -> None:
        """Called by the parser for each header field."""
        if len(value) > _LONGEST_PARAMETERS and name.lower() in _WITH_PARAMETERS:
            raise Rejected(TOO_COMPLEX)
        super().set_raw(name, value)

    def attach(self, payload: Message) -> None:  # type: ignore[override]
        """Called by the parser for each child, before it reads it."""
        assert isinstance(payload, _Entity)
        payload._depth = self._depth + 1
        if payload._depth > self._limits.depth:
            raise Rejected(TOO_COMPLEX)
        super().attach(payload)


def _multipart(content_type: bytes, body: bytes, limits: Limits) -> tuple[Part, ...]:
    head = b"Content-Type: " + unfold(content_type) + b"\r\n\r\n"
    try:
        # The parser calls the factory once more than it makes entities, to see what it takes.
        factory = partial(_Entity, count(-1), limits)
        root = BytesParser(factory, policy=compat32).parsebytes(head + body)
        return tuple(_leaves(root, count(), None))
    except _PARSER_FAULTS as error:
        raise Rejected(UNDECODABLE, "unreadable MIME structure") from error


def _leaves(entity: Message, groups: Iterator[int], alternative: int | None) -> Iterator[Part]:
    children = entity.get_payload()
    content_type = entity.get_content_type()
    if content_type.startswith("multipart/"):
        if not isinstance(children, list):
            yield Part(content_type, b"", alternative=alternative, fault="multipart without its parts")
            return
        group = next(groups) if content_type == "multipart/alternative" else alternative
        for child in children:
            assert isinstance(child, Message)
            yield from _leaves(child, groups, group)
    elif isinstance(children, list):  # message/*: one leaf, never looked into (HSL §4.3.6)
        yield Part(content_type, b"", alternative=alternative)
    else:
        yield _entity_leaf(entity, content_type, alternative)


def _entity_leaf(entity: Message, content_type: str, alternative: int | None) -> Part:
    by_name = {
        name.lower(): str(value).encode("ascii", "surrogateescape")
        for name, value in reversed(list(entity.raw_items()))
    }
    # The parser's own transfer decoding hides what is broken; without the field it leaves the octets alone.
    del entity["Content-Transfer-Encoding"]
    raw = entity.get_payload(decode=True)
    kind = _kind(by_name.get("content-type", b""))._replace(content_type=content_type)
    return _leaf(kind, by_name, raw if isinstance(raw, bytes) else b"", alternative)
