"""Latencies, their 95th percentile, the level and the load over time, in one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from onscope.runtime.drawing import FAINT, PANEL, SERIES, Canvas

from ._run import Came, percentile

WIDTH, HEIGHT, EDGE = 1400, 760, 24
LEFT, RIGHT = EDGE + 60, WIDTH - EDGE - 20
BUDGET_LINE = (255, 92, 92)


def draw(
    came: Came, words: Sequence[str], budget_ms: float, load: Callable[[float], float], title: str, path: Path
) -> None:
    """Three charts above each other; a result's colour is that of its level."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(EDGE, 14, title, 20)
    last_s = max(at for at, _, _ in came.results)

    def x(at_s: float) -> float:
        return LEFT + at_s / last_s * (RIGHT - LEFT)

    most = 3 * budget_ms
    top, bottom = _panel(canvas, 50, 420, "from receipt to result, ms: each result, and the 95th percentile of 40")

    def y(ms: float) -> float:
        return bottom - min(ms, most) / most * (bottom - top)

    for part in (0, 1, 2, 3):
        canvas.text(LEFT - 6, y(part * budget_ms) - 8, f"{part * budget_ms:g}", 12, FAINT, "right")
    for at_s, ms, level in came.results:
        canvas.dot(x(at_s), y(ms), 2, SERIES[level % len(SERIES)])
    line = percentile(came.results, 40)
    for (a, p), (b, q) in pairwise(line):
        if b - a < 2:
            canvas.line(x(a), y(p), x(b), y(q), (240, 240, 240), 2)
    canvas.line(LEFT, y(budget_ms), RIGHT, y(budget_ms), BUDGET_LINE, 2)

    top, bottom = _panel(canvas, 480, 150, "level")
    steps = [(0.0, 0), *((at, _level(text)) for at, _, text in came.events)]
    for number, word in enumerate(words):
        at = bottom - number / max(1, len(words) - 1) * (bottom - top)
        canvas.text(LEFT + 8, at - 16, f"{number}: {word}", 12, SERIES[number % len(SERIES)])
    for (start, level), (end, _) in zip(steps, [*steps[1:], (last_s, 0)], strict=True):
        at = bottom - level / max(1, len(words) - 1) * (bottom - top)
        canvas.line(x(start), at, x(end), at, SERIES[level % len(SERIES)], 5)

    top, bottom = _panel(canvas, 640, 100, "ms of a run on the whole frame (log)")
    low, high = 3.0, 1000.0
    spots = [step * last_s / 600 for step in range(601)]
    places = [(x(at), bottom - _log(load(at), low, high) * (bottom - top)) for at in spots]
    for (a, p), (b, q) in pairwise(places):
        canvas.line(a, p, b, q, SERIES[3], 2)
    for mark in (10, 100):
        canvas.text(LEFT - 6, bottom - _log(mark, low, high) * (bottom - top) - 8, str(mark), 12, FAINT, "right")
    for mark in range(0, int(last_s) + 1, 20):
        canvas.text(x(mark), HEIGHT - 20, f"{mark} s", 12, FAINT)
    canvas.save(path)


def _panel(canvas: Canvas, top: float, height: float, name: str) -> tuple[float, float]:
    canvas.box(EDGE, top, WIDTH - 2 * EDGE, height, PANEL, 8)
    canvas.text(EDGE + 10, top + 6, name, 14)
    return top + 34, top + height - 14


def _log(value: float, low: float, high: float) -> float:
    return (math.log(max(value, low)) - math.log(low)) / (math.log(high) - math.log(low))


def _level(words: str) -> int:
    return int(words.split()[1])
