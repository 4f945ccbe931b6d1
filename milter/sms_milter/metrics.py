"""What is measured: every number that Prometheus may ask for, each declared once; docs/metrics.md has them as
a table. Who counts what happens knows no more than `ports.Meter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_PREFIX = "sms_milter_"


class Kind(StrEnum):
    """Prometheus's kinds."""

    COUNTER = "counter"  # events since the metrics role has begun
    HISTOGRAM = "histogram"
    GAUGE = "gauge"  # how it is now, as the queue tells


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """`buckets` are a histogram's upper bounds, ascending, without infinity."""

    kind: Kind
    name: str
    labels: tuple[str, ...]
    doc: str
    buckets: tuple[float, ...] = ()


_all: list[Metric] = []


def _metric(kind: Kind, name: str, labels: str, doc: str, buckets: tuple[float, ...] = ()) -> Metric:
    _all.append(Metric(kind, _PREFIX + name, tuple(labels.split()), doc, buckets))
    return _all[-1]


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_C, _H, _G = Kind.COUNTER, Kind.HISTOGRAM, Kind.GAUGE

# --- what happens -------------------------------------------------------------------------------------------

MAILS = _metric(
    _C,
    "mails",
    "verdict dialect",
    "Mails at their end: discard or strip (taken), repeat (taken before), reject, defer; behind"
    " `would be` in shadow mode.",
)
REFUSALS = _metric(
    _C,
    "refusals",
    "stage reply",
    "Refused recipients (rcpt) and mails (eom), by reply code and enhanced code.",
)
COMMIT = _metric(
    _H, "commit_seconds", "", "Storing the mails that waited, one transaction with its fsync.", _SECONDS
)
BLOCKS = _metric(_C, "login_blocks", "", "Clients or logins put off after too many wrong passwords.")
PARTS = _metric(
    _C,
    "parts",
    "smsc outcome",
    "Parts by what came of a try: accepted, refused (for good), deferred, uncertain (no answer).",
)
EXPIRED = _metric(_C, "parts_expired", "", "Parts whose validity was over before they could be sent.")
STATUSES = _metric(_C, "command_statuses", "smsc command_status", "Why SMSCs refused or deferred parts.")
RESPONSE = _metric(
    _H, "response_seconds", "smsc", "From submit_sm to the submit_sm_resp that accepts.", _SECONDS
)
RECEIPTS = _metric(
    _C,
    "receipts",
    "smsc state",
    "Delivery receipts: delivered, failed, expired, pending, repeated; parked: fits no part yet.",
)
MOBILE = _metric(_C, "mobile_messages", "smsc", "Messages from phones (MO), whole.")
ERRANDS = _metric(_C, "errands", "outlet outcome", "Messages by other channels than SMS, as parts.")
REPORTS = _metric(_C, "reports", "outcome", "Mails of ours: sent, deferred, given up.")

# --- how it is ----------------------------------------------------------------------------------------------

QUEUE_UP = _metric(_G, "queue_available", "", "1 if the queue could be read for this answer.")
STORED = _metric(_G, "stored_parts", "state", "Parts in the queue, those that are done with too.")
BACKLOG = _metric(
    _G,
    "backlog_parts",
    "smsc lane age",
    "Parts that wait: high, normal, low; again (tried before, or soon in one of these); later and held, of"
    " any age. `age` is the upper bound in seconds.",
)
OLDEST = _metric(_G, "backlog_oldest_seconds", "smsc priority", "For how long the first part has been due.")
DISPATCHERS = _metric(_G, "dispatchers", "", "Dispatchers of this queue that live, on whatever host.")
LINK_UP = _metric(_G, "link_up", "smsc bind", "1 if the bind stands, as a dispatcher that lives says.")
LINK_WINDOW = _metric(_G, "link_window", "smsc bind", "submit_sm that may wait for their response.")
LINK_USED = _metric(_G, "link_window_used", "smsc bind", "submit_sm that do.")
LIMITED = _metric(_G, "smsc_limited", "smsc limit", "1 for what keeps the SMSC from being sent to faster.")
SENT = _metric(_G, "smsc_sent_per_second", "smsc", "Parts sent, in the ten seconds before.")
RATE = _metric(_G, "smsc_rate", "smsc", "Parts per second that are kept to now; 0 is unlimited.")
CONTRACT = _metric(_G, "smsc_contract_rate", "smsc", "Setting `rate`; 0 is unlimited.")
PARKED = _metric(_G, "parked_receipts", "", "Receipts that wait for their part.")
REPORTS_WAITING = _metric(_G, "reports_waiting", "", "Mails of ours that wait for the MTA.")
MOBILE_WAITING = _metric(_G, "mobile_waiting", "", "Messages from phones that nobody has been told of.")

ALL = tuple(_all)
BY_NAME = {one.name: one for one in ALL}


class Unmetered:
    """`ports.Meter` where nobody asks."""

    def count(self, metric: Metric, *labels: str, by: int = 1) -> None:
        """Nothing."""

    def took(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


UNMETERED = Unmetered()


def exposed(metric: Metric) -> list[str]:
    """The names under which Prometheus has it."""
    match metric.kind:
        case Kind.COUNTER:
            return [f"{metric.name}_total"]
        case Kind.HISTOGRAM:
            return [f"{metric.name}_{end}" for end in ("bucket", "sum", "count")]
    return [metric.name]


def table() -> str:
    """docs/metrics.md's rows."""
    rows = ["| Metric | Kind | Labels | Says |", "|---|---|---|---|"]
    for one in ALL:
        name = f"{one.name}_total" if one.kind is Kind.COUNTER else one.name
        labels = ", ".join(f"`{label}`" for label in one.labels)
        rows.append(f"| `{name}` | {one.kind} | {labels} | {one.doc} |")
    return "\n".join(rows)
