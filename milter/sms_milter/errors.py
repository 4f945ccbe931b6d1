"""The tree of exceptions. Each knows whose fault it is and whether trying again may help.

GatewayError
├─ ConfigError            place, value, expectation; stops the start
├─ Rejected(Reply)        permanent, the mail's fault         5yz
│  └─ Excess              some of its messages are too many; without them it would be taken
├─ Deferred(Reply)        temporary, try again later          4yz
│  └─ RecordChanged       a mail was judged by a record that another has changed since: judge it again
├─ Denied(Denial)         may not send, or not as whom it says; the dialect finds the reply
├─ ContentFault           cannot become the wanted SMS content; the dialect finds the reply
├─ SmppError ── LocalProtocolError (our bug) · RemoteProtocolError (theirs) · DecodeError
├─ QueueError ── QueueUnavailable · LeaseLost
├─ ReportError ── ReportRefused · ReportDeferred · OutboxUnavailable ── OutboxSilent
└─ WebError ── NotSent · NoAnswer
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sms_milter.reply import Denial, Reply


class GatewayError(Exception):
    """Any error that this program raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in the configuration: where it stands, its path, what is wrong and what was expected.

    `line` counts from 1; 0 when there is no line to point at (a missing file).
    """

    file: str
    line: int
    path: str
    problem: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.problem}" if self.path else f"{place}: {self.problem}"


class ConfigError(GatewayError):
    """The configuration cannot be used; carries every fault at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class Refusal(GatewayError):
    """The mail is not taken; `reply` goes to the SMTP client."""

    def __init__(self, reply: Reply, why: str = "") -> None:
        super().__init__(why or str(reply))
        self.reply = reply


class Rejected(Refusal):
    """Refused for good: the mail's fault (5yz)."""


class Deferred(Refusal):
    """Refused for now: try again later (4yz)."""


class Excess(Rejected):
    """Some messages of a mail are more than a limit allows, by their places in it; the others would be
    taken.
    """

    def __init__(self, reply: Reply, messages: frozenset[int]) -> None:
        super().__init__(reply)
        self.messages = messages


class RecordChanged(Deferred):
    """A record that the mail was judged by is another now; judged again it may pass."""


class Denied(GatewayError):
    """What the mail says of its sender does not hold; `account` is whom it named, "" when there is none."""

    def __init__(self, denial: Denial, account: str = "") -> None:
        super().__init__(f"{denial.value} ({account})" if account else denial.value)
        self.denial = denial


class ContentFault(GatewayError, ValueError):
    """What was given cannot become the SMS content it should; says why in words for the sender."""


class SmppError(GatewayError):
    """Something is wrong between us and an SMSC."""


class LocalProtocolError(SmppError):
    """We asked for something that the session's state or the specification forbids: our bug."""


class RemoteProtocolError(SmppError):
    """The SMSC did something that its state forbids."""


class DecodeError(SmppError):
    """Octets from the SMSC that mean nothing."""


class QueueError(GatewayError):
    """The queue could not do what was asked."""


class QueueUnavailable(QueueError):
    """Storage cannot be reached or written now: disk full, read-only, locked for too long, database away."""


class LeaseLost(QueueError):
    """A part that we believed to hold is no longer ours."""


class ReportError(GatewayError):
    """A mail of ours was not taken by the MTA."""


class ReportRefused(ReportError):
    """The MTA will never take this mail."""


class ReportDeferred(ReportError):
    """The MTA does not take this mail now."""


class OutboxUnavailable(ReportError):
    """The MTA takes no mail at all now: away, or not willing to talk."""


class OutboxSilent(OutboxUnavailable):
    """The MTA has got a whole mail and not said what became of it."""


class WebError(GatewayError):
    """A web service could not be asked, or did not answer."""


class NotSent(WebError):
    """The service has certainly not got the request."""


class NoAnswer(WebError):
    """The request left, and nobody knows whether the service has it."""
