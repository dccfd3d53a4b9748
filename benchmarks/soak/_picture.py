"""Memory, latency and rate over time, in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from onscope.runtime.drawing import FAINT, PANEL, SERIES, Canvas

from ._vitals import Vitals

WIDTH, HEIGHT, PANELS, EDGE = 1100, 780, 3, 24
Points = Sequence[tuple[float, float]]


def draw(vitals: Sequence[Vitals], title: str, path: Path) -> None:
    """Three charts above each other, each from 0 to its largest value; x is the time in minutes."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(EDGE, 14, title, 20)
    names = sorted({name for one in vitals for name in one.own_mb})
    charts: list[tuple[str, dict[str, Points]]] = [
        (
            "memory of their own, MB",
            {name: [(one.at_s, one.own_mb[name]) for one in vitals if name in one.own_mb] for name in names},
        ),
        (
            "latency from receipt to result, ms",
            {key: [(one.at_s, one.latency_ms[key]) for one in vitals if one.latency_ms] for key in ("p50", "p99")},
        ),
        (
            "per second",
            {
                "frames": [(one.at_s, one.frames_per_s) for one in vitals],
                "results": [(one.at_s, one.results_per_s) for one in vitals],
            },
        ),
    ]
    height = (HEIGHT - 60) // PANELS
    for number, (name, series) in enumerate(charts):
        _chart(canvas, 50 + number * height, height - 16, name, series)
    canvas.save(path)


def _chart(canvas: Canvas, top: float, height: float, name: str, series: Mapping[str, Points]) -> None:
    values = [value for points in series.values() for _, value in points] or [1.0]
    ends = [at_s for points in series.values() for at_s, _ in points] or [1.0]
    largest, last_s = max(max(values) * 1.1, 1e-9), max(ends)
    left, right, bottom, roof = EDGE + 60, WIDTH - EDGE - 140, top + height - 22, top + 30
    canvas.box(EDGE, top, WIDTH - 2 * EDGE, height, PANEL, 8)
    canvas.text(EDGE + 10, top + 6, name, 14)
    for part in (0.0, 0.5, 1.0):
        y = bottom - part * (bottom - roof)
        canvas.line(left, y, right, y)
        canvas.text(left - 6, y - 8, f"{part * largest:.4g}", 12, FAINT, "right")
    canvas.text(right, bottom + 4, f"{last_s / 60:.3g} min", 12, FAINT, "right")
    for number, (label, points) in enumerate(series.items()):
        colour = SERIES[number % len(SERIES)]
        places = [
            (left + at_s / last_s * (right - left), bottom - value / largest * (bottom - roof))
            for at_s, value in points
        ]
        for (x0, y0), (x1, y1) in pairwise(places):
            canvas.line(x0, y0, x1, y1, colour, 2)
        last = f" {points[-1][1]:.4g}" if points else ""
        canvas.text(right + 10, roof + number * 18, label + last, 13, colour)
