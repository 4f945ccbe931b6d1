"""Learns from the log how message ids in receipts differ from those in responses (setting `receipt_ids`).

Each response tells an id for a phone, each receipt one from a phone; a rule is as good as the number of
receipts that it brings together with a response for the same phone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, get_args

from sms_milter.smpp import receipt
from sms_milter.smpp.receipt import IdRule

_RESPONSE: Final = re.compile(r": to=([^,]+), .*\bsmsc=([^,]+), .*status=accepted \(message_id=(.*)\)$")
_RECEIPT: Final = re.compile(
    r": (?:to|from)=([^,]+), .*\bsmsc=([^,]+), message_id=(.*), status=(?:\w+|receipt parked) \(stat="
)


@dataclass(frozen=True, slots=True)
class Learnt:
    """Of one SMSC: how many receipts the log has, and how many of them each rule explains."""

    receipts: int
    explained: dict[IdRule, int]

    @property
    def best(self) -> IdRule | None:
        """The rule that explains most, the plainest of several; None when none explains any."""
        best = max(self.explained, key=lambda rule: self.explained[rule])
        return best if self.explained[best] else None


def learn(lines: Iterable[str]) -> dict[str, Learnt]:
    """What the lines of a log teach, by SMSC. Lines of other programs and events are passed over."""
    responses: dict[tuple[str, str], list[str]] = defaultdict(list)
    receipts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in lines:
        if "message_id=" not in line:
            continue
        if found := _RESPONSE.search(line.rstrip()):
            phone, smsc, message_id = found.groups()
            responses[smsc, phone.lstrip("+")].append(message_id)
        elif found := _RECEIPT.search(line.rstrip()):
            phone, smsc, message_id = found.groups()
            receipts[smsc].append((phone.lstrip("+"), message_id))
    return {
        smsc: Learnt(
            len(told),
            {
                rule: sum(_explains(rule, responses[smsc, phone], message_id) for phone, message_id in told)
                for rule in get_args(IdRule)
            },
        )
        for smsc, told in receipts.items()
    }


def _explains(rule: IdRule, responses: list[str], message_id: str) -> bool:
    wanted = receipt.key(message_id, rule, "receipt")
    return any(receipt.key(one, rule, "response") == wanted for one in responses)
