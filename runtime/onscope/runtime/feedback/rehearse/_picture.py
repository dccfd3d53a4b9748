"""The trade-off of a sweep as a picture: what is found, against what is false and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...drawing import ACCENT, BAD, FAINT, GOOD, LINE, PANEL, TEXT, WARM, Canvas, Colour

WIDTH, HEIGHT = 1240, 560
LEFT, TOP, WIDE, TALL = 80, 110, 500, 360
Point = tuple[float, float, float]
"""Value of the sweep, x, y."""


def trade_off(path: Path, name: str, steps: Sequence[Mapping[str, Any]]) -> None:
    """Write a PNG: on the left what was found and what was false by value, on the right one against the other.

    `steps` are reports as JSON with their `value`. Without a truth the left shows actions alone. Raises RecordError
    when the disk refuses it.
    """
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(LEFT - 40, 24, f"Sweep of {name}", 24)
    judged = [(each["value"], _sum(each, "found"), _sum(each, "events"), _sum(each, "false")) for each in steps]
    known = any(events for _, _, events, _ in judged)
    lines: dict[str, tuple[Colour, list[tuple[float, float]]]] = {}
    if known:
        lines["found, % of events"] = (GOOD, [(v, 100 * f / e if e else 0.0) for v, f, e, _ in judged])
        asked = [(each["value"], _sum(each, "true") + _sum(each, "false")) for each in steps]
        false = [(v, 100 * f / n if n else 0.0) for (v, _, _, f), (_, n) in zip(judged, asked, strict=True)]
        lines["false, % of proposals"] = (BAD, false)
    else:
        most = max((sum(each["actions"].values()) for each in steps), default=1) or 1
        lines[f"actions, % of {most:,}"] = (
            ACCENT,
            [(each["value"], 100 * sum(each["actions"].values()) / most) for each in steps],
        )
    _by_value(canvas, lines)
    doses = [each["dose_j_cm2"] for each in steps]
    dosed = known and all(dose is not None for dose in doses) and max(doses) > 1.001 * min(doses)
    costs = doses if dosed else [_sum(each, "false") if known else sum(each["actions"].values()) for each in steps]
    what = "dose, J/cm2 per cell" if dosed else "false proposals" if known else "actions"
    found = [_sum(each, "found") if known else sum(each["actions"].values()) for each in steps]
    points = [(each["value"], cost, hit) for each, cost, hit in zip(steps, costs, found, strict=True)]
    _against(canvas, points, what, "events found" if known else "actions")
    canvas.save(path)


def _sum(step: Mapping[str, Any], what: str) -> int:
    return sum(score[what] or 0 for score in step["scores"])


def _axes(canvas: Canvas, left: float, x_name: str, y_name: str) -> None:
    canvas.box(left - 60, TOP - 50, WIDE + 90, TALL + 120, PANEL, 10)
    canvas.text(left - 40, TOP - 38, y_name, 15, TEXT)
    canvas.text(left + WIDE, TOP + TALL + 38, x_name, 14, FAINT, "right")
    canvas.line(left, TOP + TALL, left + WIDE, TOP + TALL, FAINT)
    canvas.line(left, TOP, left, TOP + TALL, FAINT)


def _ticks(canvas: Canvas, left: float, low: float, high: float, top: float) -> None:
    for part in range(5):
        share = part / 4
        x, y = left + share * WIDE, TOP + TALL - share * TALL
        canvas.text(x, TOP + TALL + 8, f"{low + share * (high - low):.3g}", 13, FAINT, "middle")
        canvas.text(left - 8, y - 8, f"{share * top:.3g}", 13, FAINT, "right")
        if part:
            canvas.line(left, y, left + WIDE, y, LINE)


def _by_value(canvas: Canvas, lines: Mapping[str, tuple[Colour, list[tuple[float, float]]]]) -> None:
    values = [value for _, points in lines.values() for value, _ in points]
    low, high = min(values), max(values)
    _axes(canvas, LEFT, "value", "")
    _ticks(canvas, LEFT, low, high, 100.0)
    x = float(LEFT - 40)
    for name, (colour, points) in lines.items():
        x += canvas.text(x, TOP - 38, name, 15, colour) + 24
        at = [(LEFT + (v - low) / ((high - low) or 1) * WIDE, TOP + TALL - y / 100 * TALL) for v, y in points]
        _path(canvas, at, colour)


def _against(canvas: Canvas, points: Sequence[Point], x_name: str, y_name: str) -> None:
    left = LEFT + WIDE + 120.0
    low, high = min(x for _, x, _ in points), max(x for _, x, _ in points)
    high = high if high > low else low + 1
    top = max(max(y for _, _, y in points), 1)
    _axes(canvas, left, x_name, y_name)
    _ticks(canvas, left, low, high, top)
    at = [(left + (x - low) / (high - low) * WIDE, TOP + TALL - y / top * TALL) for _, x, y in points]
    _path(canvas, at, WARM)
    told: list[tuple[float, float]] = []
    for (value, _, _), (x, y) in zip(points, at, strict=True):
        if all(
            abs(x - other) > 44 or abs(y - beside) > 16 for other, beside in told
        ):  # numbers do not lie over each other
            canvas.text(min(x + 8, left + WIDE - 30), y + 4, f"{value:.3g}", 12, TEXT)
            told.append((x, y))


def _path(canvas: Canvas, at: Sequence[tuple[float, float]], colour: Colour) -> None:
    for (x0, y0), (x1, y1) in pairwise(at):
        canvas.line(x0, y0, x1, y1, colour, 2)
    for x, y in at:
        canvas.box(x - 4, y - 4, 9, 9, colour, 4)
