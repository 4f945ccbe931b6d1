"""A mail played through the gate with nothing stored: it goes the very way that a mail from the MTA goes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sms_milter.errors import Refusal
from sms_milter.gate import Gate
from sms_milter.intake import Transaction, Verdict
from sms_milter.mail.address import esmtp_parameters
from sms_milter.model import (
    Certificate,
    Client,
    CreditRule,
    LoginRule,
    NewMail,
    PartFate,
    QuotaLeft,
    QuotaRule,
    Record,
    Stored,
)
from sms_milter.ports import Intake, Journal


class QueueView(Protocol):
    """The part of the queue that a preview may look at."""

    def refusal(self, mail: NewMail, now: float) -> Refusal | None:
        """As `IntakeQueue.refusal`."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        """As `IntakeQueue.quota_left`."""

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """As `IntakeQueue.credit_left`."""

    def suppressed(self, account: str, number: str) -> bool:
        """As `IntakeQueue.suppressed`."""

    def login_blocked(self, who: str, now: float) -> bool:
        """As `IntakeQueue.login_blocked`."""

    def last_number(self, account: str) -> int:
        """The last number that `IntakeQueue.next_number` has given, 0 before the first."""

    def find_record(self, account: str, kind: str, name: str, now: float) -> Record | None:
        """As `IntakeQueue.find_record`."""

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """As `IntakeQueue.fates`."""


class SilentJournal:
    """A journal that writes nothing: what is only rehearsed is not logged."""

    def debug(self, line: str) -> None:
        """Nothing."""

    info = warning = error = critical = debug


class Rehearsal:
    """An `Intake` that stores nothing: the queue is looked at as of `now`, and that is all."""

    def __init__(self, queue: QueueView, now: float) -> None:
        self._queue, self._now = queue, now

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        """As the queue stands."""
        return self._queue.quota_left(account, sender, rule, self._now)

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """As the queue stands."""
        return self._queue.credit_left(account, rule)

    def suppressed(self, account: str, number: str) -> bool:
        """As the queue stands."""
        return self._queue.suppressed(account, number)

    def login_blocked(self, who: str) -> bool:
        """As the queue stands."""
        return self._queue.login_blocked(who, self._now)

    def next_number(self, account: str) -> int:
        """As the queue stands; it is not taken away."""
        return self._queue.last_number(account) + 1

    def find_record(self, account: str, kind: str, name: str) -> Record | None:
        """As the queue stands."""
        return self._queue.find_record(account, kind, name, self._now)

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """As the queue stands."""
        return self._queue.fates(account, references)

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        """Nothing is counted."""
        del who, rule
        return False

    def count_refused(self) -> None:
        """Nothing is counted."""

    def put(self, mail: NewMail, progress: Callable[[], None] | None = None) -> Stored:
        """As if stored. Raises what the queue would raise beyond a limit."""
        del progress
        refusal = None if mail.limits is None else self.refusal(mail)
        if refusal is not None:
            raise refusal
        return Stored(0)

    def refusal(self, mail: NewMail) -> Refusal | None:
        """As the queue stands."""
        return self._queue.refusal(mail, self._now)


def split_message(octets: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """A mail file as the MTA would hand it over: header fields (folding as LF, one leading blank removed) and
    body with CR LF.
    """
    text = octets.replace(b"\r\n", b"\n")
    fields: list[tuple[str, bytes]] = []
    while text:
        first, _, rest = text.partition(b"\n")
        if not first:
            text = rest
            break
        name, colon, value = first.partition(b":")
        if fields and first[:1] in b" \t":
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\n" + first)
        elif colon and name.strip() and not name.strip(b" \t").count(b" "):
            fields.append((name.rstrip().decode("latin-1"), value.removeprefix(b" ")))
        else:
            break  # the first line that is no header field starts the body
        text = rest
    return fields, text.replace(b"\n", b"\r\n")


def rehearse(
    gate: Gate,
    intake: Intake,
    journal: Journal,
    *,
    client: str,
    sender: str,
    recipients: Sequence[str],
    mail: bytes,
    now: float,
    sasl_user: str = "",
    macros: Mapping[str, str] | None = None,
    mail_parameters: Sequence[str] = (),
    recipient_parameters: Sequence[str] = (),
    chance: Callable[[int], int] = secrets.randbelow,
) -> tuple[Transaction, Verdict]:
    """Play one mail through a gate, as `milterd` would. `macros` as the MTA names them (`i`, `{tls_version}`,
    …), `chance` as in `dialects.context.Context`.
    """
    known = macros or {}
    transaction = Transaction(
        gate,
        intake,
        journal,
        Client.at(client, helo=known.get("s", "")),
        sender,
        esmtp_parameters(mail_parameters),
        sasl_user=sasl_user or known.get("{auth_authen}", ""),
        tls_version=known.get("{tls_version}", ""),
        certificate=Certificate(
            known.get("{cert_subject}", ""), known.get("{cert_issuer}", ""), known.get("{cert_fp}", "")
        ),
        mta_queue_id=known.get("i", ""),
        clock=lambda: now,
        chance=chance,
    )
    for recipient in recipients:
        transaction.recipient(recipient, esmtp_parameters(recipient_parameters))
    if transaction.concerns_us:
        fields, body = split_message(mail)
        for name, value in fields:
            transaction.header(name, value)
        transaction.body(body)
    return transaction, transaction.decide()
