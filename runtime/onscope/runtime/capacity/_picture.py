"""One picture of a plan: latency percentiles and the share of frames run, over GPUs or microscopes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from ..drawing import ACCENT, BAD, FAINT, GOOD, LINE, PANEL, SERIES, TEXT, WARM, Canvas, Colour
from ._choose import Chosen, Wanted

WIDTH, HEIGHT, EDGE = 1200, 760, 28
LEFT, RIGHT = EDGE + 78, WIDTH - EDGE - 150
NAMES: Sequence[tuple[str, str, Colour]] = (
    ("p50", "p50_ms", SERIES[0]),
    ("p95", "p95_ms", SERIES[1]),
    ("p99", "p99_ms", SERIES[4]),
)
Place = Callable[[float], float]


def draw(chosen: Chosen, wanted: Wanted, title: str, known: str, unit: str, path: Path) -> Path:
    """Draw a plan as a PNG of 1200x760: the chosen option is marked. Raises RecordError when it cannot be written."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(EDGE, 18, title, 22, TEXT, width=WIDTH - 2 * EDGE)
    canvas.text(EDGE, 50, known, 13, FAINT, width=WIDTH - 2 * EDGE)
    over = [option.gpus if chosen.axis == "GPUs" else option.scopes for option in chosen.curve]
    best = chosen.best.gpus if chosen.axis == "GPUs" else chosen.best.scopes
    low, high = min(over), max(over)

    def x(value: float) -> float:
        return LEFT + (value - low) / max(1, high - low) * (RIGHT - LEFT) if high > low else (LEFT + RIGHT) / 2

    latency = _latency(canvas, chosen, wanted, over, x)
    share = _share(canvas, chosen, over, x)
    colour = GOOD if chosen.enough else BAD
    for top, bottom in (latency, share):
        canvas.line(x(best), top, x(best), bottom, colour, 2)
    words = f"{'chosen' if chosen.enough else 'not enough'}: {best}"
    canvas.text(x(best), latency[0] - 20, words, 14, colour, "middle" if low < best < high else "left")
    for value in over:
        canvas.text(x(value), HEIGHT - 74, str(value), 13, FAINT, "middle")
    axis = f"{unit}s" if chosen.axis == "GPUs" else "microscopes"
    canvas.text((LEFT + RIGHT) / 2, HEIGHT - 52, axis, 14, FAINT, "middle")
    canvas.save(path)
    return path


def _latency(canvas: Canvas, chosen: Chosen, wanted: Wanted, over: Sequence[int], x: Place) -> tuple[float, float]:
    top, bottom = 140.0, 420.0
    canvas.box(EDGE, 84, WIDTH - 2 * EDGE, 350, PANEL, 8)
    canvas.text(EDGE + 12, 92, "from receipt to answer, ms (logarithmic); dashes: what is wanted for 95 %", 14, TEXT)
    times = [getattr(each.outcome.whole, name) for each in chosen.curve for _, name, _ in NAMES]
    times = [each for each in times if not math.isnan(each)] or [wanted.latency_ms]
    least, most = min([*times, wanted.latency_ms]) / 1.3, max([*times, wanted.latency_ms]) * 1.3

    def y(ms: float) -> float:
        return bottom - math.log(ms / least) / math.log(most / least) * (bottom - top)

    for mark in _marks(least, most):
        canvas.line(LEFT, y(mark), RIGHT, y(mark), LINE)
        canvas.text(LEFT - 8, y(mark) - 8, f"{mark:g}", 13, FAINT, "right")
    at = y(wanted.latency_ms)
    for begin in range(int(LEFT), int(RIGHT), 16):
        canvas.line(begin, at, begin + 8, at, WARM, 2)
    canvas.text(LEFT - 8, at - 8, f"{wanted.latency_ms:g}", 13, WARM, "right")
    ends: list[tuple[float, str, Colour]] = []
    for words, name, colour in NAMES:
        values = [getattr(each.outcome.whole, name) for each in chosen.curve]
        _line(canvas, over, values, x, y, colour)
        if not math.isnan(values[-1]):
            ends.append((y(values[-1]), f"{words}  {_ms(values[-1])}", colour))
    _labels(canvas, ends)
    return top, bottom


def _share(canvas: Canvas, chosen: Chosen, over: Sequence[int], x: Place) -> tuple[float, float]:
    top, bottom = 490.0, 672.0
    canvas.box(EDGE, 446, WIDTH - 2 * EDGE, 290, PANEL, 8)
    canvas.text(
        EDGE + 12, 454, "share of the frames that were run, and how busy the servers and their link were", 14, TEXT
    )

    def y(part: float) -> float:
        return bottom - part * (bottom - top)

    for mark in (0.0, 0.5, 1.0):
        canvas.line(LEFT, y(mark), RIGHT, y(mark), LINE)
        canvas.text(LEFT - 8, y(mark) - 8, f"{mark:.0%}", 13, FAINT, "right")
    lines = {
        "run": ([each.outcome.whole.ran for each in chosen.curve], GOOD),
        "servers": ([max(each.outcome.servers) for each in chosen.curve], ACCENT),
        "link": ([max([*each.outcome.links_up, *each.outcome.links_down]) for each in chosen.curve], WARM),
    }
    ends = []
    for words, (values, colour) in lines.items():
        _line(canvas, over, values, x, y, colour)
        ends.append((y(values[-1]), f"{words}  {values[-1]:.0%}", colour))
    _labels(canvas, ends)
    return top, bottom


def _line(canvas: Canvas, over: Sequence[float], values: Sequence[float], x: Place, y: Place, colour: Colour) -> None:
    points = [(x(at), y(value)) for at, value in zip(over, values, strict=True) if not math.isnan(value)]
    for (a, b), (c, d) in pairwise(points):
        canvas.line(a, b, c, d, colour, 2)
    for a, b in points:
        canvas.dot(a, b, 4, colour)


def _labels(canvas: Canvas, ends: list[tuple[float, str, Colour]]) -> None:
    """Names at the right, none over another."""
    free = -math.inf
    for at, words, colour in sorted(ends):
        free = max(at - 8, free)
        canvas.text(RIGHT + 14, free, words, 14, colour)
        free += 19


def _marks(least: float, most: float) -> list[float]:
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    marks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    inside = [mark for mark in marks if least <= mark <= most]
    return inside if len(inside) <= 8 else [mark for mark in inside if f"{mark:e}"[0] == "1"]


def _ms(value: float) -> str:
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"
