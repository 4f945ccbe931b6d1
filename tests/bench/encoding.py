"""Texts per second that one core plans into parts, beside smpplib's own splitter.

Ours makes whole submit_sm: choice of the alphabet, parts, originator, every field. smpplib.gsm makes the
octets of the parts alone. Each text is another one, so that nothing is remembered from text to text.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from smpplib.gsm import make_parts

from bench.harness import BenchFailure, Figures, guarded, ratios, rotated, show, tell
from sms_milter.model import Wish
from sms_milter.sms.plan import Planner
from sms_milter.sms.terms import Terms

_NUMBER = "447973100000"
# Every other text has letters that ASCII has not.
_SENTENCES = (
    "{:06} alarm at gate 7, pump 3: pressure low (2.4 bar), call Joe at once! ",
    "{:06} alarme à la porte 7, pompe 3: débit très bas (2.4 bar), vérifier! ",
)
_TERMS = Terms("ACME")

Split = Callable[[Wish], int]
"""Plans one message and says how many parts it needs."""


def _ours(wish: Wish) -> int:
    return len(Planner().message(wish, _TERMS).parts)


def _smpplib(wish: Wish) -> int:
    parts, _, _ = make_parts(wish.text)
    return len(parts)


_PEERS: dict[str, Split] = {"": _ours, "smpplib_": _smpplib}
_KINDS = {"short": (60, 1), "long": (600, 4)}  # characters, parts


def wishes(length: int, count: int) -> list[Wish]:
    """So many different texts in the GSM alphabet, as a dialect wishes for them."""
    texts = [(_SENTENCES[at % 2].format(at) * (length // 60 + 1))[:length] for at in range(count)]
    return [Wish(_NUMBER, text) for text in texts]


def per_second(planner: Split, given: Sequence[Wish], parts: int) -> float:
    """How many of `given` are planned in a second of CPU time; BenchFailure if one needs other parts."""
    start = time.process_time()
    found = set(map(planner, given))
    spent = time.process_time() - start
    if found != {parts}:
        raise BenchFailure(f"texts of {len(given[0].text)} characters became {sorted(found)} parts")
    return len(given) / spent


def bench(count: int, rounds: int, *, as_json: bool) -> None:
    """Ours and smpplib by turns."""
    figures = Figures()
    for turn in range(rounds):
        for kind, (length, parts) in _KINDS.items():
            given = wishes(length, max(count * 60 // length, 100))
            for peer in rotated(list(_PEERS), turn):
                few = given[:: 19 if peer else 1]
                figures.add(f"{peer}{kind}", per_second(_PEERS[peer], few, parts))
        tell(f"round {turn + 1} of {rounds}")
    quotients = {f"vs_smpplib_{kind}": (kind, f"smpplib_{kind}") for kind in _KINDS}
    print(f"{rounds} rounds, {count} texts of 60 characters, {count // 10} of 600; a second of CPU time")
    show(figures, ratios(figures.medians(), quotients), as_json=as_json)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="encoding", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 10 seconds")
    options.add_argument("--texts", type=int, help="short texts of a round")
    options.add_argument("--rounds", type=int, help="runs of each")
    given = options.parse_args()
    count = given.texts or (20_000 if given.quick else 100_000)
    bench(count, given.rounds or (3 if given.quick else 7), as_json=given.json)


if __name__ == "__main__":
    sys.exit(guarded(main))
