"""From the roles to the one that tells Prometheus: each counts for itself and hands on what is new once in a
while, in a datagram. Nobody waits for anybody; what cannot be handed on now goes with the next.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from typing import TypeAlias

from sms_milter.metrics import BY_NAME, Kind, Metric

_EVERY_SECONDS = 1.0
_AT_ONCE = 200  # series in a datagram: well below what a socket takes

Key: TypeAlias = tuple[str, tuple[str, ...]]  # a metric's name, and values of its labels


class Tally:
    """Counts: of counters how often, of histograms how often in each bucket, and the sum of all seconds."""

    def __init__(self) -> None:
        self.counts: dict[Key, int] = {}
        self.buckets: dict[Key, list[int]] = {}
        self.sums: dict[Key, float] = {}

    def count(self, metric: Metric, labels: tuple[str, ...], by: int) -> None:
        """See `ports.Meter.count`."""
        key = metric.name, labels
        self.counts[key] = self.counts.get(key, 0) + by

    def took(self, metric: Metric, seconds: float, labels: tuple[str, ...]) -> None:
        """See `ports.Meter.took`."""
        key = metric.name, labels
        found = self.buckets.get(key)
        if found is None:
            found = self.buckets[key] = [0] * (len(metric.buckets) + 1)
            self.sums[key] = 0.0
        found[bisect_left(metric.buckets, seconds)] += 1
        self.sums[key] += seconds

    def add(self, other: Tally) -> None:
        """What another has counted."""
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count
        for key, buckets in other.buckets.items():
            before = self.buckets.get(key) or [0] * len(buckets)
            self.buckets[key] = [one + more for one, more in zip(before, buckets, strict=True)]
            self.sums[key] = self.sums.get(key, 0.0) + other.sums[key]

    def __bool__(self) -> bool:
        return bool(self.counts or self.buckets)

    def datagrams(self) -> Iterator[tuple[bytes, Tally]]:
        """It in pieces that can be sent, and each piece."""
        keys = [*self.counts, *self.buckets]
        for start in range(0, len(keys), _AT_ONCE):
            piece = Tally()
            for key in keys[start : start + _AT_ONCE]:
                if key in self.counts:
                    piece.counts[key] = self.counts[key]
                else:
                    piece.buckets[key], piece.sums[key] = self.buckets[key], self.sums[key]
            counts = [(*key, count) for key, count in piece.counts.items()]
            buckets = [(*key, found, piece.sums[key]) for key, found in piece.buckets.items()]
            yield json.dumps((counts, buckets)).encode(), piece

    @classmethod
    def read(cls, datagram: bytes) -> Tally:
        """A piece that was sent; metrics of another version's are left out."""
        found = cls()
        counts, buckets = json.loads(datagram)
        for name, labels, count in counts:
            if _is(name, Kind.COUNTER, labels):
                found.counts[name, tuple(labels)] = count
        for name, labels, numbers, total in buckets:
            if _is(name, Kind.HISTOGRAM, labels) and len(numbers) == len(BY_NAME[name].buckets) + 1:
                found.buckets[name, tuple(labels)] = numbers
                found.sums[name, tuple(labels)] = total
        return found


def _is(name: str, kind: Kind, labels: list[str]) -> bool:
    metric = BY_NAME.get(name)
    return metric is not None and metric.kind is kind and len(labels) == len(metric.labels)


class Meter:
    """`ports.Meter` of one process; make it after the fork. `close` hands on what is left."""

    def __init__(self, sending: socket.socket) -> None:
        self._sending = sending
        self._sending.setblocking(False)
        self._lock = threading.Lock()
        self._tally = Tally()
        self._news = threading.Event()
        threading.Thread(target=self._send_for_ever, name="meter", daemon=True).start()

    def count(self, metric: Metric, *labels: str, by: int = 1) -> None:
        """See `ports.Meter.count`."""
        if by:
            with self._lock:
                self._tally.count(metric, labels, by)
            if not self._news.is_set():
                self._news.set()

    def took(self, metric: Metric, seconds: float, *labels: str) -> None:
        """See `ports.Meter.took`."""
        with self._lock:
            self._tally.took(metric, seconds, labels)
        if not self._news.is_set():
            self._news.set()

    def close(self) -> None:
        """See `ports.Meter.close`."""
        self._send()

    def _send_for_ever(self) -> None:
        while self._news.wait():
            time.sleep(_EVERY_SECONDS)
            self._send()

    def _send(self) -> None:
        with self._lock:
            tally, self._tally = self._tally, Tally()
            self._news.clear()
        for datagram, piece in tally.datagrams():
            try:
                self._sending.send(datagram)
            except OSError:  # full, or nobody there now
                with self._lock:
                    self._tally.add(piece)
                self._news.set()


class Wire:
    """What connects them; the supervisor's, so that any role may end and come again."""

    def __init__(self) -> None:
        self.receiving, self._sending = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def meter(self) -> Meter:
        """For a role."""
        return Meter(self._sending)

    def heard(self) -> Iterator[Tally]:
        """What the roles hand on, as it comes, until the wire is cut."""
        with contextlib.suppress(OSError):
            while datagram := self.receiving.recv(1 << 20):
                yield Tally.read(datagram)

    def close(self) -> None:
        """No more."""
        self.receiving.close()
        self._sending.close()
