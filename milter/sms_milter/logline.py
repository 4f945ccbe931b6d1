"""How a log line is written and read, in Postfix's manner: `QUEUEID: key=value, …, status=word (why)`.

The MTA's queue id stands first, so that `grep QUEUEID` tells the whole story of a mail; `status` stands last.
Whatever comes from outside is made printable and short, and no value but the status holds a comma with a
blank behind it: so a line says the same to a program as to a person. Texts and passwords never come here.
docs/log.md lists the lines.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Collection, Mapping
from typing import NamedTuple

_LIMIT = 200
_SHOWN_OF_SECRET = 3  # characters
_PRINTABLE = dict.fromkeys((*range(32), *range(127, 160)), "?")


def clean(value: object) -> str:
    """`value` as printable ASCII of at most 200 characters; a mail can put anything into an address."""
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_PRINTABLE).encode("ascii", "replace").decode()
    return text if len(text) <= _LIMIT else text[: _LIMIT - 3] + "..."


def line(mta_queue_id: str, /, *, status: str, **pairs: object) -> str:
    """One event; `from_` is written `from`, which Python keeps for itself."""
    name = clean(mta_queue_id) or "NOQUEUE"
    if not pairs:
        return f"{name}: status={status}"
    written = [f"{'from' if name == 'from_' else name}={value}" for name, value in pairs.items()]
    body = ", ".join(written)
    if body.count(", ") >= len(written):
        body = ", ".join([one.replace(", ", ",") for one in written])
    return f"{name}: {body}, status={status}"


class Said(NamedTuple):
    """What a line of ours says. A line of another form than `line` makes is nearly all status."""

    severity: str  # info, warning, error or critical
    mta_queue_id: str | None  # "" when the event is about no mail; None for a line of another form
    pairs: Mapping[str, str]  # in their order, without the status
    status: str


_SEVERITY = re.compile(r"(?:(warning|error|critical): )?(.*)", re.DOTALL)
_EVENT = re.compile(r"([A-Za-z0-9]+): ((?:\w+=.*?, )??)status=(.*)", re.DOTALL)
_LINK = re.compile(r"smsc=(\S+) bind=(\S+): (.*)", re.DOTALL)
_NO_PAIRS = frozenset({"at", "severity", "program", "pid", "mta_queue_id", "status", "why"})


def read(text: str) -> Said:
    """The other way round: what a line says, without what syslog puts before it."""
    found = _SEVERITY.fullmatch(text)
    assert found is not None
    severity, rest = found[1] or "info", found[2]
    if event := _EVENT.fullmatch(rest):
        pairs = dict([one.partition("=")[::2] for one in event[2].removesuffix(", ").split(", ") if one])
        return Said(severity, "" if event[1] == "NOQUEUE" else event[1], pairs, event[3])
    if link := _LINK.fullmatch(rest):
        return Said(severity, None, {"smsc": link[1], "bind": link[2]}, link[3])
    return Said(severity, None, {}, rest)


def as_record(text: str) -> dict[str, str]:
    """A line for programs, with a name for everything. `why` is what stands in brackets after the status, and
    what follows; `mta_queue_id` is "" where an event is about no mail.
    """
    said = read(text)
    record = {"severity": said.severity}
    if said.mta_queue_id is not None:
        record["mta_queue_id"] = said.mta_queue_id
    status, bracket, why = said.status.partition(" (")
    return {**record, **said.pairs, "status": status, **({"why": f"({why}"} if bracket else {})}


def of_record(record: Mapping[str, object]) -> str:
    """The line that such a record was made of."""
    severity = record.get("severity", "info")
    prefix = "" if severity == "info" else f"{severity}: "
    status = " ".join([str(record[name]) for name in ("status", "why") if name in record])
    pairs = {name: value for name, value in record.items() if name not in _NO_PAIRS}
    if "mta_queue_id" in record:
        return prefix + line(str(record["mta_queue_id"]), status=status, **pairs)
    where = f"smsc={pairs['smsc']} bind={pairs['bind']}: " if "bind" in pairs else ""
    return f"{prefix}{where}{status}"


def place() -> str:
    """The exception in hand and where it arose; never its text, which may quote the mail."""
    kind, _, trace = sys.exc_info()
    frames = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(trace)]
    return f"{kind.__name__ if kind else '?'} at {' > '.join(frames[-4:])}"


class Numbers:
    """Writes phone numbers into log lines, whole or masked (setting `log.mask_numbers`)."""

    def __init__(self, *, masked: bool) -> None:
        self._masked = masked

    def shown(self, number: str) -> str:
        """`number` for the log: +447973***00 when masked. Shorter ones keep their last two digits only."""
        if not self._masked:
            return clean(number)
        kept = number[:4] if len(number) > 8 else ""
        return f"{kept}{'*' * max(len(number) - len(kept) - 2, 1)}{number[-2:]}"

    def address(self, local: str, domain: str) -> str:
        """An SMS address for the log; its local part is a phone number."""
        return f"<{self.shown(local)}@{clean(domain)}>"


class Senders:
    """Writes mail addresses into log lines; those that prove who sends only in part (ASPSMS §7.2)."""

    def __init__(self, secret: Collection[str] = ()) -> None:
        """`secret` are addresses in lower case."""
        self._secret = secret

    def shown(self, address: str) -> str:
        """`address` for the log in brackets: <c4c***@client.example> if it is secret."""
        if address.lower() in self._secret:
            local, _, domain = address.rpartition("@")
            address = f"{local[:_SHOWN_OF_SECRET]}***@{domain}"
        return f"<{clean(address)}>"
