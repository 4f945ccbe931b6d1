"""The table of docs/outcomes.md is the one that tests/fault runs."""

from __future__ import annotations

from pathlib import Path

from support.outcomes import FAULTS
from support.played import LIBRARIES, cannot

DOCUMENT = Path(__file__).parents[2] / "docs" / "outcomes.md"


def table() -> str:
    rows = ["| The SMSC | The part | Shown with |", "|---|---|---|"]
    for name, fault in FAULTS.items():
        players = ["simulator", *(library for library in LIBRARIES if not cannot(library, fault.script))]
        rows.append(f"| {name} | {words(fault.outcome.__name__)} | {', '.join(players)} |")
    return "\n".join(rows)


def words(name: str) -> str:
    return name.replace("_", " ")


def test_the_table_is_what_is_run() -> None:
    assert table() in DOCUMENT.read_text()


def test_every_outcome_is_explained() -> None:
    text = DOCUMENT.read_text()
    for outcome in {fault.outcome.__name__ for fault in FAULTS.values()}:
        assert f"\n| **{words(outcome)}** |" in text
