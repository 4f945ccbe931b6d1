"""For whom a client may send: the only door to pyspf (RFC 7208)."""

from __future__ import annotations

from typing import Any

import spf

from sms_milter.errors import Deferred
from sms_milter.proofs.resolver import Questions

_LONGEST_LABEL = 63


def passes(questions: Questions, *, client: str, sender: str, helo: str) -> bool:
    """Whether the result of the check is pass. `sender` "" is the null sender, which stands for HELO's
    postmaster. Raises Deferred when the DNS does not answer in time.
    """
    try:
        check = _Check(questions, client, sender, helo)
    except spf.PermError:
        return False  # no address that the library knows
    result, _, _ = check.check()
    if result == "temperror" and check.failure is not None:
        raise check.failure
    return bool(result == "pass")


class _Check(spf.query):  # type: ignore[misc]  # the library has no types
    """A check whose questions are ours: one time for all, and no look at other answers in passing."""

    def __init__(self, questions: Questions, client: str, sender: str, helo: str) -> None:
        self._questions = questions
        self.failure: Deferred | None = None
        super().__init__(i=client, s=sender, h=helo)

    def dns(self, name: object, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:
        """Replaces the library's: addresses and names as text, texts as tuples of octets."""
        del cnames  # followed by the resolver
        plain = str(name).rstrip(".").lower()
        if not all(0 < len(label) <= _LONGEST_LABEL for label in plain.split(".")):
            return []
        try:
            found = [_written(one, qtype) for one in self._questions.ask(plain, qtype)]
        except Deferred as failure:
            self.failure = failure
            raise spf.TempError("no answer") from None
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many questions without answer")
        return found


def _written(record: Any, kind: str) -> Any:
    match kind:
        case "A" | "AAAA":
            return record.address
        case "MX":
            return record.preference, record.exchange.to_text(omit_final_dot=True)
        case "PTR":
            return record.target.to_text(omit_final_dot=True)
        case _:
            return record.strings
