"""Codes that prove whose phone it is: sent there, then checked (ASPSMS §11.7)."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import asdict, dataclass, replace

from sms_milter.dialects.aspsms import content, numbers, sending
from sms_milter.dialects.aspsms.document import Element
from sms_milter.dialects.aspsms.faults import Code
from sms_milter.dialects.aspsms.options import AspsmsOptions
from sms_milter.dialects.context import Context
from sms_milter.model import Recipient, Record, Wish

_KIND = "token"  # of a record; its name is the number, a blank, the reference
_MASK = "NNNN"
_DIGITS, _LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHOICES = {"#": _DIGITS, "A": _LETTERS, "N": _DIGITS + _LETTERS}
_LONGEST = 64  # characters of a mask, code or reference
_PLACE = "<VERIFICATIONCODE>"
_MINUTES = re.compile(r"[0-9]{1,6}")
_USUAL_MINUTES = 5
_MOST_TRIES = 5
_REMEMBERED_SECONDS = 30 * 86400.0  # after its end: until then it is known that there was one


@dataclass(frozen=True, slots=True)
class Token:
    """A code that was sent; good until `ends`, `tries` have been wrong."""

    code: str
    ends: float
    any_case: bool = True
    tries: int = 0
    verified: bool = False

    def matches(self, given: str) -> bool:
        """Whether that is the code."""
        pair = (given, self.code)
        one, other = (text.casefold() for text in pair) if self.any_case else pair
        return hmac.compare_digest(one.encode(), other.encode())


@dataclass(frozen=True, slots=True)
class Tokens:
    """A message for each recipient, each with a code of its own, and what is remembered of these."""

    sent: sending.Sent
    records: tuple[Record, ...]


def send(request: Element, address: Recipient, context: Context[AspsmsOptions]) -> Tokens:
    """SendTokenSMS. Raises Rejected."""
    recipients = sending.named(request)
    common = Wish(
        "", originator=sending.originator(request, context), default_originator=sending.default(context)
    )
    template = content.message_text(request)
    sent = sending.addressed(common, recipients, request, address, context)
    made = {wish.destination: _token(request, context) for wish in sent.wishes}
    wishes = tuple([wish._replace(text=_text(template, made[wish.destination].code)) for wish in sent.wishes])
    reference = _reference(request)
    records = tuple([_record(number, reference, token, context) for number, token in made.items()])
    return Tokens(replace(sent, wishes=wishes), records)


def verify(request: Element, context: Context[AspsmsOptions]) -> tuple[Code, tuple[Record, ...]]:
    """VerifyToken: the answer, and what it leaves behind. Raises Rejected."""
    written = request.value("PhoneNumber") or sending.named(request)[0][0]
    number = numbers.XML_NUMBER.fullmatch(written)
    found = number and context.records.find(_KIND, f"{number[1]} {_reference(request)}")
    if not found:
        return Code.TOKEN_NOT_FOUND, ()
    token = Token(**json.loads(found.value))
    if token.verified:
        return Code.TOKEN_AUTHORIZED, ()
    if token.ends <= context.now or token.tries >= _MOST_TRIES:
        return Code.TOKEN_NOT_AUTHORIZED, ()
    right = token.matches(request.value("VerificationCode"))
    after = replace(token, verified=True) if right else replace(token, tries=token.tries + 1)
    left = replace(found, value=json.dumps(asdict(after)))
    if right:
        return Code.OK, (left,)
    spent = after.tries >= _MOST_TRIES
    return (Code.TOKEN_NOT_AUTHORIZED if spent else Code.TOKEN_PENDING), (left,)


def _token(request: Element, context: Context[AspsmsOptions]) -> Token:
    mask = request.value("TokenMask") or _MASK
    given = request.value("VerificationCode")
    minutes = request.value("TokenValidity") or str(_USUAL_MINUTES)
    if not _MINUTES.fullmatch(minutes) or max(len(mask), len(given)) > _LONGEST:
        raise Code.INVALID_REQUEST.rejected
    code = given or "".join(_chosen(one, context) for one in mask)
    any_case = not content.is_set(request, "TokenCaseSensitive")
    return Token(code, context.now + 60 * int(minutes), any_case)


def _chosen(place: str, context: Context[AspsmsOptions]) -> str:
    choices = _CHOICES.get(place, place)
    return choices[context.chance(len(choices))]


def _reference(request: Element) -> str:
    reference = request.value("TokenReference")
    if len(reference) > _LONGEST:
        raise Code.INVALID_REQUEST.rejected
    return reference


def _record(number: str, reference: str, token: Token, context: Context[AspsmsOptions]) -> Record:
    name = f"{number} {reference}"
    before = context.records.find(_KIND, name) or Record(_KIND, name, "")
    return replace(before, value=json.dumps(asdict(token)), until=token.ends + _REMEMBERED_SECONDS)


def _text(template: str, code: str) -> str:
    return template.replace(_PLACE, code) if _PLACE in template else code
