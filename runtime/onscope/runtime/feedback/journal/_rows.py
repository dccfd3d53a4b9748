"""Rows of the timeline: what each rule asked for and what became of it, upwards what passed, downwards what did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ...drawing import ACCENT, BAD, FAINT, GOOD, LINE, PANEL, TEXT, WARM, Canvas, Colour
from ._entry import Curve, Entry, Outcome
from ._span import Span
from ._words import clean, number

ROW, GAP = 76, 6
LABEL = 236
UP: Mapping[Outcome, Colour] = {"done": GOOD, "shadow": ACCENT, "passed": FAINT}
DOWN: Mapping[Outcome, Colour] = {"refused": BAD, "failed": WARM, "proposed": FAINT}
MARKS: Mapping[Outcome, tuple[str, Colour]] = {
    "done": ("done", GOOD), "shadow": ("would have been done", ACCENT), "passed": ("passed, no more is known", FAINT),
    "refused": ("refused", BAD), "failed": ("failed", WARM), "proposed": ("not judged", FAINT),
}  # fmt: skip
HOLLOW: frozenset[Outcome] = frozenset({"shadow", "passed", "proposed"})
UNITS: Mapping[str, str] = {
    "_j_cm2": "J/cm2", "_per_s": "per s", "_ms": "ms", "_s": "s", "_um": "um", "_mw": "mW", "_hz": "Hz",
}  # fmt: skip
WIDE = 6.0
"""Pixels that are counted together."""
CROWDED = 0.3
"""Share of a row's bins that have marks, above which these are bars."""

Times = npt.NDArray[np.int64]


def by_rule(entries: Sequence[Entry]) -> dict[str, dict[Outcome, Times]]:
    """When each rule's proposals were made, by what became of them; the busiest rules first."""
    found: dict[str, dict[Outcome, list[int]]] = {}
    for entry in entries:
        if entry.frame is not None:
            found.setdefault(entry.rule, {}).setdefault(entry.outcome, []).append(entry.at_ns)
    ordered = sorted(found.items(), key=lambda each: -sum(map(len, each[1].values())))
    return {rule: {name: np.array(at, np.int64) for name, at in each.items()} for rule, each in ordered}


def rule_row(canvas: Canvas, x: float, y: float, rule: str, found: Mapping[Outcome, Times], span: Span) -> None:
    """One rule: its name and counts, and its marks."""
    canvas.text(x + 16, y + 14, clean(rule), 17, width=LABEL - 24)
    at = x + 16
    for outcome, (_, colour) in MARKS.items():
        if outcome not in found:
            continue
        times = found[outcome]
        words = f"{len(times):,} {'would' if outcome == 'shadow' else 'open' if outcome == 'passed' else outcome}"
        if at + 60 < x + LABEL:
            at += canvas.text(at, y + 42, words, 13, colour, width=x + LABEL - at) + 12
    middle = y + ROW / 2
    canvas.line(span.left, middle, span.right, middle, LINE)
    for marks, sign in ((UP, -1), (DOWN, 1)):
        foot: dict[float, float] = {}
        shown = {name: span.bins(found[name], WIDE) for name in marks if name in found}
        most = max((int(counts.max()) for _, counts in shown.values()), default=1)
        bins = (span.right - span.left) / WIDE
        crowded = most > 3 or any(len(places) > CROWDED * bins for places, _ in shown.values())
        for name, (places, counts) in shown.items():
            for place, count in zip(places.tolist(), counts.tolist(), strict=True):
                # The square root keeps a single mark visible beside a hundred.
                tall = (ROW / 2 - 12) * (np.sqrt(count / most) if crowded else 0.62)
                base = foot.get(place, 0.0)
                tall = min(tall, ROW / 2 - 8 - base)
                foot[place] = base + tall
                _mark(canvas, place, middle + sign * base, sign * tall, marks[name], crowded, name in HOLLOW)


