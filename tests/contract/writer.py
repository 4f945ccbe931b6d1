"""A milter worker for tests: stores mails for ever and says which are stored. Usage: writer.py WHERE NAME."""

from __future__ import annotations

import sys

from contract.builders import NOW, concatenated, mail, message
from contract.stores import opened
from sms_milter.model import QuotaRule, Stored

QUOTA = QuotaRule(messages=10**9, per_sender=None, period_seconds=3600, defer=False)


def main(where: str, name: str) -> None:
    """Put mails of five parts, three at a time; a line for each that is durable."""
    queue = opened(where)
    number = 0
    while True:
        batch = [
            mail(
                message(parts=3),
                concatenated("447973100001"),
                mta_queue_id=f"{name}{number + place}",
                fingerprint=f"{name}{number + place}".encode(),
                quota=QUOTA,
            )
            for place in range(3)
        ]
        for result, one in zip(queue.put(batch, NOW), batch, strict=True):
            assert isinstance(result, Stored)
            print(one.mta_queue_id, result.queue_id, flush=True)
        number += 3


if __name__ == "__main__":
    main(*sys.argv[1:])
