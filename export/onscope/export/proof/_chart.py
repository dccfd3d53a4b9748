"""The lower half of the picture: a histogram of all errors, and the metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onscope.runtime.drawing import BAD, FAINT, GOOD, LINE, PANEL, TEXT, WARM, Canvas, Colour

from ._errors import EDGES, LOW, PER_DECADE
from ._metrics import Metric
from ._parity import MAX_LIMIT, P999_LIMIT
from ._proof import Proof
from ._report import Report

HEAD, SHOWN_TO = 56, -2
"""Pixels of a chart's title; power of ten that the axis reaches at least."""
LINE_PX, COLUMN_PX = 26, 112
POWERS = {0: "1", 1: "10", 2: "100", 3: "1k", 4: "10k", 5: "100k", 6: "1M", 7: "10M", 8: "100M", 9: "1G"}


def errors_chart(canvas: Canvas, x: float, y: float, width: float, height: float, proof: Proof) -> None:
    """How many values have which error; both axes are logarithmic, the limits are lines."""
    canvas.box(x, y, width, height, PANEL, 10)
    canvas.text(x + 18, y + 12, "Errors of all values", 19)
    canvas.text(x + 206, y + 17, "relative to the range of the network's output; both axes logarithmic", 13, FAINT)
    errors = proof.errors
    used = np.flatnonzero(errors.counts)
    high = max(SHOWN_TO, LOW + math.ceil((used[-1] + 1) / PER_DECADE)) if len(used) else SHOWN_TO
    left, right, top, bottom = x + (200 if errors.rounded else 124), x + width - 24, y + HEAD + 20, y + height - 34
    tallest = max(1, int(errors.counts.max(initial=0)), errors.equal, errors.rounded)
    rows = math.log10(tallest) + 0.35

    def at(value: float) -> float:
        return left + (right - left) * (math.log10(value) - LOW) / (high - LOW)

    def tall(count: int) -> float:
        return max(3.0, (bottom - top) * (math.log10(count) + 0.3) / (rows + 0.3)) if count else 0.0

    for power in range(0, math.floor(rows) + 1, 1 if rows < 4 else 2):
        line = bottom - tall(10**power)
        canvas.line(x + 56, line, right, line, LINE)
        canvas.text(x + 48, line - 8, POWERS[min(power, 9)], 13, FAINT, "right")
    for power in range(LOW, high + 1):
        canvas.text(at(10.0**power), bottom + 8, f"1e{power}" if power else "1", 13, FAINT, "middle")
    for count, low, up in zip(errors.counts, EDGES[:-1], EDGES[1:], strict=True):
        if count:
            colour = GOOD if up <= P999_LIMIT * 1.001 else WARM if low < MAX_LIMIT else BAD
            bar = tall(int(count))
            canvas.box(at(low), bottom - bar, at(up) - at(low) - 1, bar, colour)
    for count, words, middle in ((errors.equal, "equal", x + 82), (errors.rounded, "1 count", x + 138)):
        if count:
            canvas.box(middle - 18, bottom - tall(count), 36, tall(count), GOOD)
        if count or words == "equal":
            canvas.text(middle, bottom + 8, words, 13, FAINT, "middle")
    canvas.line(x + 56, bottom, right, bottom, FAINT)
    for value, words, align in ((P999_LIMIT, f"99.9 % below {P999_LIMIT:g}", "right"),
                                (MAX_LIMIT, f"all below {MAX_LIMIT:g}", "left")):  # fmt: skip
        canvas.line(at(value), top - 16, at(value), bottom, WARM if value == P999_LIMIT else BAD, 2)
        aside = 6 if align == "left" else -6
        canvas.text(at(value) + aside, top - 20, words, 13, TEXT, align)  # type: ignore[arg-type]


def metrics_chart(canvas: Canvas, x: float, y: float, width: float, height: float, report: Report) -> None:
    """A line per output and input, those beyond their limits first; then the largest error of each input."""
    canvas.box(x, y, width, height, PANEL, 10)
    canvas.text(x + 18, y + 12, "What that means for the answer", 19)
    top, bottom, right = y + HEAD - 8, y + height - 8, x + width - 18
    titles: tuple[str, ...] = ()
    for (output, where), row in _lines(report.metrics):
        names = tuple(one.name for one in row)
        if top + LINE_PX * (1 if names == titles else 2) > bottom:
            return
        if names != titles:
            titles = names
            _line(canvas, x + 18, top + 3, right, [output, *names], [FAINT] * (1 + len(row)), 13)
            top += LINE_PX
        colours = [BAD if not one.passed else TEXT if one.limit is None else GOOD for one in row]
        _line(canvas, x + 18, top, right, [where, *(one.words for one in row)], [TEXT, *colours], 15)
        top += LINE_PX
    if top + 2 * LINE_PX > bottom:
        return
    _line(canvas, x + 18, top + 3, right, ["compared", "y x x", "largest error"], [FAINT] * 3, 13)
    for one in sorted(report.parity, key=lambda one: one.passed):
        top += LINE_PX
        if top + LINE_PX > bottom:
            return
        size = f"{one.size[0]} x {one.size[1]}"
        error = f"{one.max_relative:.1e}" if one.differing is None else f"{one.max_abs:g} counts"
        words = [f"{one.output} on {one.where}", size, error if one.max_abs else "none"]
        _line(canvas, x + 18, top, right, words, [TEXT, TEXT, GOOD if one.passed else BAD], 14)


def _line(
    canvas: Canvas, left: float, top: float, right: float, words: Sequence[str], colours: Sequence[Colour], size: int
) -> None:
    """The first of the words at the left, the others in columns at the right."""
    columns = len(words) - 1
    canvas.text(left, top, words[0], size, colours[0], width=right - left - COLUMN_PX * columns)
    for number, (word, colour) in enumerate(zip(words[1:], colours[1:], strict=True)):
        canvas.text(right - COLUMN_PX * (columns - 1 - number), top, word, size, colour, "right")


def _lines(metrics: tuple[Metric, ...]) -> list[tuple[tuple[str, str], list[Metric]]]:
    """By output and input, in their order, but first where something is beyond its limit."""
    found: dict[tuple[str, str], list[Metric]] = {}
    for one in metrics:
        found.setdefault((one.output, one.where), []).append(one)
    return sorted(found.items(), key=lambda line: all(one.passed for one in line[1]))
