"""How the log tells of parts and receipts: one line each, found by the MTA's queue id."""

from __future__ import annotations

from sms_milter.logline import Numbers, clean, line
from sms_milter.model import Heard, LeasedPart, ReceiptNews, Settled, WaitingMessage
from sms_milter.ports import Link


class Words:
    """Log lines with numbers shown as the postmaster wants them."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def phone(self, number: str) -> str:
        """A phone's number as it may be shown."""
        return self._numbers.shown(number)

    def part(
        self, part: LeasedPart, link: Link | None, now: float, *, smsc: str = "", **pairs: object
    ) -> str:
        """What happened to a part: on `link` if it has to do with one, else at `smsc` if with that. Written
        out, for each part has two.
        """
        where = f", smsc={smsc}" if smsc else ""
        if link is not None:
            where = f", smsc={link.smsc}, bind={link.name}, sequence={part.sequence}"
        more = "".join([f", {name}={value}" for name, value in pairs.items()])
        delay = f"{now - part.received_at:.2f}"
        to = self.phone(part.destination).replace(", ", ",")  # as `line` does
        return (
            f"{clean(part.mta_queue_id) or 'NOQUEUE'}: to={to}, "
            f"queue={part.queue_id}, part={part.number}/{part.total}{where}, delay={delay}{more}"
        )

    def message(self, message: WaitingMessage, status: str) -> str:
        """What happened to a whole message."""
        to = self.phone(message.destination)
        return line(message.mta_queue_id, to=to, queue=message.queue_id, status=status)

    def parked(self, news: ReceiptNews) -> str:
        """A receipt that found no part: the response may still come, or its id have another form."""
        return line(
            "",
            from_=self.phone(news.source),
            smsc=news.smsc,
            message_id=clean(news.smsc_message_id),
            status=f"receipt parked (stat={clean(news.stat)} err={clean(news.error)})",
        )

    def receipt(self, settled: Settled) -> str:
        """A receipt that found its part."""
        news = settled.receipt
        word = news.state.value if news.state else "pending"
        known = "" if settled.changed else ", already known"
        return line(
            settled.mta_queue_id,
            to=self.phone(settled.destination),
            queue=settled.queue_id,
            part=f"{settled.number}/{settled.total}",
            smsc=news.smsc,
            message_id=clean(news.smsc_message_id),
            status=f"{word} (stat={clean(news.stat)} err={clean(news.error)}){known}",
        )

    def mobile(self, heard: Heard) -> str:
        """A message from a phone, or a part of one; never what it says."""
        part = heard.part
        missing = part.total - heard.arrived
        word = f"kept, {missing} to come" if missing else "received"
        return line(
            "",
            mobile=heard.mobile_id,
            from_=self.phone(part.source),
            to=self.phone(part.destination),
            part=f"{part.number}/{part.total}",
            smsc=part.smsc,
            status=word + (" (already known)" if heard.repeat else ""),
        )
