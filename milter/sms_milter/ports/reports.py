"""What our own mails need on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sms_milter.model import (
    DueReport,
    ReportOutcome,
)


class ReportQueue(Protocol):
    """The report role's side of the queue: its mails, from the end of a message to the MTA's 250.

    Raises QueueUnavailable.
    """

    def due_reports(
        self, now: float, limit: int, *, urls: bool = False, digest_above: int = 0
    ) -> list[DueReport]:
        """Up to `limit` mails that are to be handed to the MTA now, or `urls` that are to be requested; they
        stay due until an outcome is recorded. Delivery status notifications for an envelope sender that are
        more than `digest_above` become one; 0: never.
        """

    def next_report(self, *, urls: bool = False) -> float | None:
        """When the next one falls due (may be in the past); None without any."""

    def record_reports(self, outcomes: Sequence[ReportOutcome]) -> None:
        """Store what became of them, durable together."""


class Outbox(Protocol):
    """The way of our own mails to the MTA."""

    def submit(self, recipient: str, mail: bytes, sender: str = "") -> str:
        """Hand over one mail (CR LF line ends), usually with the null sender; the MTA's words of thanks.

        Raises ReportRefused, ReportDeferred, OutboxUnavailable when no mail could be handed over, or
        OutboxSilent when the MTA may have this one.
        """

    def close(self) -> None:
        """Nothing more for now."""