def curve_row(canvas: Canvas, x: float, y: float, name: str, curve: Curve, span: Span, colour: Colour) -> None:
    """How one number went: it holds until the next is told."""
    values = np.array(curve.values)
    known = np.isfinite(values)
    canvas.text(x + 16, y + 14, _with_unit(clean(name)), 17, width=LABEL - 60)
    if not known.any():
        canvas.text(x + 16, y + 42, "no number is told", 13, FAINT)
        return
    low, high = float(values[known].min()), float(values[known].max())
    canvas.text(x + 16, y + 42, f"last {number(float(values[known][-1]))}", 13, colour)
    bottom, tall = y + ROW - 12, ROW - 24
    base = 0.0 if low >= 0 else low
    reach = high - base or 1.0
    for level, shown in ((high, y + 8), (base, bottom - 8)):
        canvas.text(span.left - 8, shown - 2, number(level), 12, FAINT, "right")
    canvas.line(span.left, bottom, span.right, bottom, LINE)
    order = np.argsort(np.array(curve.at_ns), kind="stable")
    starts = span.at(np.array(curve.at_ns)[order])
    columns = np.arange(int(span.left), int(span.right))
    which = np.searchsorted(starts, columns, side="right") - 1
    faded = tuple((3 * panel + own) // 4 for panel, own in zip(PANEL, colour, strict=True))
    last: float | None = None
    for column, index in zip(columns.tolist(), which.tolist(), strict=True):
        value = values[order[index]] if index >= 0 else np.nan
        if not np.isfinite(value):
            last = None
            continue
        top = bottom - tall * float((value - base) / reach)
        canvas.box(column, top, 1, bottom - top, faded)  # type: ignore[arg-type]
        above, below = (top, top) if last is None else (min(top, last), max(top, last))
        canvas.box(column, above - 1, 1, below - above + 2, colour)
        last = top


def event_row(canvas: Canvas, x: float, y: float, events: Sequence[Entry], span: Span, bottom: float) -> None:
    """What no rule asked for: a line through all rows, and as many words as there is room for."""
    canvas.text(x + 16, y + 14, "events", 17)
    canvas.text(x + 16, y + 42, f"{len(events):,}", 13, WARM)
    free = [0.0, 0.0, 0.0]
    told: list[tuple[float, int, str, float]] = []
    places = span.at([each.at_ns for each in events])
    drawn = -9.0
    for entry, place in zip(events, places.tolist(), strict=True):
        if place - drawn >= 3:
            canvas.line(place, y + 4, place, bottom, WARM)
            drawn = place
        line = next((each for each, until in enumerate(free) if until < place + 4), None)
        if line is None:
            continue
        words = f"{clean(entry.kind)}: {clean(entry.because)}"
        room = min(330.0, span.right - place - 10)
        if room > 60:
            free[line] = place + 8 + min(room, Canvas.wide(words, 13)) + 8
            told.append((place + 6, line, words, room))
    for place, line, words, room in told:  # behind the lines of all: none of them goes through words
        canvas.box(place - 1, y + 6 + 21 * line, min(room, Canvas.wide(words, 13)) + 4, 18, PANEL)
        canvas.text(place, y + 6 + 21 * line, words, 13, TEXT, width=room)


def _with_unit(name: str) -> str:
    """ "dose_j_cm2" as a reader has it."""
    suffix = next((each for each in UNITS if name.endswith(each)), "")
    words = name.removesuffix(suffix).replace("_", " ").strip()
    return f"{words}, {UNITS[suffix]}" if suffix and words else name


def _mark(canvas: Canvas, x: float, foot: float, tall: float, colour: Colour, bar: bool, hollow: bool) -> None:
    top, bottom = min(foot, foot + tall), max(foot, foot + tall)
    if bar:
        canvas.box(x - WIDE / 2 + 1, top, WIDE - 1, max(2.0, bottom - top), colour)
        return
    canvas.line(x, top, x, bottom, colour)
    canvas.dot(x, foot + tall, 4.2, colour)
    if hollow:
        canvas.dot(x, foot + tall, 2.4, PANEL)
