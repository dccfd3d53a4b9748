"""Below the timeline: why things were refused, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ...drawing import ACCENT, BAD, FAINT, LINE, PANEL, SERIES, TEXT, WARM, Canvas
from ._entry import Entry
from ._explain import steps_ms
from ._span import GRID
from ._summary import Refusal

HEIGHT, HEAD = 250, 56
MOST_ROWS = 5


def refusals_panel(
    canvas: Canvas, x: float, y: float, width: float, refusals: Sequence[Refusal], failures: Sequence[Refusal]
) -> None:
    """The most frequent reasons, with how often each was given."""
    canvas.box(x, y, width, HEIGHT, PANEL, 10)
    canvas.text(x + 18, y + 14, "Why not", 19)
    canvas.text(x + 104, y + 19, "reasons alike but for their numbers; each with its last words", 13, FAINT)
    found = sorted([(each, BAD) for each in refusals] + [(each, WARM) for each in failures], key=lambda e: -e[0].count)
    if not found:
        canvas.text(x + 18, y + HEAD + 4, "nothing was refused, and nothing failed", 15, FAINT)
    most = max((each.count for each, _ in found), default=1)
    for row, (each, colour) in enumerate(found[:MOST_ROWS]):
        top = y + HEAD + row * 37
        canvas.text(x + 76, top, f"{each.count:,}", 15, colour, "right")
        canvas.text(x + 92, top, each.reason, 15, TEXT, width=width - 110)
        canvas.box(x + 92, top + 23, width - 110, 5, LINE, 2)
        canvas.box(x + 92, top + 23, max(3.0, (width - 110) * each.count / most), 5, colour, 2)


def times_panel(canvas: Canvas, x: float, y: float, width: float, entries: Sequence[Entry]) -> None:
    """Milliseconds from a frame's receipt to each moment: percentiles, and their range on a logarithmic axis."""
    canvas.box(x, y, width, HEIGHT, PANEL, 10)
    canvas.text(x + 18, y + 14, "How soon", 19)
    canvas.text(
        x + 118, y + 19, "ms after the core had the frame; half of all lie in the bar, 99 % on the line", 13, FAINT
    )
    steps = _steps(entries)
    if not steps:
        canvas.text(x + 18, y + HEAD + 4, "no rule asked for anything", 15, FAINT)
        return
    left, right = x + 200, x + width - 220
    for column, title in enumerate(("p50", "p95", "p99")):
        canvas.text(right + 76 + 62 * column, y + HEAD - 12, title, 13, FAINT, "right")
    every = np.concatenate(list(steps.values()))
    low = 10.0 ** np.floor(np.log10(max(0.01, float(np.percentile(every, 0.5)))))
    high = max(10.0 ** np.ceil(np.log10(max(0.01, float(np.percentile(every, 99.5))))), low * 10)
    bottom = y + HEIGHT - 30

    def at(value: float) -> float:
        return float(left + (right - left) * np.log(min(max(value, low), high) / low) / np.log(high / low))

    for power in range(round(np.log10(low)), round(np.log10(high)) + 1):
        canvas.line(at(10.0**power), y + HEAD - 6, at(10.0**power), bottom, GRID)
        canvas.text(at(10.0**power), bottom + 6, f"{10.0**power:g}", 13, FAINT, "middle")
    for row, (name, times) in enumerate(steps.items()):
        top, colour = y + HEAD + 8 + row * 31, SERIES[row % len(SERIES)]
        few, lower, half, upper, p95, p99 = np.percentile(times, (0.5, 25, 50, 75, 95, 99))
        canvas.text(x + 18, top, name, 15, colour, width=175)
        canvas.box(at(few), top + 9, max(2.0, at(p99) - at(few)), 2, colour)
        canvas.box(at(lower), top + 5, max(4.0, at(upper) - at(lower)), 10, colour, 3)
        canvas.dot(at(half), top + 9.5, 3, ACCENT if colour != ACCENT else TEXT)
        for column, value in enumerate((half, p95, p99)):
            words = f"{value:.2f}" if value < 100 else f"{value:,.0f}"
            canvas.text(right + 76 + 62 * column, top, words, 15, TEXT, "right")


def _steps(entries: Sequence[Entry]) -> Mapping[str, npt.NDArray[np.float64]]:
    found: dict[str, list[float]] = {}
    for entry in entries:
        for name, after in [] if entry.failure is not None else steps_ms(entry):
            found.setdefault(name.replace("the rule", "rule").replace("the ", ""), []).append(after)
    return {name: np.array(times) for name, times in found.items()}
