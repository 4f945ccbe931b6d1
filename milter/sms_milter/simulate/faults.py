"""Which rule a submit_sm meets: those of the script first, then faults on request, where the last four digits
of a destination say what becomes of it.

…0901  refuse: invalid destination (0x0B)
…0902  throttle twice (0x58), then accept
…0903  system error once (0x08), then accept
…0904  never answer; not taken
…0905  close the connection instead of an answer, not taken; accept the repeat
…0906  answer after 3 seconds
…0907  receipt UNDELIV
…0908  receipt before the response
…0909  receipt EXPIRED
…0910  no receipt
…0911  the id is decimal in the receipt, hex in the response
…0912  accept with an empty message id
…0913  generic_nack (0x08)
…0914  half a response, then nothing on this connection; accept the repeat
…0915  unbind instead of an answer, not taken; accept the repeat
…0916  take it, close the connection before the answer; accept the repeat
…0917  the receipt comes twice
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from sms_milter.simulate.script import Act, BindRefusal, Options, ReceiptRule, Rule
from sms_milter.simulate.wire import Status

PLAIN = Rule()

ON_REQUEST = {
    "0901": ("refuse: invalid destination (0x0B)", Rule(act=Act.REFUSE, status=Status.DESTINATION)),
    "0902": ("throttle twice (0x58), then accept", Rule(act=Act.REFUSE, times=2, status=Status.THROTTLED)),
    "0903": (
        "system error once (0x08), then accept",
        Rule(act=Act.REFUSE, times=1, status=Status.SYSTEM_ERROR),
    ),
    "0904": ("never answer; not taken", Rule(act=Act.SILENCE)),
    "0905": (
        "close the connection instead of an answer, not taken; accept the repeat",
        Rule(act=Act.CLOSE, times=1),
    ),
    "0906": ("answer after 3 seconds", Rule(delay=3.0)),
    "0907": ("receipt UNDELIV", Rule(receipt=ReceiptRule(stat="UNDELIV"))),
    "0908": ("receipt before the response", Rule(receipt=ReceiptRule(when="before"))),
    "0909": ("receipt EXPIRED", Rule(receipt=ReceiptRule(stat="EXPIRED"))),
    "0910": ("no receipt", Rule(receipt=ReceiptRule(when="never"))),
    "0911": (
        "the id is decimal in the receipt, hex in the response",
        Rule(receipt=ReceiptRule(id="decimal", tlvs="state")),
    ),
    "0912": ("accept with an empty message id", Rule(id="empty", receipt=ReceiptRule(when="never"))),
    "0913": ("generic_nack (0x08)", Rule(act=Act.NACK, status=Status.SYSTEM_ERROR)),
    "0914": (
        "half a response, then nothing on this connection; accept the repeat",
        Rule(act=Act.STALL, times=1),
    ),
    "0915": ("unbind instead of an answer, not taken; accept the repeat", Rule(act=Act.UNBIND, times=1)),
    "0916": (
        "take it, close the connection before the answer; accept the repeat",
        Rule(act=Act.TAKE_AND_CLOSE, times=1),
    ),
    "0917": ("the receipt comes twice", Rule(receipt=ReceiptRule(times=2))),
}

TABLE = "\n".join(f"…{digits}  {says}" for digits, (says, _) in ON_REQUEST.items())


class Faults:
    """Chooses the rule for each submit_sm and counts its tries; `chance` decides where a rule has a share."""

    def __init__(self, options: Options, chance: Random) -> None:
        self._rules = [(rule, _pattern(rule.to)) for rule in options.rules]
        self._on_request = options.faults
        self._chance = chance
        self._tries: dict[tuple[int, bytes], int] = {}

    def rule_for(self, destination: str, body: bytes) -> Rule:
        """What to do with this try; tries of the same `body` count together until a rule is used up."""
        for number, (rule, pattern) in enumerate(self._rules):
            if pattern.fullmatch(destination) and self._meant(rule) and self._lasts(number, rule, body):
                return rule
        if not self._on_request:
            return PLAIN
        _, rule = ON_REQUEST.get(destination[-4:], ("", PLAIN))
        return rule if self._lasts(-1, rule, body) else PLAIN

    def _meant(self, rule: Rule) -> bool:
        return rule.share == 100 or self._chance.random() * 100 < rule.share

    def _lasts(self, number: int, rule: Rule, body: bytes) -> bool:
        """Whether the rule still holds for this try; once it did not, it holds again for the next."""
        if not rule.times:
            return True
        tries = self._tries.get((number, body), 0)
        if tries < rule.times:
            self._tries[number, body] = tries + 1
            return True
        del self._tries[number, body]
        return False


class BindRefusals:
    """Which binds are refused: one rule of the script after the other, until each is used up."""

    def __init__(self, rules: Sequence[BindRefusal]) -> None:
        self._rules = list(rules)
        self._count = 0  # binds that the first of them has refused
        self._began = 0.0

    def status(self, ticks: float) -> int:
        """The command_status that a bind gets now; `ticks` is a clock that never jumps."""
        while self._rules:
            rule = self._rules[0]
            if not self._count:
                self._began = ticks
            if self._count == 0 or (
                ticks < self._began + rule.lasting if rule.lasting else self._count < rule.times
            ):
                self._count += 1
                return rule.status
            self._rules.pop(0)
            self._count = 0
        return Status.OK


def _pattern(to: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, to.split("*"))))
