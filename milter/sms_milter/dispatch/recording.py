"""What the links told: into the queue first, and only then into the log."""

from __future__ import annotations

from typing import NamedTuple

from sms_milter import metrics
from sms_milter.dispatch.cancelling import Cancelling
from sms_milter.dispatch.hearing import News
from sms_milter.dispatch.words import Words
from sms_milter.model import Heard, Settled
from sms_milter.ports import Journal, Meter, Work


class Recorded(NamedTuple):
    """News that the queue knows: the receipts that found their part, and what became of messages from
    phones.
    """

    news: News
    settled: list[Settled]
    heard: list[Heard]


class Recording:
    """Stores news within a transaction, and tells of it after."""

    def __init__(self, words: Words, journal: Journal, meter: Meter, cancelling: Cancelling) -> None:
        self._words, self._journal, self._meter, self._cancelling = words, journal, meter, cancelling

    def store(self, news: News, work: Work, now: float) -> Recorded:
        """Put all of it into the queue."""
        settled = work.record(news.outcomes) if news.outcomes else []
        if news.receipts:
            settled += work.settle(news.receipts)
        heard = work.listen(news.mobile) if news.mobile else []
        for part_id, command_status in news.cancelled:
            work.cancelled(part_id, now, done=not command_status)
        return Recorded(news, settled, heard)

    def tell(self, recorded: Recorded, now: float) -> None:
        """Log and count it; it is durable."""
        news, settled, heard = recorded
        for text in news.lines:
            self._journal.info(text)
        known = {id(one.receipt) for one in settled}
        for told in news.receipts:
            if id(told) not in known:
                self._meter.count(metrics.RECEIPTS, told.smsc, "parked")
                self._journal.info(self._words.parked(told))
        for one in settled:
            self._meter.count(metrics.RECEIPTS, one.receipt.smsc, one.word)
            self._journal.info(self._words.receipt(one))
        for message in heard:
            if message.arrived == message.part.total and not message.repeat:
                self._meter.count(metrics.MOBILE, message.part.smsc)
            self._journal.info(self._words.mobile(message))
        for part_id, command_status in news.cancelled:
            self._journal.info(self._cancelling.answered(part_id, command_status, now))
