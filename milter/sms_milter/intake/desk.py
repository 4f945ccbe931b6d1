"""What a dialect may ask about its account while it reads a mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sms_milter.credits import credits_of
from sms_milter.gate import Gate
from sms_milter.model import Limits, PartFate, Record
from sms_milter.policy.accounts import Member
from sms_milter.policy.originators import UNLOCKED
from sms_milter.ports import Intake


class Desk:
    """Gate and queue for one account: `dialects.context.Records`, and functions of `Context`."""

    __slots__ = ("_gate", "_intake", "_limits", "_member")

    def __init__(self, gate: Gate, intake: Intake, member: Member, limits: Limits | None) -> None:
        self._gate, self._intake, self._member, self._limits = gate, intake, member, limits

    def find(self, kind: str, name: str) -> Record | None:
        """See `Records.find`."""
        return self._intake.find_record(self._member.name, kind, name)

    def fates(self, references: Sequence[str]) -> Mapping[str, Sequence[PartFate]]:
        """See `Records.fates`."""
        return self._intake.fates(self._member.name, references)

    def number(self) -> int:
        """See `Context.number`; a shadow takes none away."""
        return 1 if self._gate.shadow else self._intake.next_number(self._member.name)

    def originator(self, wanted: str) -> str:
        """See `Context.originator`."""
        return self._gate.originator(self._member, wanted, unlocked=self.unlocked)

    def unlocked(self, digits: str) -> bool:
        """Whether the account has proved that the number is its own."""
        return self.find(UNLOCKED, digits) is not None

    def balance(self) -> Decimal | None:
        """See `Context.balance`."""
        return balance(self._intake, self._member, self._limits)

    def network(self, number: str) -> str:
        """See `Context.network`."""
        return self._gate.network(self._member, number)


def balance(intake: Intake, member: Member, limits: Limits | None) -> Decimal | None:
    """The credits that an account has left; None when they are not metered. Raises Deferred."""
    if limits is None or limits.credits is None:
        return None
    return credits_of(intake.credit_left(member.name, limits.credits))
