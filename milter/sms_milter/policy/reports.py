"""Who is told by mail what became of a message: the sender's wish, the account's setting, loops (HSL §6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from sms_milter.model import Notify

_EVERYTHING = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
_BY_RECEIPT = Notify.FAILURE | Notify.SUCCESS | Notify.PENDING
_BULK = (b"bulk", b"junk", b"list")
# Programs that hand out mail, by the local parts that they are known for (RFC 3834 §2); "+" parts off VERP.
_PROGRAM = re.compile(r"(?:owner-.*|.*-(?:request|owner|bounces?)(?:\+.*)?|mailer-daemon)@.*", re.IGNORECASE)


def may_be_reported_on(sender: str, fields: Mapping[str, bytes]) -> bool:
    """Whether anybody may be told of this mail: never the null sender, another robot, or a mailing list (RFC
    3834 §2).

    `fields` are the first ones of each lower-case name.
    """
    if not sender or _PROGRAM.fullmatch(sender) or "list-id" in fields:
        return False
    automatic = fields.get("auto-submitted")
    if automatic is not None and automatic.partition(b";")[0].strip().lower() != b"no":
        return False
    if fields.get("precedence", b"").strip().lower() in _BULK:
        return False
    return not fields.get("content-type", b"").lstrip().lower().startswith(b"multipart/report")


@lru_cache(maxsize=1024)
def wanted(
    asked: bool, parameter: str, setting: Literal["default", "always", "failed", "none"]
) -> tuple[Notify, bool]:
    """What the sender of a message is told, and whether receipts are needed for that or asked for.

    `asked` says whether the mail itself asks for a confirmation; NOTIFY as RCPT's `parameter` comes before
    it (RFC 3461 §4.1), and the account's `setting` before both, but nothing comes before NOTIFY=NEVER.
    """
    request = _request(asked, parameter.upper())
    told = request
    if setting == "none":
        told = Notify.NEVER
    elif request and setting == "always" and not parameter:
        told = _EVERYTHING
    elif request and setting == "failed":
        told = request & ~Notify.SUCCESS if parameter else Notify.LOST | Notify.FAILURE
    return told, bool((request | told) & _BY_RECEIPT)


def _request(asked: bool, parameter: str) -> Notify:
    if not parameter:
        return _EVERYTHING if asked else Notify.LOST
    words = parameter.split(",")
    if "NEVER" in words:
        return Notify.NEVER
    # What is lost before the SMSC had it is told in any case but that (HSL §6).
    failure = Notify.FAILURE if "FAILURE" in words else Notify.NEVER
    success = Notify.SUCCESS if "SUCCESS" in words else Notify.NEVER
    delay = Notify.PENDING | Notify.DELAYED if "DELAY" in words else Notify.NEVER
    return Notify.LOST | failure | success | delay
