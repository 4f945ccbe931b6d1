"""What an operator does to what waits in the queue: held, released, sent now or again, cancelled. Each part
that changes has its line in the log.
"""

from __future__ import annotations

from collections.abc import Callable

from sms_milter.logline import Numbers, line
from sms_milter.model import Deed, LeasedPart, Selection
from sms_milter.ports import Doorbell, Journal, OperatorQueue

_WORDS = {
    Deed.HOLD: "held by the operator",
    Deed.RELEASE: "released by the operator",
    Deed.RETRY: "to be sent now, says the operator",
    Deed.CANCEL: "cancelled by the operator",
}
_ASKED = "the SMSC is to be asked to cancel it, says the operator"


class Operator:
    """Changes parts a thousand at a time, so that the service is never kept waiting for long."""

    def __init__(
        self,
        queue: OperatorQueue,
        journal: Journal,
        numbers: Numbers,
        *,
        dispatch: Doorbell,
        reports: Doorbell,
    ) -> None:
        self._queue, self._journal, self._numbers = queue, journal, numbers
        self._dispatch, self._reports = dispatch, reports

    def change(
        self, deed: Deed, wanted: Selection, now: float, progress: Callable[[int], None] = lambda _: None
    ) -> tuple[int, int]:
        """Do it to all that is meant; `progress` hears of each thousand.

        Gives how many parts have changed, and how many the SMSCs will be asked to cancel.

        Raises QueueUnavailable; what was changed before stays changed.
        """
        count, asked, after = 0, 0, 0
        while True:
            done = self._queue.change(deed, wanted, now, after)
            for part in done.parts:
                self._say(part, _WORDS[deed])
            for part in done.asked:
                self._say(part, _ASKED)
            count += len(done.parts)
            asked += len(done.asked)
            progress(len(done.parts) + len(done.asked))
            if done.parts:
                self._ring(deed)
            if done.asked:
                self._dispatch.ring()
            if done.after is None:
                return count, asked
            after = done.after

    def _ring(self, deed: Deed) -> None:
        if deed is Deed.CANCEL:
            self._reports.ring()
        elif deed is not Deed.HOLD:
            self._dispatch.ring()

    def _say(self, part: LeasedPart, word: str) -> None:
        self._journal.info(
            line(
                part.mta_queue_id,
                to=self._numbers.shown(part.destination),
                queue=part.queue_id,
                part=f"{part.number}/{part.total}",
                status=word,
            )
        )
