"""What Prometheus is answered, over HTTP and from a real queue."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.builders import NOW, mail, message
from sms_milter import metrics
from sms_milter.errors import QueueUnavailable
from sms_milter.metering import Tally
from sms_milter.model import LinkState, LinkStatus, Priority, SmscLoad
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.web.prometheus import Endpoint, Exposition, Sample, samples

LOAD = SmscLoad("primary", "window", "", 42.0, 50.0, 50.0, 10, 3, None, None)


class Said(list[str]):
    debug = info = warning = critical = error = list.append


def families(answer: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def labels(**pairs: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pairs.items()))


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        one.setblocking(False)
        yield one


def asked(listening: socket.socket, exposition: Exposition) -> str:
    journal = Said()
    endpoint = Endpoint(listening, exposition, journal)  # type: ignore[arg-type]
    endpoint.start()
    try:
        where = f"http://127.0.0.1:{listening.getsockname()[1]}/metrics"
        with urllib.request.urlopen(where, timeout=10) as answer:
            return str(answer.read().decode())
    finally:
        endpoint.stop()
        assert not journal


def test_a_queue_is_told_as_it_is(tmp_path: Path, listening: socket.socket) -> None:
    queue = SqliteQueue(f"{tmp_path}/queue.db")
    urgent = message(priority=Priority.HIGH)
    queue.put([mail(message(), message(), urgent)], NOW)
    link = LinkStatus("primary", "primary/1", LinkState.BOUND, NOW, 3, 10, 5, 5, 0, 0)
    queue.report_links([link], NOW)
    queue.report_loads([LOAD], NOW)
    queue.hold_binds("primary", 1, "host", NOW, NOW + 601)
    tally = Tally()
    tally.count(metrics.MAILS, ("discard", "hsl"), 3)
    for seconds in (0.002, 0.004, 100.0):
        tally.took(metrics.COMMIT, seconds, ())
    exposition = Exposition(lambda: samples(queue, NOW + 600))
    exposition.add(tally)
    exposition.add(tally)
    told = families(asked(listening, exposition))
    queue.close()
    assert told["sms_milter_mails_total"] == {labels(verdict="discard", dialect="hsl"): 6.0}
    assert told["sms_milter_commit_seconds_count"] == {(): 6.0}
    assert told["sms_milter_commit_seconds_bucket"][labels(le="0.0025")] == 2.0
    assert told["sms_milter_commit_seconds_bucket"][labels(le="60.0")] == 4.0
    assert told["sms_milter_commit_seconds_bucket"][labels(le="+Inf")] == 6.0
    assert told["sms_milter_stored_parts"][labels(state="queued")] == 3.0
    waiting = told["sms_milter_backlog_parts"]
    smsc = next(iter(waiting))[-1][1]
    assert waiting[labels(smsc=smsc, lane="normal", age="1800")] == 2.0
    assert waiting[labels(smsc=smsc, lane="high", age="1800")] == 1.0
    assert sum(waiting.values()) == 3.0
    assert told["sms_milter_backlog_oldest_seconds"][labels(smsc=smsc, priority="high")] == 600.0
    bind = labels(smsc="primary", bind="primary/1")
    assert (told["sms_milter_link_up"][bind], told["sms_milter_link_window_used"][bind]) == (1.0, 3.0)
    assert told["sms_milter_smsc_sent_per_second"][labels(smsc="primary")] == 42.0
    assert told["sms_milter_queue_available"] == {(): 1.0}


def test_of_what_nobody_reports_any_more_no_bind_stands(tmp_path: Path, listening: socket.socket) -> None:
    queue = SqliteQueue(f"{tmp_path}/queue.db")
    link = LinkStatus("primary", "primary/1", LinkState.BOUND, NOW, 3, 10, 5, 5, 0, 0)
    queue.report_links([link], NOW)
    queue.report_loads([LOAD], NOW)
    queue.hold_binds("primary", 1, "host", NOW, NOW + 20)
    told = families(asked(listening, Exposition(lambda: samples(queue, NOW + 21))))
    queue.close()
    bind = labels(smsc="primary", bind="primary/1")
    figures = ("link_up", "link_window", "link_window_used")
    assert [told[f"sms_milter_{name}"][bind] for name in figures] == [0.0] * 3
    assert "sms_milter_smsc_sent_per_second" not in told


def test_without_a_queue_the_counters_are_still_told(listening: socket.socket) -> None:
    def away() -> list[Sample]:
        raise QueueUnavailable("away")

    exposition = Exposition(away)
    tally = Tally()
    tally.count(metrics.REPORTS, ("sent",), 1)
    exposition.add(tally)
    told = families(asked(listening, exposition))
    assert told["sms_milter_queue_available"] == {(): 0.0}
    assert told["sms_milter_reports_total"] == {labels(outcome="sent"): 1.0}


def test_the_queue_is_asked_once_for_several(tmp_path: Path) -> None:
    asked_at: list[float] = []
    now = [0.0]

    def sample() -> list[Sample]:
        asked_at.append(now[0])
        return []

    exposition = Exposition(sample, clock=lambda: now[0])
    for moment in (100.0, 101.0, 103.0):
        now[0] = moment
        list(exposition.collect())
    assert asked_at == [100.0, 103.0]
