"""Plots as SVG, from numbers only. Colours and sizes are the style sheet's: an element has a class, never a
style. Widths follow the page, so that no text stands in a plot.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_HEIGHT = 100.0  # units from the bottom line to the top one


def round_top(most: int) -> int:
    """The number at the top line: 2, 4 or 10 times a power of ten, so that half of it is whole."""
    scale = 1
    while True:
        for step in (2, 4, 10):
            if most <= step * scale:
                return step * scale
        scale *= 10


def curves(series: Sequence[tuple[str, Sequence[int]]], top: int, notes: Sequence[str], *, label: str) -> str:
    """Numbers side by side over the same steps of time, the first as an area, the others as lines.

    `series` are classes with as many numbers as there are `notes`, which say what a step holds; `label` says
    what all of it shows. The last step is under way, and would look like a fall: it is not drawn.
    """
    steps = len(notes)
    drawn = [_line(name, numbers[:-1], top, area=not place) for place, (name, numbers) in enumerate(series)]
    rules = "".join(f'<line class="rule" x1="0" x2="{steps}" y1="{y}" y2="{y}"/>' for y in (0, 50, 100))
    hover = "".join(_step(place, note) for place, note in enumerate(notes))
    return _svg("curves", steps, label, rules + "".join(drawn) + hover)


def columns(
    series: Sequence[tuple[str, Sequence[int]]], top: int, notes: Sequence[str], *, label: str
) -> str:
    """Numbers over the same steps of time, as columns upon each other; else as `curves`."""
    steps = len(notes)
    drawn = []
    for place, note in enumerate(notes):
        floor = _HEIGHT
        for name, numbers in series:
            height = _HEIGHT * numbers[place] / top
            if height:
                height = max(height, 8.0)  # one among many is still seen
                floor -= height
                drawn.append(
                    f'<rect class="{name}" x="{place + 0.12:g}" y="{max(floor, 0.0):g}" width="0.76"'
                    f' height="{height:g}"/>'
                )
        drawn.append(_step(place, note))
    return _svg("columns", steps, label, "".join(drawn))


def bar(shares: Sequence[tuple[str, float]], *, label: str) -> str:
    """One bar of pieces side by side: classes with their shares of the whole width, 1 at most together."""
    begin, drawn = 0.0, []
    for name, share in shares:
        width = max(0.0, min(share, 1.0 - begin))
        if width:
            drawn.append(f'<rect class="{name}" x="{begin:.2%}" width="{width:.2%}" height="100%"/>')
        begin += width
    return (
        f'<svg class="bar" role="img" aria-label="{escape(label)}">'
        f'<rect class="ground" width="100%" height="100%"/>{"".join(drawn)}</svg>'
    )


def _step(place: int, note: str) -> str:
    """A step of time, which says what it holds when it is pointed at."""
    rect = f'<rect class="step" x="{place}" y="0" width="1" height="{_HEIGHT:g}">'
    return f"{rect}<title>{escape(note)}</title></rect>"


def _line(name: str, numbers: Sequence[int], top: int, *, area: bool) -> str:
    points = [
        f"{place + 0.5:g},{_HEIGHT - _HEIGHT * number / top:.2f}" for place, number in enumerate(numbers)
    ]
    if not area:
        return f'<polyline class="{name}" points="{" ".join(points)}"/>'
    ends = (f"0.5,{_HEIGHT:g}", *points, f"{len(numbers) - 0.5:g},{_HEIGHT:g}")
    return f'<polygon class="{name} area" points="{" ".join(ends)}"/>' + _line(name, numbers, top, area=False)


def _svg(kind: str, steps: int, label: str, drawn: str) -> str:
    return (
        f'<svg class="{kind}" role="img" aria-label="{escape(label)}" viewBox="0 0 {steps} {_HEIGHT:g}"'
        f' preserveAspectRatio="none">{drawn}</svg>'
    )
