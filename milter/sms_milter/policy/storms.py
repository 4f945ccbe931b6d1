"""Storms of alike messages to one phone: which are alike, how long one is held, and how it counts the
others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from sms_milter.model import SMS, STALE, Kind, Limits, PlannedMessage, StormRule, SubmitSm, Wish

_WORDS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august"
    "|september|october|november|december|mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday"
    "|saturday|sunday|am|pm"
)
_NUMBER = r"\d+(?:[.,:/-]\d+)*"
_DATE_WORD = rf"\b(?:{_WORDS})\b"
# A number, with names of months and days only where they stand beside one.
_CHANGING = re.compile(
    rf"(?:{_DATE_WORD}[.,]?\s*)*{_NUMBER}(?:[.,]?\s*(?:{_NUMBER}|{_DATE_WORD}))*", re.IGNORECASE
)
_SPACE = re.compile(r"\s+")


def likeness(rule: StormRule, message: PlannedMessage, form: str, room: int) -> bytes:
    """The digest of what alike messages have in common: what they say, all that decides how the held one will
    be sent, and what is to be told of it. b"" for what is no text.
    """
    first = message.parts[0]
    if message.kind != Kind.TEXT or message.channel != SMS or not isinstance(first, SubmitSm):
        return b""
    text = without_numbers(message.text) if rule.similar else message.text
    common = (
        text,
        message.originator,
        message.route,
        message.smsc,
        form,
        message.flash,
        int(message.priority),
        first.data_coding,
        first.protocol_id,
        first.service_type,
        max(len(message.parts), room),
        message.receipt,
        int(message.notify),
        int(message.notice),
    )
    return hashlib.blake2b(repr(common).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def without_numbers(text: str) -> str:
    """What texts have in common that differ in numbers, dates and times only."""
    return _SPACE.sub(" ", _CHANGING.sub("0", text)).strip()


def applying(limits: Limits, wishes: Iterable[Wish], now: float) -> Limits:
    """The limits of a mail with these wishes: what is ordered for a time of its own is no storm."""
    ordered = any(wish.schedule or wish.schedule_seconds or (wish.not_before or 0.0) > now for wish in wishes)
    return replace(limits, storms=None) if ordered else limits


def held_until(rule: StormRule, last_due_at: float, start: float) -> float | None:
    """Until when a message is held that would go at `start`, after the last one alike that went or goes at
    `last_due_at`; None: it may go. What lies far ahead was said by a wrong clock.
    """
    until = last_due_at + rule.window_seconds
    return until if start < until <= start + 2 * rule.window_seconds else None


def counting(text: str, count: int) -> str:
    """What a message says that stands for so many."""
    return f"({count}x) {text}"


def stale(form: str) -> str:
    """The form of parts whose message says something else now."""
    return STALE + form.removeprefix(STALE)
