"""The lower half of the overview: how long each step took, and what became of the frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..drawing import BAD, FAINT, GOOD, LINE, PANEL, SERIES, TEXT, WARM, Canvas, Colour
from ._latency import percentiles

STATE_COLOURS: Mapping[str, Colour] = {
    "done": GOOD, "late": WARM, "skipped": FAINT, "failed": BAD, "lost_upstream": BAD, "open": BAD,
}  # fmt: skip
BINS = 64
HEAD = 52


def latency_chart(
    canvas: Canvas, x: float, y: float, width: float, height: float, steps: Mapping[str, npt.NDArray[np.float64]]
) -> None:
    """A histogram per step over one logarithmic axis of ms, with p50, p95, p99 and max beside it."""
    canvas.box(x, y, width, height, PANEL, 10)
    canvas.text(x + 18, y + 12, "Latency by step", 19)
    canvas.text(x + 178, y + 17, "ms from core receipt to delivery; logarithmic axis", 13, FAINT)
    known = {name: times for name, times in steps.items() if len(times)}
    if not known:
        canvas.text(x + 18, y + HEAD + 8, "no result came", 15, FAINT)
        return
    left, right = x + 150, x + width - 270
    for column, title in enumerate(("p50", "p95", "p99", "max")):
        canvas.text(right + 82 + 58 * column, y + 22, title, 13, FAINT, "right")
    every = np.concatenate(list(known.values()))
    low = max(0.01, float(np.percentile(every, 2)) / 1.5)
    high = max(float(every.max()) * 1.1, low * 10)
    edges = np.geomspace(low, high, BINS + 1)
    row = (height - HEAD - 34) / len(known)
    bottom = y + height - 30
    for power in range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1):
        at = left + (right - left) * np.log(10.0**power / low) / np.log(high / low)
        canvas.line(at, y + HEAD - 6, at, bottom)
        canvas.text(at, bottom + 6, f"{10.0**power:g}", 13, FAINT, "middle")
    for number, (name, times) in enumerate(known.items()):
        colour = TEXT if name == "latency" else SERIES[number % len(SERIES)]
        base = y + HEAD + (number + 1) * row - 3
        _histogram(canvas, left, base, right - left, row - 8, np.clip(times, low, high), edges, colour)
        label = "whole way" if name == "latency" else name.removeprefix("stage ")
        size = 15 if row > 22 else 12
        canvas.text(x + 18, base - size - 2, label, size, colour, width=125)
        summary = percentiles(times)
        for column, key in enumerate(("p50", "p95", "p99", "max")):
            value = summary[key]
            words = f"{value:.2f}" if value < 100 else f"{value:.0f}"
            canvas.text(right + 82 + 58 * column, base - size - 2, words, size, TEXT, "right")


def ledger_chart(canvas: Canvas, x: float, y: float, width: float, height: float, counts: Mapping[str, int]) -> None:
    """A bar per state of the ledger, with its share."""
    canvas.box(x, y, width, height, PANEL, 10)
    canvas.text(x + 18, y + 12, "Ledger", 19)
    total = sum(counts.values())
    canvas.text(x + width - 18, y + 17, f"{total:,} frames", 13, FAINT, "right")
    shown = {state: count for state, count in counts.items() if count or state in ("done", "skipped", "failed")}
    row = min(46.0, (height - HEAD - 12) / max(1, len(shown)))
    for number, (state, count) in enumerate(shown.items()):
        top = y + HEAD + number * row
        colour = STATE_COLOURS.get(state, FAINT)
        canvas.text(x + 18, top, state.replace("_", " "), 15, TEXT)
        share = f"{count:,}" if not total else f"{count:,}  ({100 * count / total:.1f} %)"
        canvas.text(x + width - 18, top, share, 15, TEXT, "right")
        canvas.box(x + 18, top + 22, width - 36, 7, LINE, 3)
        canvas.box(x + 18, top + 22, (width - 36) * count / max(1, total), 7, colour, 3)


def facts_chart(canvas: Canvas, x: float, y: float, width: float, height: float, facts: Mapping[str, str]) -> None:
    """Names and values, one pair per line."""
    canvas.box(x, y, width, height, PANEL, 10)
    canvas.text(x + 18, y + 12, "Run", 19)
    row = min(30.0, (height - HEAD - 8) / max(1, len(facts)))
    for number, (name, value) in enumerate(facts.items()):
        top = y + HEAD + number * row
        canvas.text(x + 18, top, name, 14, FAINT)
        canvas.text(x + 128, top, value, 14, TEXT, width=width - 146)


def _histogram(
    canvas: Canvas,
    left: float,
    base: float,
    width: float,
    height: float,
    times: npt.NDArray[np.float64],
    edges: npt.NDArray[np.float64],
    colour: Colour,
) -> None:
    counts, _ = np.histogram(times, edges)
    step = width / len(counts)
    # The square root keeps a rare slow frame visible beside hundreds of usual ones.
    tall = np.sqrt(counts / counts.max())
    for number, value in enumerate(tall):
        if value > 0:
            bar = max(2.0, value * height)
            canvas.box(left + number * step, base - bar, max(1.0, step - 1), bar, colour)
    canvas.line(left, base, left + width, base)
