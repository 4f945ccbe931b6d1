"""What became of earlier messages, by their references (ASPSMS §11.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sms_milter.dialects.aspsms.document import Element
from sms_milter.dialects.aspsms.faults import Code
from sms_milter.dialects.aspsms.notices import Status, moment, outcome
from sms_milter.dialects.aspsms.options import AspsmsOptions
from sms_milter.dialects.aspsms.response import Field
from sms_milter.dialects.aspsms.sending import LONGEST_REFERENCE
from sms_milter.dialects.context import Context
from sms_milter.model import PartFate, PartState

_MOST_REFERENCES = 1000
CREDITS = Decimal("0.25")  # of each reference (ASPSMS §11.3)

_UNSENT = frozenset({PartState.QUEUED, PartState.SUBMITTING})
_ENDED = frozenset({PartState.DELIVERED, PartState.FAILED, PartState.EXPIRED})


def references(request: Element) -> list[str]:
    """The references asked for, in their order. Raises Rejected."""
    asked = [one.text.strip() for one in request.all("TransRefNumber")]
    asked = [reference for reference in asked if reference]
    if not asked:
        raise Code.NO_REFERENCE.rejected
    if len(asked) > _MOST_REFERENCES or any(len(reference) > LONGEST_REFERENCE for reference in asked):
        raise Code.INVALID_REQUEST.rejected
    return asked


def notifications(asked: Sequence[str], context: Context[AspsmsOptions]) -> Iterator[Field]:
    """A DeliveryNotification for each reference."""
    fates = context.records.fates(asked)
    for reference in asked:
        yield "DeliveryNotification", _notification(reference, fates.get(reference, ()), context)


def _notification(
    reference: str, parts: Sequence[PartFate], context: Context[AspsmsOptions]
) -> Iterator[Field]:
    submitted_at = min([part.submitted_at for part in parts if part.submitted_at is not None], default=None)
    status, reason, told_at = _fate(parts)
    yield "TransRefNumber", reference
    yield "DeliveryStatus", str(status.value)
    if submitted_at is not None:
        yield "SubmissionDate", moment(submitted_at)
    if status is not Status.NOT_SUBMITTED:
        yield "NotificationDate", moment(told_at or submitted_at or context.now)
        yield "ReasonCode", str(reason)


def _fate(parts: Sequence[PartFate]) -> tuple[Status, int, float | None]:
    """Status, reason and time of a message by its worst part: failed, then buffered, then delivered."""
    told = [(*_part(part), part.told_at) for part in parts]
    for status in (Status.FAILED, Status.BUFFERED, Status.DELIVERED):
        of_that = [(reason, at) for one, reason, at in told if one is status]
        if of_that and (status is not Status.DELIVERED or len(of_that) == len(told)):
            reason, at = max(of_that, key=lambda known: (known[1] or 0.0, known[0]))
            return status, reason, at
    # What has been delivered in part only is on its way.
    on_its_way = any(status is not Status.NOT_SUBMITTED for status, _, _ in told)
    return (Status.BUFFERED if on_its_way else Status.NOT_SUBMITTED), 0, None


def _part(part: PartFate) -> tuple[Status, int]:
    if part.state in _ENDED:
        return outcome(part.state, part.stat, part.error, part.command_status)
    if part.state in _UNSENT:
        return Status.NOT_SUBMITTED, 0
    if part.stat:
        return outcome(part.state, part.stat, part.error, part.command_status)
    return Status.BUFFERED, 0  # submitted, nothing heard
