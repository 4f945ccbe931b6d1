"""What contrib/ brings asks for metrics and labels that are declared."""

from __future__ import annotations

import json

import pytest

from sms_milter.metrics import ALL, exposed
from support.expressions import DASHBOARD, alerts, labels, names, panels
from support.places import ROOT

METRICS = {name: one for one in ALL for name in exposed(one)}


@pytest.mark.parametrize("expression", [*alerts(), *panels()])
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    asked = names(expression)
    assert asked
    assert asked <= METRICS.keys()
    assert labels(expression) <= {"le", *(label for name in asked for label in METRICS[name].labels)}


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name for one in panels() for name in names(one)}
    assert [one.name for one in ALL if not shown & set(exposed(one))] == []


def test_panels_do_not_overlap() -> None:
    taken = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_every_folder_has_its_line() -> None:
    contrib = ROOT / "contrib"
    listed = (contrib / "README.md").read_text()
    for folder in contrib.iterdir():
        assert folder.name == "README.md" or f"| `{folder.name}/` |" in listed
