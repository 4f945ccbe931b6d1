"""Unlocking numbers as originators: a code goes there by SMS and comes back in a request (ASPSMS §11.7)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from sms_milter.dialects.aspsms import sending
from sms_milter.dialects.aspsms.document import Element
from sms_milter.dialects.aspsms.faults import Code
from sms_milter.dialects.aspsms.numbers import XML_NUMBER
from sms_milter.dialects.aspsms.options import AspsmsOptions
from sms_milter.dialects.context import Context
from sms_milter.model import Recipient, Record, Wish
from sms_milter.policy.originators import UNLOCKED, Standing, bare, standing

_CODE = "originator code"  # the kind of a record; its value is the code, a blank, the failed tries
_CODE_DIGITS = 8
_LIFE_SECONDS = 24 * 3600.0
_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Unlocking:
    """What is answered, sent and left behind."""

    code: Code
    wishes: tuple[Wish, ...] = ()
    records: tuple[Record, ...] = ()


def send_code(request: Element, address: Recipient, context: Context[AspsmsOptions]) -> Unlocking:
    """SendOriginatorUnlockCode: a new code for a number that is not unlocked yet."""
    digits = _wanted(request)
    known = _known(digits, context)
    if known in (Code.UNRESTRICTED, Code.ORIGINATOR_AUTHORIZED):
        return Unlocking(known)
    if not XML_NUMBER.fullmatch(digits):
        raise Code.ORIGINATOR.rejected  # no phone has it, so nobody could read the code
    code = f"{context.chance(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
    before = context.records.find(_CODE, digits) or Record(_CODE, digits, "")
    text = Wish(
        digits,
        f"Originator unlock code: {code}",
        recipient=f"00{digits}@{address.domain}",
        default_originator=sending.default(context),
    )
    left = replace(before, value=f"{code} 0", until=context.now + _LIFE_SECONDS)
    return Unlocking(Code.OK, (text,), (left,))


def unlock(request: Element, context: Context[AspsmsOptions]) -> Unlocking:
    """UnlockOriginator: with the code that was sent there; a wrong one counts as a try."""
    digits = _wanted(request)
    known = _known(digits, context)
    if known is not Code.ORIGINATOR_PENDING:
        return Unlocking(known)
    sent = context.records.find(_CODE, digits)
    assert sent is not None  # so it is pending
    code, tries = _read(sent)
    given = request.value("OriginatorUnlockCode")
    if hmac.compare_digest(given.encode(), code.encode()):
        spent = replace(sent, value="", until=context.now)
        return Unlocking(Code.OK, records=(spent, Record(UNLOCKED, digits, "")))
    counted = replace(sent, value=f"{code} {tries + 1}")
    return Unlocking(Code.ORIGINATOR_NOT_AUTHORIZED, records=(counted,))


def check(request: Element, context: Context[AspsmsOptions]) -> Unlocking:
    """CheckOriginatorAuthorization."""
    return Unlocking(_known(_wanted(request), context))


def _wanted(request: Element) -> str:
    originator = sending.written_originator(request)
    if originator is None:
        raise Code.ORIGINATOR.rejected
    return bare(originator)


def _known(originator: str, context: Context[AspsmsOptions]) -> Code:
    """How an originator stands: free, unlocked, a code under way, or not allowed."""
    by_settings = standing(context.account, originator)
    if by_settings is Standing.FREE:
        return Code.UNRESTRICTED
    if by_settings is Standing.LISTED or context.records.find(UNLOCKED, originator) is not None:
        return Code.ORIGINATOR_AUTHORIZED
    sent = context.records.find(_CODE, originator)
    if sent is not None and _read(sent)[1] < _MOST_TRIES:
        return Code.ORIGINATOR_PENDING
    return Code.ORIGINATOR_NOT_AUTHORIZED


def _read(record: Record) -> tuple[str, int]:
    code, _, tries = record.value.partition(" ")
    return code, int(tries)
