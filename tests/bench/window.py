"""How much of what a window allows is used: 10 parts on the wire at 40 ms each allow 250 a second.

Then the same beside a second SMSC that throttles all but 5 a second. Time runs at the simulated SMSC; the
dispatcher is the real process, with its durable queue.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from bench.harness import BenchFailure, Figures, guarded, ratios, service, show, tell, until
from support.dispatchers import Hosts, TimedSimulator
from support.places import folder

_WINDOW, _RESPONSE_MS, _THROTTLED = 10, 40, 5
_POSSIBLE = _WINDOW * 1000 / _RESPONSE_MS
_RATIOS = {
    "of_what_the_window_allows": ("parts_per_second", "allowed_parts_per_second"),
    "beside_throttled_vs_alone": ("beside_throttled_parts_per_second", "parts_per_second"),
}


def _numbers(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:07}" for number in range(count)]


def _per_second(times: Sequence[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


def _run(parts: int, *, throttled: bool) -> tuple[float, float]:
    """Parts per second to the SMSC that answers in 40 ms, and to the other one."""
    main = TimedSimulator(response_delay=f"{_RESPONSE_MS}ms")
    slow = TimedSimulator(response_delay=f"{_RESPONSE_MS}ms", rate=_THROTTLED)
    try:
        with folder("window") as place, Hosts(place) as hosts:
            smscs: Mapping[str, Mapping[str, object]] = {
                "main": {"port": main.port, "window": _WINDOW},
                "slow": {"port": slow.port, "window": _WINDOW},
            }
            hosts.configure(smscs, ["main", "slow"])
            hosts.put(_numbers("44797", parts), "main")
            if throttled:
                hosts.put(_numbers("41790", parts), "slow")
            with service(place / "sms-milter.yaml", "dispatch", place / "service.log"):
                seconds = 10 + 3 * parts / _POSSIBLE
                until(lambda: len(main.came) >= parts, f"{parts} SMS to be sent", seconds=seconds)
                took = _per_second(slow.times) if len(slow.came) > 1 else 0.0
        if main.tally.accepted != parts:
            raise BenchFailure(f"the SMSC took {main.tally.accepted} SMS instead of {parts}")
    finally:
        main.stop()
        slow.stop()
    return _per_second(main.times), took


def bench(parts: int, rounds: int, *, as_json: bool) -> None:
    """Alone and beside the throttled one by turns."""
    figures = Figures()
    for _ in range(rounds):
        figures.add("allowed_parts_per_second", _POSSIBLE)
        rate, _ = _run(parts, throttled=False)
        figures.add("parts_per_second", rate)
        beside, slow = _run(parts, throttled=True)
        figures.add("beside_throttled_parts_per_second", beside)
        figures.add("throttled_parts_per_second", slow)
        tell(f"alone: {rate:.0f} parts/s, beside a throttled SMSC: {beside:.0f}")
    print(f"{rounds} rounds, {parts} SMS, window {_WINDOW}, responses after {_RESPONSE_MS} ms")
    print(f"beside_throttled: {parts} more wait for an SMSC that takes {_THROTTLED} a second")
    show(figures, ratios(figures.medians(), _RATIOS), as_json=as_json)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="window", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 60 seconds")
    options.add_argument("--parts", type=int, help="SMS sent in each run")
    options.add_argument("--rounds", type=int, default=1, help="runs of each")
    given = options.parse_args()
    bench(given.parts or (2500 if given.quick else 10_000), given.rounds, as_json=given.json)


if __name__ == "__main__":
    sys.exit(guarded(main))
