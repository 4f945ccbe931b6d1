"""Makes mails of what phones sent: to whoever wrote to that phone last by the number that it answers, or to a
mailbox.

The mail is stored in the transaction that takes the message off the list, and goes out as any other mail of
ours. Whoever answers it by mail writes to the phone again. Knows no socket and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers, clean, line
from sms_milter.model import Answer, Conversation, MobileMessage, NewMail
from sms_milter.ports import Journal, MobileQueue
from sms_milter.report.texts import Texts, filled
from sms_milter.smpp import mobile

_AT_ONCE = 50
_LOOK_BACK = 100  # messages to one phone
_CODE = re.compile(r"#([A-Za-z0-9._-]{1,64})")


class _Told(NamedTuple):
    """A message from a phone, what it answers, and the mail that tells of it, if there is anybody to tell."""

    message: MobileMessage
    conversation: Conversation | None
    to: str
    mail: NewMail | None


class Replies:
    """The part of the report role that reads what phones sent; `step` before `notify.Notifier` has its turn.

    What answers nobody goes to `mailbox` ("": it is only logged); `domain` is ours, for the address
    of a phone. `may_mail` says whether an address may be mailed at all. For `texts` see `notify.Notifier`.
    A phone that answers one of `stop_words` gets nothing more from that account, until it answers one of
    `start_words`.
    """

    def __init__(
        self,
        queue: MobileQueue,
        journal: Journal,
        numbers: Numbers,
        *,
        mailbox: str,
        domain: str,
        may_mail: Callable[[str], bool],
        texts: Mapping[str, Texts],
        stop_words: Iterable[str] = (),
        start_words: Iterable[str] = (),
        our_turn: Callable[[], bool] = lambda: True,
    ) -> None:
        self._stop_words = frozenset(_word(one) for one in stop_words)
        self._start_words = frozenset(_word(one) for one in start_words)
        self._queue, self._journal, self._numbers = queue, journal, numbers
        self._mailbox, self._domain, self._may_mail = mailbox, domain, may_mail
        self._texts, self._our_turn = texts, our_turn

    def step(self, now: float) -> None:
        """Take what has come, one transaction for all; what the queue cannot store now is taken later."""
        if not self._our_turn():
            return
        try:
            while due := self._queue.due_mobile(now, _AT_ONCE):
                told = [self._told(message) for message in due]
                self._queue.mobile_told([(one.message.mobile_id, one.mail) for one in told], now)
                for one in told:
                    self._say(one)
        except QueueUnavailable:
            return  # the report role says it

    def _told(self, message: MobileMessage) -> _Told:
        text = mobile.text_of(message)
        conversation = self._conversation(message, text)
        if conversation is not None and _word(text) in self._stop_words:
            self._suppress(message, conversation)
        elif conversation is not None and _word(text) in self._start_words:
            self._unsuppress(message, conversation)
        to = conversation.sender if conversation else ""
        if not to or not self._may_mail(to):
            to = self._mailbox
        mail = self._mail(message, text, conversation, to) if to else None
        return _Told(message, conversation, to, mail)

    def _suppress(self, message: MobileMessage, conversation: Conversation) -> None:
        """Once and for all, also if this is done twice."""
        number = _digits(message.source)
        if self._queue.suppress(conversation.account, number, "asked for it by SMS", message.at):
            pairs = {"account": conversation.account, "number": self._numbers.shown(number)}
            self._journal.info(line(conversation.mta_queue_id, **pairs, status="gets nothing more"))

    def _unsuppress(self, message: MobileMessage, conversation: Conversation) -> None:
        number = _digits(message.source)
        if self._queue.unsuppress(conversation.account, number):
            pairs = {"account": conversation.account, "number": self._numbers.shown(number)}
            self._journal.info(line(conversation.mta_queue_id, **pairs, status="gets messages again"))

    def _conversation(self, message: MobileMessage, text: str) -> Conversation | None:
        """The last message that reached the phone from the number it answers; a code in the answer, `#` and
        the reference of an earlier one, decides among several.
        """
        ours = _digits(message.destination)
        known = [
            one
            for one in self._queue.conversations(_digits(message.source), _LOOK_BACK)
            if _digits(one.originator) in (ours, "")
        ]
        known.sort(key=lambda one: not _digits(one.originator))  # the SMSC's own number is the last guess
        codes = set(_CODE.findall(text))
        named = [one for one in known if one.reference in codes]
        return next(iter(named or known), None)

    def _mail(self, message: MobileMessage, text: str, conversation: Conversation | None, to: str) -> NewMail:
        account = conversation.account if conversation else ""
        texts = self._texts.get(account, self._texts[""])
        phone = f"+{message.source}" if message.source.isdigit() else message.source
        body = text
        if message.alphabet == mobile.OCTETS:
            octets = mobile.MISSING.join(
                part.hex().upper() if part is not None else "" for part in message.parts
            )
            body = f"{texts['mobile_octets']}\n{octets}"
        author = f"{message.source}@{self._domain}"
        if conversation is not None:
            author = conversation.recipient
        subject = filled(texts["subject_mobile"], {"phone": phone})
        return NewMail(
            messages=(),
            received_at=message.at,
            account=account,
            dialect=conversation.dialect if conversation else "",
            sender="",
            client="",
            mta_queue_id=conversation.mta_queue_id if conversation else "",
            mail_message_id=conversation.mail_message_id if conversation else "",
            answers=(Answer(to, subject, f"{body}\n", author, phone),),
        )

    def _say(self, told: _Told) -> None:
        """One line, without the text."""
        message, conversation = told.message, told.conversation
        pairs: dict[str, object] = {
            "mobile": message.mobile_id,
            "from_": self._numbers.shown(message.source),
            "to": self._numbers.shown(message.destination),
        }
        if conversation is not None:
            pairs["answers"] = conversation.queue_id
        name = conversation.mta_queue_id if conversation else ""
        if told.mail is None:
            self._journal.warning(line(name, **pairs, status="nobody to tell (reports.mailbox is empty)"))
        else:
            self._journal.info(line(name, **pairs, status=f"becomes a mail to <{clean(told.to)}>"))


def _word(text: str) -> str:
    """A text that is one word, for comparing."""
    return text.strip(" \t\r\n.!\"'").casefold()


def _digits(number: str) -> str:
    """A number in the form in which two may be compared; "" for a name."""
    digits = number.removeprefix("+")
    return digits if digits.isascii() and digits.isdigit() else ""
