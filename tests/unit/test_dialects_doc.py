"""docs/dialects.md: every line of every checklist is there, and what it names as proof exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

TESTS = Path(__file__).resolve().parent.parent
DOCUMENT = TESTS.parent / "docs" / "dialects.md"

# How many lines the interfaces' own checklists have.
LINES = {"ASPSMS": 32, "SMSCentre": 42, "Clickatell": 35, "HSL": 21}
PROVEN, OPEN = {"done", "partly", "refused"}, {"not yet"}

_HEADING = re.compile(r"## (\w+) \((\d+) lines\)")
_ROW = re.compile(r"\| (\d+) \| (.+?) \| ([\w ]+) \| (.*?) \| (.*?) ?\|")
_PROOF = re.compile(r"`([^`]+)`")


class Line(NamedTuple):
    interface: str
    number: int
    what: str
    state: str
    proofs: tuple[str, ...]
    note: str


def lines() -> Iterator[Line]:
    interface = ""
    for text in DOCUMENT.read_text().splitlines():
        if heading := _HEADING.fullmatch(text):
            interface = heading[1]
            assert int(heading[2]) == LINES[interface]
        elif text.startswith("| ") and not text.startswith("| Line"):
            row = _ROW.fullmatch(text)
            assert row, f"not a line of a checklist: {text}"
            yield Line(interface, int(row[1]), row[2], row[3], tuple(_PROOF.findall(row[4])), row[5])


EVERY = list(lines())


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def exists(proof: str) -> bool:
    file, _, name = proof.partition("::")
    if not name:
        return (TESTS / "golden" / f"{proof}.yaml").is_file()
    return name.startswith("test_") and (TESTS / file).is_file() and name in names_in(file)


def test_no_line_is_missing() -> None:
    numbers: dict[str, list[int]] = {}
    for line in EVERY:
        numbers.setdefault(line.interface, []).append(line.number)
    assert numbers == {name: list(range(1, count + 1)) for name, count in LINES.items()}


@pytest.mark.parametrize("line", EVERY, ids=lambda line: f"{line.interface}-{line.number}")
def test_a_line_has_a_state_and_the_proof_of_it(line: Line) -> None:
    assert line.state in PROVEN | OPEN
    assert bool(line.proofs) is (line.state in PROVEN)
    assert [proof for proof in line.proofs if not exists(proof)] == []
    assert line.note or line.state != "partly", "what is missing?"


def test_a_proof_that_has_gone_is_noticed() -> None:
    assert exists("hsl/01-subject-and-body")
    assert exists("unit/test_dialects_doc.py::test_no_line_is_missing")
    for gone in ("hsl/01-gone", "unit/test_gone.py::test_x", "unit/test_dialects_doc.py::test_gone"):
        assert not exists(gone)
