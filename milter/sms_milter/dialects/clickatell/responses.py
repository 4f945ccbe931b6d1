"""The mail that tells the `reply` addresses of each destination what became of it (CLK §12.1)."""

from __future__ import annotations

from collections.abc import Sequence

from sms_milter.dialects.clickatell import statuses
from sms_milter.dialects.clickatell.faults import worded
from sms_milter.dialects.clickatell.options import ClickatellOptions
from sms_milter.dialects.context import Outcome
from sms_milter.model import Answer, PlannedMessage, Refused

_LONGEST_SHOWN = 40  # characters of a wrong number


def answer(outcome: Outcome[ClickatellOptions]) -> Sequence[Answer]:
    """A response mail to each address that asks for one, and what status mails say at once; the mail itself
    is never repeated.
    """
    waiting = statuses.waiting(outcome.messages, outcome.request.listeners, outcome.now)
    return (*_responses(outcome), *waiting) if outcome.request.reply_to else waiting


def _responses(outcome: Outcome[ClickatellOptions]) -> Sequence[Answer]:
    results = outcome.results
    failed = sum(isinstance(one, Refused) for one in results)
    subject = f"SMTP API response: {len(results) - failed} accepted, {failed} failed"
    short = outcome.options.reply_style == "single" and len(results) == 1
    body = "".join([f"{_line(one, named=not short)}\n" for one in results])
    author = outcome.envelope.recipients[0].address
    return tuple([Answer(address, subject, body, author) for address in outcome.request.reply_to])


def _line(result: PlannedMessage | Refused, *, named: bool) -> str:
    if isinstance(result, Refused):
        # Behind the documented words stands in parentheses what only the SMTP reply says.
        line, number = worded(result.reply, None).text.partition(" (")[0], result.written[:_LONGEST_SHOWN]
    else:
        line, number = f"ID: {result.public_id}", result.destination
    own = "" if result.reference is None else f" cliMsgId: {result.reference}"
    return f"{line} To: {number}{own}" if named else f"{line}{own}"
