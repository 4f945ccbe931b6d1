"""Hears from web services what became of the errands that they took, and settles these as receipts do.

Knows no socket and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from sms_milter.channels import callback, words
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers, clean, line
from sms_milter.ports import DispatchQueue, Doorbell, Journal

_PLACE = "/channels/"


class Callbacks:
    """What is posted to /channels/NAME for one of `channels`. Any thread may call."""

    def __init__(
        self,
        queue: DispatchQueue,
        channels: Collection[str],
        journal: Journal,
        numbers: Numbers,
        *,
        reports: Doorbell,
        clock: Callable[[], float],
    ) -> None:
        self._queue, self._channels, self._journal, self._numbers = queue, channels, journal, numbers
        self._reports, self._clock = reports, clock

    def hear(self, place: str, octets: bytes) -> tuple[int, str]:
        """HTTP status and words for one POST; it is stored when the status is 204."""
        channel = place.removeprefix(_PLACE)
        if not place.startswith(_PLACE) or channel not in self._channels:
            return 404, "no such channel here"
        try:
            news = callback.read(octets, channel, self._clock())
        except ValueError as error:
            self._journal.warning(line("", channel=channel, status=f"call-back refused ({error})"))
            return 400, str(error)
        try:
            # Answer only after the row is committed: the service forgets it once it is taken.
            with self._queue.transaction() as work:
                settled = work.settle([news])
        except QueueUnavailable as error:
            self._journal.error(line("", channel=channel, status=f"call-back not stored ({clean(error)})"))
            return 503, "try again later"
        if work.reported:
            self._reports.ring()
        for one in settled:
            self._journal.info(words.settlement(one, self._numbers))
        if not settled:
            name = clean(news.smsc_message_id)
            self._journal.info(
                line("", channel=channel, id=name, status="call-back for nothing known yet, kept")
            )
        return 204, ""
