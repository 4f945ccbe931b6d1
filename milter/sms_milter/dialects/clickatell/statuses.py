"""Status mails: what became of messages, a line for each change (CLK §12.3, §12.4).

Status 008, that a message is stored, is what the response mail says.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from sms_milter.model import (
    Answer,
    DeliveryReport,
    Listener,
    Notice,
    Notify,
    PartState,
    PlannedMessage,
    Wish,
)

_ENDS = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
_FAILURES = Notify.LOST | Notify.FAILURE
_INTERMEDIATE = Notify.SENT | Notify.RETRY
# What a value of `callback` asks for (CLK §12.3).
CALLBACKS = {
    0: Notify.NEVER,
    1: _INTERMEDIATE,
    2: _ENDS,
    3: _INTERMEDIATE | _ENDS,
    4: _FAILURES,
    5: _INTERMEDIATE | _FAILURES,
    6: _ENDS,
    7: _INTERMEDIATE | _ENDS,
}
_GATHER_SECONDS = 60.0

_RETRY, _SENT, _RECEIVED, _ERROR, _CANCELLED, _UNDELIVERED = "002", "003", "004", "005", "006", "007"
_NO_ROUTE, _EXPIRED, _WAITING = "009", "010", "011"
_TAKEN = (PartState.ACCEPTED, PartState.UNCERTAIN, PartState.DELIVERED)
_BAD_DESTINATION = 0x0B  # command_status
_BY_STAT = {"REJECTD": _ERROR, "DELETED": _CANCELLED}


def listeners(wishes: Sequence[Wish], addresses: Sequence[str]) -> tuple[Listener, ...]:
    """Who gets status mails, if any message asks for them."""
    asked = [wish.notice for wish in wishes if wish.notice]
    if not asked:
        return ()
    told = reduce(or_, asked)
    return tuple([Listener(one, told, gather_seconds=_GATHER_SECONDS) for one in addresses])


def notice(notice: Notice) -> Answer:
    """The mail about all changes of one request."""
    return _mail(notice.target, notice.news[0].recipient, [_line(news) for news in notice.news])


def waiting(messages: Sequence[PlannedMessage], told: Sequence[Listener], now: float) -> Sequence[Answer]:
    """What is told at once of messages that wait for their time."""
    concerned = [one for one in messages if one.not_before is not None and one.notice & _INTERMEDIATE]
    if not concerned:
        return ()
    lines = [_waiting_line(one, now) for one in concerned]
    return [_mail(listener.target, concerned[0].recipient, lines) for listener in told]


def code(news: DeliveryReport) -> str:
    """The message status code (CLK §12.4)."""
    if news.on_the_way:
        return _SENT if news.on_the_way is Notify.SENT else _RETRY
    if news.state is PartState.DELIVERED:
        return _RECEIVED
    if news.cancelled:
        return _CANCELLED
    if news.stat:
        return _BY_STAT.get(news.stat, _UNDELIVERED)
    if news.state is PartState.FAILED:
        return _NO_ROUTE if not news.smsc or news.command_status == _BAD_DESTINATION else _ERROR
    return _EXPIRED if news.state is PartState.EXPIRED else _UNDELIVERED


def _mail(to: str, recipient: str, lines: Sequence[str]) -> Answer:
    body = "".join([f"{line}\n" for line in lines])
    return Answer(
        to, f"SMTP API status: {len(lines)} message(s)", body, f"sms@{recipient.rpartition('@')[2]}"
    )


def _line(news: DeliveryReport) -> str:
    return _fields(
        apiMsgId=news.public_id,
        cliMsgId=news.reference or "",
        to=news.destination,
        from_=news.originator,
        timestamp=int(news.at),
        status=code(news),
        charge=news.parts if news.stat or news.state in _TAKEN else 0,
    )


def _waiting_line(message: PlannedMessage, now: float) -> str:
    return _fields(
        apiMsgId=message.public_id,
        cliMsgId=message.reference or "",
        to=message.destination,
        from_=message.originator,
        timestamp=int(now),
        status=_WAITING,
        charge=0,
    )


def _fields(**values: object) -> str:
    """Names and values; where there is none, nothing stands behind the colon."""
    return " ".join([f"{name.rstrip('_')}: {value}".rstrip() for name, value in values.items()])
