"""Plots are well-formed, need no style of their own and keep to their frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from sms_milter.statuspage import plots

NOTES = ["14:00  <1 & more", "14:01  b", "14:02  c", "14:03  d"]


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (21, 40), (41, 100), (999, 1000), (1001, 2000)],
)
def test_the_top_line_is_a_round_number_with_a_whole_half(most: int, top: int) -> None:
    assert plots.round_top(most) == top


def drawn(svg: str) -> ElementTree.Element:
    assert "style=" not in svg  # the Content-Security-Policy would not allow it
    return ElementTree.fromstring(svg)


def test_curves_go_through_all_steps_that_are_over() -> None:
    svg = drawn(plots.curves([("stored", [0, 5, 10, 3]), ("sent", [1, 1, 1, 1])], 10, NOTES, label="SMS"))
    area, *lines = svg.findall("polygon") + svg.findall("polyline")
    assert area.get("class") == "stored area"
    assert [line.get("class") for line in lines] == ["stored", "sent"]
    assert lines[0].get("points") == "0.5,100.00 1.5,50.00 2.5,0.00"
    assert [step.findtext("title") for step in svg.findall("rect")] == NOTES


def test_columns_stand_upon_each_other_and_small_ones_are_seen() -> None:
    svg = drawn(plots.columns([("failed", [0, 5, 1, 0]), ("refused", [0, 5, 0, 0])], 1000, NOTES, label="x"))
    rects = [one for one in svg.findall("rect") if one.get("class") != "step"]
    assert [one.get("class") for one in rects] == ["failed", "refused", "failed"]
    assert [float(one.get("y", "")) + float(one.get("height", "")) for one in rects] == [100, 92, 100]


@pytest.mark.parametrize("shares", [[], [0.5], [0.5, 0.6, 0.4], [-1.0, 2.0]])
def test_a_bar_never_leaves_its_frame(shares: list[float]) -> None:
    svg = drawn(plots.bar([("good", share) for share in shares], label='7 "of" 10'))
    ends = [
        float(str(one.get("x"))[:-1]) + float(str(one.get("width"))[:-1])
        for one in svg.findall("rect")
        if one.get("class") == "good"
    ]
    assert all(end <= 100.01 for end in ends)
    assert svg.get("aria-label") == '7 "of" 10'
    assert re.search("[&]quot;", plots.bar([], label='"'))
