"""What happens beyond saturation, to whose frames; and how far the simulation is from real runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from onscope.runtime.drawing import FAINT, GOOD, LINE, PANEL, SERIES, TEXT, WARM, Canvas, Colour

from ._hundred import Point
from ._shared import Compared

WIDTH, HEIGHT, EDGE = 1500, 1150, 24
WIDE, TALL = (WIDTH - 3 * EDGE) / 2, 330
Line = tuple[str, Colour, Sequence[tuple[float, float]]]


def draw(points: dict[str, list[Point]], compared: Sequence[Compared], title: str, path: Path) -> None:
    """Four charts over load and a table of dots below."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(EDGE, 16, title, 20, TEXT, width=WIDTH - 2 * EDGE)
    right = 2 * EDGE + WIDE
    _chart(
        canvas, EDGE, 56, "share of frames run: 10 microscopes first (solid dots), 90 second (rings); keep_newest:2",
        [line for at, ms in enumerate(("5 ms", "10 ms", "20 ms")) for line in _classes(points[ms], ms, SERIES[at])],
    )  # fmt: skip
    _chart(
        canvas, right, 56, "p95 from receipt to answer, in windows' cost (logarithmic), by the same",
        [
            (name, colour, [(each.load, _p95(each, one) / each.ms) for each in points[ms]])
            for at, ms in enumerate(("5 ms", "10 ms", "20 ms"))
            for one, name, colour in ((1, f"{ms} first", SERIES[at]), (2, f"{ms} second.", SERIES[at]))
        ],
        log=True,
    )  # fmt: skip
    second_row = 56 + TALL + EDGE
    names = ("keep_newest:2", "keep_oldest:2", "block:2", "keep_newest:2, deadline 100 ms")
    waits = [
        (f"{_short(name)} {word}", SERIES[at], [(each.load, _p95(each, one)) for each in points[name]])
        for at, name in enumerate(names)
        for one, word in ((1, "first"), (2, "second."))
    ]
    _chart(canvas, EDGE, second_row, "p95 in ms (logarithmic) by admission, 10 ms per window assumed", waits, log=True)
    batched = [
        *_classes(points["10 ms"], "one by one", SERIES[0]),
        *_classes(points["batches"], "batches of 8", SERIES[3]),
    ]
    _chart(canvas, right, second_row, "share run without batches, and with those of 8 that cost 4 (assumed)", batched)
    _compared(canvas, EDGE, 56 + 2 * (TALL + EDGE), compared)
    canvas.save(path)


def _short(name: str) -> str:
    return "deadline" if "deadline" in name else name


def _p95(point: Point, priority: int) -> float:
    return point.outcome.priorities[priority].p95_ms


def _classes(points: Sequence[Point], name: str, colour: Colour) -> list[Line]:
    return [
        (f"{name} first", colour, [(each.load, each.outcome.priorities[1].ran) for each in points]),
        (f"{name} second.", colour, [(each.load, each.outcome.priorities[2].ran) for each in points]),
    ]


