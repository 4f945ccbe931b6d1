"""Reads Authentication-Results header fields (RFC 8601 §2.2). What is malformed has no results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_VERSION = "1"  # there is no other
_METHOD = re.compile(r"([a-z0-9-]+)(?:/[0-9]+)?")
_PAIR = re.compile(r"\s*([A-Za-z0-9._/-]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s\"]+)(?=\s|\Z)")


class Result(NamedTuple):
    """What one method has found: `properties` by their names, such as smtp.mailfrom; all in lower case."""

    method: str
    result: str
    properties: Mapping[str, str]


def results(value: bytes, authserv_id: str) -> tuple[Result, ...]:
    """The results in the value of one field, if it is that server's; names are compared without case."""
    head, *rest = _statements(value.decode("utf-8", "replace"))
    words = head.split()
    if not words or words[0].lower() != authserv_id.lower() or words[1:] not in ([], [_VERSION]):
        return ()
    return tuple([found for statement in rest if (found := _result(statement)) is not None])


def _statements(text: str) -> list[str]:
    """What stands between semicolons, without comments; [""] where a comment or a quote does not end."""
    statements, depth, quoted, escaped = [""], 0, False, False
    for one in text:
        kept = depth == 0
        if escaped:
            escaped = False
        elif one == "\\":
            escaped = True
        elif quoted:
            quoted = one != '"'
        elif one == "(":
            depth += 1
            kept = False
        elif one == ")" and depth:
            depth -= 1
            kept = False
            statements[-1] += " "
        elif depth:
            continue
        elif one == '"':
            quoted = True
        elif one == ";":
            statements.append("")
            continue
        if kept:
            statements[-1] += one
    return [""] if depth or quoted or escaped else statements


def _result(statement: str) -> Result | None:
    """`method = result *(name = value)`; None for anything else, such as `none`."""
    pairs: list[tuple[str, str]] = []
    place = 0
    while found := _PAIR.match(statement, place):
        pairs.append((found[1].lower(), _unquoted(found[2])))
        place = found.end()
    properties = dict(pairs[1:])
    if not pairs or statement[place:].strip() or len(properties) < len(pairs) - 1:
        return None
    method = _METHOD.fullmatch(pairs[0][0])
    return Result(method[1], pairs[0][1].lower(), properties) if method else None


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
