"""What is decided of recipients and mails, as values."""

from __future__ import annotations

from typing import NamedTuple

from sms_milter.model import Action, Plan, Stage, Stored
from sms_milter.reply import Reply


class Judged(NamedTuple):
    """One RCPT: whose it is, and the reply that refused it, if any."""

    raw: str
    ours: bool
    reply: Reply | None


class Verdict(NamedTuple):
    """What becomes of the mail; unknown never means pass. `remove` holds RCPT octets to delete at the MTA."""

    action: Action
    stage: Stage
    reply: Reply | None = None
    remove: tuple[str, ...] = ()
    plan: Plan | None = None
    stored: Stored | None = None