def _chart(canvas: Canvas, left: float, top: float, title: str, lines: Sequence[Line], log: bool = False) -> None:
    canvas.box(left, top, WIDE, TALL, PANEL, 8)
    canvas.text(left + 12, top + 8, title, 14, TEXT, width=WIDE - 24)
    x0, x1, y0, y1 = left + 56, left + WIDE - 170, top + 44, top + TALL - 48
    most_x = max(at for _, _, line in lines for at, _ in line)
    values = [value for _, _, line in lines for _, value in line if not math.isnan(value)]
    low, high = (min(values) / 1.2, max(values) * 1.2) if log else (0.0, 1.0)

    def x(load: float) -> float:
        return x0 + load / most_x * (x1 - x0)

    def y(value: float) -> float:
        part = math.log(value / low) / math.log(high / low) if log else value
        return y1 - part * (y1 - y0)

    decades = [step * 10.0**power for power in range(5) for step in (1, 2, 5)]
    marks = [mark for mark in decades if low <= mark <= high] if log else [0.0, 0.25, 0.5, 0.75, 1.0]
    for mark in marks:
        canvas.line(x0, y(mark), x1, y(mark), LINE)
        canvas.text(x0 - 8, y(mark) - 8, f"{mark:g}" if log else f"{mark:.0%}", 12, FAINT, "right")
    canvas.line(x(1), y0, x(1), y1, WARM, 1)
    for step in range(int(most_x / 0.5) + 1):
        canvas.text(x(step / 2), y1 + 8, f"{step / 2:g}", 12, FAINT, "middle")
    canvas.text(
        (x0 + x1) / 2, y1 + 26, "windows asked of the GPUs over what they can do one by one", 12, FAINT, "middle"
    )
    for name, colour, line in lines:
        places = [(x(at), y(value)) for at, value in line if not math.isnan(value)]
        for (a, b), (c, d) in pairwise(places):
            canvas.line(a, b, c, d, colour, 2 if not name.endswith(".") else 1)
        for a, b in places:
            canvas.dot(a, b, 4, colour, hollow=name.endswith("."))
    free = -math.inf
    ends = [(y(line[-1][1]), name, colour) for name, colour, line in lines if not math.isnan(line[-1][1])]
    for at, name, colour in sorted(ends):
        free = max(at - 8, free)
        canvas.text(x1 + 12, free, name.rstrip("."), 13, colour)
        free += 17


def _compared(canvas: Canvas, left: float, top: float, compared: Sequence[Compared]) -> None:
    """Predicted over measured for p50, p95, p99 and the share run, a row per case."""
    canvas.box(left, top, WIDTH - 2 * EDGE, HEIGHT - top - EDGE, PANEL, 8)
    title = "real Runtimes beside the simulation: predicted over measured (1: equal)"
    canvas.text(left + 12, top + 8, title if compared else "no real runs were compared", 14, TEXT)
    x0, x1 = left + 560, WIDTH - EDGE - 330
    marks = {"p50": SERIES[0], "p95": SERIES[1], "p99": SERIES[4], "run": GOOD}

    def x(ratio: float) -> float:
        return x0 + (min(max(ratio, 0.6), 1.4) - 0.6) / 0.8 * (x1 - x0)

    for at, (name, colour) in enumerate(marks.items()):
        canvas.dot(x1 + 70 + 62 * at, top + 17, 4, colour)
        canvas.text(x1 + 80 + 62 * at, top + 8, name, 13, colour)
    rows = [(each, name) for each in compared for name in each.predicted]
    step = (HEIGHT - top - EDGE - 60) / max(1, len(rows))
    bottom = top + 36 + step * len(rows)
    for ratio in (0.6, 0.8, 1.0, 1.2, 1.4):
        canvas.line(x(ratio), top + 36, x(ratio), bottom, WARM if ratio == 1 else LINE)
        canvas.text(x(ratio), bottom + 2, f"{ratio:g}", 12, FAINT, "middle")
    ratio_of: Callable[[float, float], float] = lambda mine, real: mine / real if real else math.nan  # noqa: E731
    for number, (each, name) in enumerate(rows):
        middle = top + 36 + (number + 0.5) * step
        words = each.case.name if name == "all" else f"      {name}"
        canvas.text(left + 14, middle - 9, words, 13, TEXT if name == "all" else FAINT, width=530)
        ours, theirs = each.predicted[name], each.measured[name]
        pairs = [(ours.p50_ms, theirs.p50_ms), (ours.p95_ms, theirs.p95_ms), (ours.p99_ms, theirs.p99_ms)]
        for (mine, real), colour in zip([*pairs, (ours.ran, theirs.ran)], marks.values(), strict=True):
            if not math.isnan(ratio := ratio_of(mine, real)):
                canvas.dot(x(ratio), middle, 5, colour)
        told = f"p95 {theirs.p95_ms:.0f} ms, {theirs.ran:.0%} run; machine {each.machine_load:.1f}"
        canvas.text(x1 + 40, middle - 9, told, 13, FAINT)
