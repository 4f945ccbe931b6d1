"""What messages from phones need on their way to whom they concern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sms_milter.model import (
    Conversation,
    MobileMessage,
    NewMail,
)


class MobileQueue(Protocol):
    """Messages from phones, from their last part to whom they concern. Raises QueueUnavailable."""

    def due_mobile(self, now: float, limit: int) -> list[MobileMessage]:
        """Up to `limit` that are to be told now, the oldest first."""

    def conversations(self, phone: str, limit: int) -> list[Conversation]:
        """Messages that reached a phone (digits) and that it can answer, newest first."""

    def suppress(self, account: str, number: str, why: str, now: float) -> bool:
        """As `OperatorQueue.suppress`."""

    def unsuppress(self, account: str, number: str) -> bool:
        """As `OperatorQueue.unsuppress`."""

    def mobile_told(self, told: Sequence[tuple[int, NewMail | None]], now: float) -> None:
        """These are done with; the mails that tell of them, answers only, are stored with it."""
