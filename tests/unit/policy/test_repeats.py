"""Which requests are identical."""

from __future__ import annotations

from contract.builders import message
from sms_milter.model import SmsRequest
from sms_milter.policy.repeats import identity

ONE, OTHER = message("447973100001"), message("447973100002")
PLAIN = SmsRequest((), 10)


def written(text: bytes) -> SmsRequest:
    return SmsRequest((), 10, written=text)


def test_requests_that_say_so_are_compared_as_written() -> None:
    assert identity(written(b"a"), [ONE]) == identity(written(b"a"), [OTHER])
    assert identity(written(b"a"), [ONE]) != identity(written(b"b"), [ONE])


def test_other_requests_are_compared_by_what_is_sent() -> None:
    assert identity(PLAIN, [ONE, OTHER]) == identity(PLAIN, [message("447973100001"), OTHER])
    different = {
        identity(PLAIN, messages)
        for messages in ([ONE], [OTHER], [ONE, OTHER], [OTHER, ONE], [message("447973100001", parts=2)])
    }
    assert len(different) == 5


def test_what_may_be_repeated_is_identical_to_nothing() -> None:
    assert identity(SmsRequest((), 10, repeatable=True), [ONE]) == b""
