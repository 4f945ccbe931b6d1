"""Which lines of a log belong together: ours and the MTA's of one mail, of all mails to one number, or of one
account.

The MTA's queue id joins them; our own queue ids and the message ids of SMSCs lead to it, and the mails with
which we tell of an SMS have queue ids of their own. What a later line teaches may explain an earlier one:
`learn` goes over a log until nothing new comes up, then `tells` says what to show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sms_milter.logbook.entry import Entry
from sms_milter.logline import Numbers, Said

_PHONES = ("to", "from", "about", "number")  # fields of ours that hold a phone number, or an address with one
_MTA_TO = re.compile(r"\bto=<([^>]*)>")
_MESSAGE_ID = re.compile(r"accepted \((?:message_id|id)=(.*)\)")
# Postfix; Sendmail.
_QUEUED_AS = re.compile(r"\bqueued as ([A-Za-z0-9]+)|\b([A-Za-z0-9]{10,}) Message accepted")
_MASKED = Numbers(masked=True)


class By(StrEnum):
    """What a story is asked for by."""

    EVERYTHING = "everything"  # of ours
    MAIL = "mail"  # a queue id, ours or the MTA's
    NUMBER = "number"  # a phone's, however it is written
    ACCOUNT = "account"
    MESSAGE = "message"  # the id that an SMSC or a web service gave


@dataclass(frozen=True, slots=True)
class Question:
    """`name` is what `by` says."""

    by: By
    name: str = ""


class Story:
    """What is known about one question."""

    def __init__(self, question: Question) -> None:
        self._by, self._name = question.by, question.name
        self._phone = digits(question.name) if question.by is By.NUMBER else ""
        self._masked = {_MASKED.shown(self._phone), _MASKED.shown(f"+{self._phone}")}
        self.mails = {question.name} if question.by is By.MAIL else set()  # the MTA's queue ids
        self._receipts: set[tuple[str, str]] = set()  # SMSC and its message id
        self.guessed = False  # a masked number was taken for ours, which others may share

    def learn(self, entry: Entry) -> bool:
        """Take in one line; whether it taught something that may explain others."""
        known = len(self.mails) + len(self._receipts)
        if not entry.ours:
            if entry.queue_id and self._mta_names_phone(entry.text):
                self.mails.add(entry.queue_id)
        elif self._belongs(said := entry.said):
            if said.mta_queue_id:
                self.mails.add(said.mta_queue_id)
            if reported := _QUEUED_AS.search(said.pairs.get("reply", "")):
                self.mails.add(reported[1] or reported[2])
            if message := _MESSAGE_ID.search(said.status):
                self._receipts.add((_smsc(said), message[1]))
        return len(self.mails) + len(self._receipts) > known

    def tells(self, entry: Entry) -> bool:
        """Whether the line belongs to the story."""
        if entry.ours:
            return self._by is By.EVERYTHING or self._belongs(entry.said)
        if entry.queue_id:
            return entry.queue_id in self.mails
        return self._mta_names_phone(entry.text)

    # --- lines of ours --------------------------------------------------------------------------------------

    def _belongs(self, said: Said) -> bool:
        if self._answers(said):
            return True
        if not said.mta_queue_id:  # a receipt that found its part later, or never
            return (_smsc(said), said.pairs.get("message_id") or said.pairs.get("id", "")) in self._receipts
        return said.mta_queue_id in self.mails and not self._of_another(said)

    def _answers(self, said: Said) -> bool:
        """Whether the line alone is what is asked for."""
        pairs = said.pairs
        match self._by:
            case By.MAIL:
                return self._name in (said.mta_queue_id, pairs.get("queue"))
            case By.ACCOUNT:
                return pairs.get("account") == self._name
            case By.NUMBER:
                return any(self._is_phone(pairs[name]) for name in _PHONES if name in pairs)
            case By.MESSAGE:
                message = _MESSAGE_ID.search(said.status)
                return self._name in (pairs.get("message_id"), pairs.get("id"), message and message[1])
        return False

    def _of_another(self, said: Said) -> bool:
        """Of a mail with several messages, what is only about one that is not asked for."""
        if not self._phone:
            return False
        phones = [said.pairs[name] for name in ("to", "about") if name in said.pairs]
        return any(digits(one) or "*" in one for one in phones) and not any(map(self._is_phone, phones))

    # --- phones ---------------------------------------------------------------------------------------------

    def _mta_names_phone(self, text: str) -> bool:
        return bool(self._phone) and any(self._is_phone(one) for one in _MTA_TO.findall(text))

    def _is_phone(self, value: str) -> bool:
        local = value.strip("<>").partition("@")[0]
        if local in self._masked:
            self.guessed = True
            return True
        return digits(local) == self._phone


def digits(number: str) -> str:
    """A phone number as an SMSC has it: digits only, international; "" if it is none."""
    plain = re.sub(r"[\s()./-]", "", number.strip("<>").partition("@")[0])
    plain = plain.removeprefix("+") if plain.startswith("+") else plain.removeprefix("00")
    return plain if plain.isascii() and plain.isdigit() else ""


def _smsc(said: Said) -> str:
    return said.pairs.get("smsc") or said.pairs.get("outlet", "")
