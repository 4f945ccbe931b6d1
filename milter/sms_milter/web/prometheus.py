"""Tells Prometheus: what the roles have counted, and how the queue is now. The door to prometheus_client."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from http.server import ThreadingHTTPServer
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, MetricsHandler
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sms_milter import metrics
from sms_milter.dispatch.load import Limit
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import place
from sms_milter.metering import Tally
from sms_milter.model import LinkState
from sms_milter.ports import Journal, OperatorQueue

AGES = (60.0, 300.0, 1800.0, 7200.0, 86400.0)  # of what waits, in seconds
_BOUNDS = [f"{seconds:.0f}" for seconds in AGES]
_REQUEST_SECONDS = 10.0
_SAME_SECONDS = 2.0  # several that ask at a time get one answer of the queue

Sample = tuple[metrics.Metric, tuple[str, ...], float]


def samples(queue: OperatorQueue, now: float) -> Iterator[Sample]:
    """How it is now. Raises QueueUnavailable."""
    summary = queue.summary(now)
    for state, parts in summary["parts"].items():
        yield metrics.STORED, (state,), parts
    for lane in queue.ages(now, AGES):
        bounds = (*_BOUNDS, "+Inf")[-len(lane["ages"]) :]
        for bound, parts in zip(bounds, lane["ages"], strict=True):
            yield metrics.BACKLOG, (lane["smsc"], lane["lane"], bound), parts
    for row in summary["backlog"]:
        yield metrics.OLDEST, (row["smsc"], row["priority"]), row["oldest_seconds"]
    yield metrics.DISPATCHERS, (), sum(one["alive_until"] > now for one in summary["dispatchers"])
    for link in summary["links"]:
        where = link["smsc"], link["bind"]
        yield metrics.LINK_UP, where, link["state"] == LinkState.BOUND.value
        yield metrics.LINK_WINDOW, where, 0 if link["stale"] else link["window"]
        yield metrics.LINK_USED, where, 0 if link["stale"] else link["window_used"]
    for load in summary["smscs"]:
        if load["stale"]:
            continue
        name = load["smsc"]
        for limit in Limit:
            yield metrics.LIMITED, (name, limit.value), limit == load["limited_by"]
        yield metrics.SENT, (name,), load["sent_per_second"]
        yield metrics.RATE, (name,), load["rate"]
        yield metrics.CONTRACT, (name,), load["contract_rate"]
    yield metrics.PARKED, (), summary["parked_receipts"]
    yield metrics.REPORTS_WAITING, (), summary["reports_waiting"]
    yield metrics.MOBILE_WAITING, (), summary["mobile_waiting"]


class Exposition(Collector):
    """What is answered. `add` what the roles have counted; `sample` asks the queue."""

    def __init__(
        self,
        sample: Callable[[], Iterable[Sample]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sample, self._clock = sample, clock
        self._lock = threading.Lock()
        self._tally = Tally()
        self._gauges: Sequence[Sample] = ()
        self._sampled_at = float("-inf")

    def add(self, tally: Tally) -> None:
        """What a role hands on."""
        with self._lock:
            self._tally.add(tally)

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client: every metric, those without a value yet too."""
        with self._lock:
            families = {one.name: _family(one) for one in metrics.ALL}
            for (name, labels), count in self._tally.counts.items():
                families[name].add_metric(labels, count)
            for key, buckets in self._tally.buckets.items():
                bounds = [*map(str, metrics.BY_NAME[key[0]].buckets), "+Inf"]
                filled = list(zip(bounds, accumulate(buckets), strict=True))
                families[key[0]].add_metric(key[1], filled, self._tally.sums[key])
            for metric, labels, value in self._now():
                families[metric.name].add_metric(labels, float(value))
        yield from families.values()

    def _now(self) -> Iterable[Sample]:
        if self._clock() - self._sampled_at >= _SAME_SECONDS:
            try:
                self._gauges = [*self._sample(), (metrics.QUEUE_UP, (), 1)]
            except QueueUnavailable:
                self._gauges = [(metrics.QUEUE_UP, (), 0)]
            self._sampled_at = self._clock()
        return self._gauges


def _family(metric: metrics.Metric) -> Any:
    kinds: dict[metrics.Kind, Any] = {
        metrics.Kind.COUNTER: CounterMetricFamily,
        metrics.Kind.HISTOGRAM: HistogramMetricFamily,
        metrics.Kind.GAUGE: GaugeMetricFamily,
    }
    return kinds[metric.kind](metric.name, metric.doc, labels=metric.labels)


class Endpoint:
    """Answers GET at a socket that is open already."""

    def __init__(self, listening: socket.socket, exposition: Exposition, journal: Journal) -> None:
        registry = CollectorRegistry()
        registry.register(exposition)
        handler = type("_Handler", (MetricsHandler,), {"registry": registry, "timeout": _REQUEST_SECONDS})
        self._server = _Server(listening, handler, journal)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="http", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listening: socket.socket, handler: Any, journal: Journal) -> None:
        super().__init__(("", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self._journal = journal

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""
        del request, client_address
        if not isinstance(sys.exception(), OSError):
            self._journal.error(f"an answer to Prometheus ended in {place()}")
