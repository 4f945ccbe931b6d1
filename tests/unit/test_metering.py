from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sms_milter import metrics
from sms_milter.metering import Meter, Tally, Wire
from sms_milter.metrics import ALL, COMMIT, MAILS, RESPONSE, Kind, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_document_has_every_metric() -> None:
    assert table() in DOCUMENT.read_text()


def test_metrics_are_named_as_prometheus_wants() -> None:
    """https://prometheus.io/docs/practices/naming: base units, and no name in two kinds."""
    assert len({one.name for one in ALL}) == len(ALL)
    for one in ALL:
        assert one.name.startswith("sms_milter_")
        assert not one.name.endswith("_total")
        assert bool(one.buckets) is (one.kind is Kind.HISTOGRAM)
        assert list(one.buckets) == sorted(one.buckets)


def all_of(wire: Wire, wanted: int) -> Tally:
    total = Tally()
    for tally in wire.heard():
        total.add(tally)
        if sum(total.counts.values()) >= wanted:
            break
    return total


def test_what_several_count_is_added_up() -> None:
    wire = Wire()
    meters = [wire.meter() for _ in range(2)]

    def count(meter: Meter) -> None:
        for _ in range(500):
            meter.count(MAILS, "discard", "hsl")

    threads = [threading.Thread(target=count, args=(meter,)) for meter in meters * 2]
    for thread in threads:
        thread.start()
    meters[0].took(RESPONSE, 0.004, "primary")
    meters[1].took(RESPONSE, 100.0, "primary")
    for thread in threads:
        thread.join()
    for meter in meters:
        meter.close()
    total = all_of(wire, 2000)
    wire.close()
    assert total.counts == {(MAILS.name, ("discard", "hsl")): 2000}
    (buckets,) = total.buckets.values()
    assert (buckets[2], buckets[-1], sum(buckets)) == (1, 1, 2)
    assert total.sums == {(RESPONSE.name, ("primary",)): pytest.approx(100.004)}


def test_a_bucket_holds_its_upper_bound() -> None:
    tally = Tally()
    tally.took(COMMIT, COMMIT.buckets[3], ())
    assert tally.buckets[COMMIT.name, ()][3] == 1


def test_what_cannot_be_handed_on_goes_with_the_next() -> None:
    wire = Wire()
    meter = wire.meter()
    while True:  # nobody hears, until the socket is full
        meter.count(MAILS, "discard", "hsl")
        meter.close()
        if meter._tally:
            break
    meter.took(COMMIT, 0.1)
    left = meter._tally.counts[MAILS.name, ("discard", "hsl")]
    assert left == 1
    heard = wire.heard()
    first = next(heard)
    meter.close()
    assert not meter._tally
    assert first.counts == {(MAILS.name, ("discard", "hsl")): 1}
    wire.close()


def test_many_series_go_in_several_datagrams() -> None:
    tally = Tally()
    for number in range(1000):
        tally.count(MAILS, (str(number), "x" * 200), 1)
        tally.took(RESPONSE, 0.1, (str(number),))
    total = Tally()
    pieces = [datagram for datagram, _ in tally.datagrams()]
    assert all(len(piece) < 100_000 for piece in pieces)
    for piece in pieces:
        total.add(Tally.read(piece))
    assert (total.counts, total.buckets, total.sums) == (tally.counts, tally.buckets, tally.sums)


@pytest.mark.parametrize(
    "datagram",
    [
        b'[[["sms_milter_gone", [], 1]], []]',
        b'[[["sms_milter_mails", ["one label"], 1]], []]',
        b'[[["sms_milter_commit_seconds", [], 1]], []]',
        b'[[], [["sms_milter_commit_seconds", [], [1, 2], 0.5]]]',
    ],
)
def test_counts_of_another_version_are_left_out(datagram: bytes) -> None:
    assert not Tally.read(datagram)


def test_nothing_is_counted_where_nobody_asks() -> None:
    metrics.UNMETERED.count(MAILS, "discard", "hsl")
    metrics.UNMETERED.took(COMMIT, 1.0)
    metrics.UNMETERED.close()
