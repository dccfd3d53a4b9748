"""The journal as one picture: a row per rule over time, curves below, and why and how soon."""

from __future__ import annotations

from pathlib import Path

from ...drawing import ACCENT, FAINT, GOOD, PANEL, SERIES, TEXT, WARM, Canvas
from ._entry import Curve, Story
from ._foot import HEIGHT as FOOT
from ._foot import refusals_panel, times_panel
from ._rows import GAP, LABEL, MARKS, ROW, by_rule, curve_row, event_row, rule_row
from ._span import Span
from ._summary import summary
from ._words import clean, clock_time, since

WIDTH, MARGIN, HEADER, AXIS = 1600, 32, 112, 40
MOST_RULES = 12
MOST_CURVES = 6


def draw(story: Story, out: Path) -> None:
    """Write the picture; raises RecordError when the disk refuses it."""
    rules = by_rule(story.entries)
    shown = dict(list(rules.items())[:MOST_RULES])
    curves = dict(list(_curves(story).items())[:MOST_CURVES])
    events = [entry for entry in story if entry.frame is None]
    rows = max(1, len(shown)) + len(curves) + bool(events)
    top = HEADER
    bottom = top + rows * (ROW + GAP) - GAP
    canvas = Canvas(WIDTH, bottom + AXIS + FOOT + MARGIN)
    began = story.head.clock.monotonic_ns
    ended = max(story.last_ns, began + 1_000_000)
    span = Span(began, ended, MARGIN + LABEL + 40, WIDTH - MARGIN - 24)
    _header(canvas, story, len(rules) - len(shown))
    for row in range(rows):
        canvas.box(MARGIN, top + row * (ROW + GAP), WIDTH - 2 * MARGIN, ROW, PANEL, 8)
    span.draw(canvas, top, bottom)
    y = float(top)
    if events:
        event_row(canvas, MARGIN, y, events, span, bottom)
        y += ROW + GAP
    if not shown:
        canvas.text(MARGIN + 16, y + 14, "no rule asked for anything", 17, FAINT)
        y += ROW + GAP
    for rule, found in shown.items():
        rule_row(canvas, MARGIN, y, rule, found, span)
        y += ROW + GAP
    for count, (name, curve) in enumerate(curves.items()):
        curve_row(canvas, MARGIN, y, name, curve, span, SERIES[count % len(SERIES)])
        y += ROW + GAP
    told = summary(story)
    half = (WIDTH - 2 * MARGIN - 16) / 2
    refusals_panel(canvas, MARGIN, bottom + AXIS, half, told.refusals, told.failures)
    times_panel(canvas, MARGIN + half + 16, bottom + AXIS, half, story.entries)
    canvas.save(out)


def _header(canvas: Canvas, story: Story, left_out: int) -> None:
    head = story.head
    canvas.text(MARGIN, 22, "onscope", 30, ACCENT)
    canvas.text(MARGIN + 132, 30, clean(story.path.name), 21, TEXT, width=canvas.width / 2)
    when = clock_time(head, head.clock.monotonic_ns, "%Y-%m-%d %H:%M:%S")
    canvas.text(canvas.width - MARGIN, 30, f"{when}, {since(head, story.last_ns)}", 15, FAINT, "right")
    mode, colour = ("armed", GOOD) if head.armed else ("shadow mode: nothing is done", ACCENT)
    at = MARGIN + canvas.text(MARGIN, 70, mode, 15, colour) + 14
    words = f"rules {clean(head.rules_name) or 'without a name'}"
    words += f", {left_out} more rules not shown" if left_out else ""
    at += canvas.text(at, 70, words, 15, FAINT, width=420) + 14
    if story.ended_ns is None or story.error or story.lost:
        wrong = "cut off: it did not end in order" if story.ended_ns is None else clean(story.error)
        wrong = f"{story.lost:,} lines are missing" if story.lost else wrong
        canvas.text(at, 70, wrong, 15, WARM, width=360)
    x = float(canvas.width - MARGIN)
    for outcome in reversed([name for name in MARKS if any(each.outcome == name for each in story)]):
        words, colour = MARKS[outcome]
        x -= canvas.text(x, 70, words, 14, TEXT, "right") + 10
        canvas.dot(x, 79, 5, colour)
        x -= 22


def _curves(story: Story) -> dict[str, Curve]:
    """Curves that are told, and the interval of routine frames as it was set, where that is not among them."""
    found = dict(story.curves)
    if not any(name.startswith("interval") for name in found):
        at, values = [], []
        for entry in story:
            seconds = (entry.action or {}).get("interval_s")
            if entry.done is not None and entry.kind == "set_interval" and isinstance(seconds, (int, float)):
                at.append(entry.done.done_ns)
                values.append(float(seconds))
        if at:
            found = {"interval_s": Curve(tuple(at), tuple(values)), **found}
    return found
