"""What rules asked for and what became of it, on a timeline with the light dose; the main decisions in words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np

from onscope.runtime.feedback.journal import Curve, Entry, Outcome, Refusal, Story, explain, summary, what_words

from ._doses import dose_table
from ._found import Found
from ._html import Html, Long, join, note, section, table, tag, trouble
from ._svg import LEFT, RIGHT, WIDE, Axis, Plot, figure, frame, legend, time_axis
from ._words import ms, number, without_folders

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "done": ("done", "good"),
    "shadow": ("would have been done", "s0"),
    "passed": ("passed, no more is told", "s3"),
    "refused": ("refused", "bad"),
    "failed": ("failed", "warm"),
    "proposed": ("asked for, no more is told", "faint"),
}
UPWARDS = ("done", "shadow", "passed")
MOST_RULES, MOST_MARKS, COLUMNS = 10, 600, 300
EXPLAINED = 6
STARTED = re.compile(r", [^,:]+ after the start")
ROW = 44


def feedback(found: Found) -> Html:
    """The section; empty where there were no rules."""
    story = found.story
    if story is None:
        return Html("")
    mode = "It was armed: what the gate let pass was carried out." if story.head.armed else (
        "It was in shadow mode: rules and gate decided, and nothing was carried out."
    )  # fmt: skip
    wrong = []
    if story.error:
        wrong.append(trouble(f"It ended by {without_folders(story.error)}."))
    if story.ended_ns is None:
        wrong.append(trouble("Its journal did not end in order: the run is under way, or was killed."))
    wrong += [
        trouble(words) for words in (story.torn, f"{story.lost:,} lines are missing." if story.lost else None) if words
    ]
    name = without_folders(story.head.rules_name) or "without a name"
    head = note(mode, " Rules: ", name, ", sha256 ", tag("code", story.head.rules_sha256[:16]), ".")
    parts = [_timeline(found, story), _counts(story), _doses(found, story), dose_table(found, story), _reasons(story)]
    return section("feedback", "What the microscope decided", head, wrong, *parts, _explained(found, story))


def _timeline(found: Found, story: Story) -> Html:
    rules: dict[str, list[Entry]] = {}
    for entry in story:
        if entry.frame is not None:
            rules.setdefault(entry.rule, []).append(entry)
    events = [entry for entry in story if entry.frame is None]
    shown = dict(list(rules.items())[:MOST_RULES])
    if not shown and not events:
        return note("No rule asked for anything.")
    x = Axis.over(found.seconds([entry.at_ns for entry in story] + [story.last_ns]))
    left = LEFT + 60
    inside: list[Html] = []
    for row, (name, entries) in enumerate(shown.items()):
        middle = 6 + row * ROW + ROW / 2
        inside.append(tag("line", x1=left, x2=WIDE - RIGHT, y1=middle, y2=middle, class_="grid"))
        inside.append(
            tag("text", name if len(name) < 17 else name[:16] + "…", x=left - 10, y=middle + 4, text_anchor="end")
        )
        inside += _marks(found, x, left, middle, entries)
    tall = 6 + len(shown) * ROW
    if events:
        inside.append(tag("text", "events", x=left - 10, y=tall + 18, text_anchor="end"))
        for entry in events[:MOST_MARKS]:
            at = _at(found, x, left, entry)
            mark = tag(
                "path",
                tag("title", what_words(entry)),
                d=Html(f"M{at:.1f} {tall + 6}l7 8l-7 8l-7 -8z"),
                class_="fill s4",
            )
            inside.append(mark)
        tall += 32
    used = [each for each in OUTCOMES if any(entry.outcome == each for entry in story)]
    keys = legend(
        [(f"fill {OUTCOMES[each][1]}", OUTCOMES[each][0]) for each in used] + ([("fill s4", "event")] if events else [])
    )
    words = (
        "What each rule asked for, over time: upwards what was done or would have been, downwards what was not. The "
    )
    words += "longer a mark, the more at that time."
    more = f" {len(rules) - len(shown)} more rules are not shown." if len(rules) > len(shown) else ""
    drawn = frame("Decisions over time", tall + 46, inside, time_axis(x, tall + 4, left))
    return figure(words + more, drawn, keys)


def _at(found: Found, x: Axis, left: float, entry: Entry) -> float:
    return left + float(x.share(found.seconds(entry.at_ns))) * (WIDE - left - RIGHT)


def _marks(found: Found, x: Axis, left: float, middle: float, entries: Sequence[Entry]) -> Iterator[Html]:
    """Decisions counted by outcome and part of the time."""
    counts: dict[tuple[Outcome, int], int] = {}
    share = x.share(found.seconds([entry.at_ns for entry in entries]))
    for entry, part in zip(entries, np.minimum((share * COLUMNS).astype(int), COLUMNS - 1).tolist(), strict=True):
        counts[entry.outcome, part] = counts.get((entry.outcome, part), 0) + 1
    most = max(counts.values())
    wide = (WIDE - left - RIGHT) / COLUMNS
    stacked: dict[tuple[bool, int], float] = {}
    for (outcome, part), count in sorted(counts.items(), key=lambda each: list(OUTCOMES).index(each[0][0])):
        up = outcome in UPWARDS
        tall = max(4.0, (ROW / 2 - 4) * count / most / (1 if most == count else 1.2))
        base = stacked.get((up, part), 0.0)
        stacked[up, part] = base + tall
        y = middle - base - tall if up else middle + base
        yield tag(
            "rect",
            x=f"{left + part * wide:.1f}",
            y=f"{y:.1f}",
            width=f"{max(1.6, wide - 0.3):.1f}",
            height=f"{tall:.1f}",
            class_=f"fill {OUTCOMES[outcome][1]}",
        )


def _counts(story: Story) -> Html:
    told = summary(story)
    columns = [name for name in OUTCOMES if told.count(name)]
    rows = [
        [rule, f"{sum(counts.values()):,}", *(f"{counts.get(name, 0):,}" for name in columns)]
        for rule, counts in told.outcomes.items()
    ]
    if not rows:
        return Html("")
    by_rule = table("Decisions by rule", ["rule", "asked", *(OUTCOMES[name][0] for name in columns)], rows, range(1, 9))
    if not told.command_ms:
        return by_rule
    p50, p95, most = (told.command_ms[int(part * (len(told.command_ms) - 1))] for part in (0.5, 0.95, 1.0))
    words = f"half within {ms(p50)} ms, 95 % within {ms(p95)} ms, all within {ms(most)} ms."
    return join(by_rule, note("From the receipt of a frame to the first command: ", words))


def _doses(found: Found, story: Story) -> Html:
    """The light dose where the microscope stood, with the limit."""
    curve = story.curves.get("dose_j_cm2")
    if curve is None or len(curve.at_ns) < 2:
        return Html("")
    at, values = found.seconds(curve.at_ns), np.asarray(curve.values)
    most = story.head.limits.get("field_j_cm2")
    limit = float(most) if isinstance(most, (int, float)) and math.isfinite(most) else None
    x = Axis.over(found.seconds([entry.at_ns for entry in story] + [story.last_ns]), at)
    y = Axis.over(values, [limit] if limit is not None and limit < 20 * values.max() else [], zero=True)
    plot = Plot(x, y, 120)
    thin = np.unique(np.linspace(0, len(at) - 1, min(len(at), 600)).astype(int))
    mark = plot.level(limit, f"limit {number(limit)} J/cm²", "limit bad") if limit is not None else None
    drawn = plot.svg(
        "Light dose over time",
        "J/cm²",
        mark,
        plot.line(at[thin], values[thin], "s2"),
        plot.dots(at[thin], values[thin], "dot s2", 1.8) if len(thin) < 100 else None,
    )
    words = f"Light dose of the place that the microscope was at; at the end {number(float(values[-1]))} J/cm²"
    words += "." if limit is None else f", of at most {number(limit)}."
    return figure(words + _held(curve), drawn)


def _held(curve: Curve) -> str:
    return "" if all(math.isfinite(each) for each in curve.values) else " Values that are no numbers are left out."


def _reasons(story: Story) -> Html:
    told = summary(story)

    def rows(found: Sequence[Refusal]) -> list[list[str]]:
        return [[without_folders(each.reason), f"{each.count:,}", f"{each.number}"] for each in found]

    head = ["reason (the last of those alike but for numbers)", "times", "last event"]
    refused = table("Refused because", head, rows(told.refusals), (1, 2), most=12) if told.refusals else None
    failed = table("Failed because", head, rows(told.failures), (1, 2), most=12) if told.failures else None
    return join(refused, failed)


def _explained(found: Found, story: Story) -> Html:
    chosen = _important(story)
    if not chosen:
        return Html("")
    told = []
    for entry in chosen:
        head, _, rest = without_folders(explain(story, entry.number)).partition("\n")
        seconds = float(found.seconds([entry.at_ns])[0])  # as the charts count, not from the beginning of the rules
        head = STARTED.sub(f", {seconds:.1f} s after the recording began", head, count=1)
        told.append(tag("article", tag("h4", head), _parts(rest), class_="decision"))
    words = f"{len(chosen)} of {len(story):,} events: what failed or held the microscope, the first that were done, "
    words += "refusals of each kind, the last."
    return join(tag("h3", "The main decisions, explained"), note(words), tag("div", told, class_="decisions"))


def _parts(words: str) -> Iterator[Html]:
    """The indented lines below each title."""
    title, lines = "", []
    for line in [*words.split("\n"), "end"]:
        if line.startswith("  "):
            lines.append(line[2:])
        elif line:
            if lines:
                yield join(tag("h5", title) if title else None, tag("pre", Long("\n".join(lines))))
            title, lines = line, []


def _important(story: Story) -> list[Entry]:
    by_number = {entry.number: entry for entry in story}
    told = summary(story)
    numbers = [each.number for each in told.failures[:1]]
    numbers += [entry.number for entry in story if entry.frame is None and entry.kind == "safe state"][:1]
    for outcome in ("done", "shadow"):
        numbers += [entry.number for entry in story if entry.outcome == outcome][:1]
    numbers += [each.number for each in told.refusals[:2]]
    numbers += [entry.number for entry in story if entry.frame is not None][-1:]
    kept = sorted(dict.fromkeys(numbers[:EXPLAINED]))
    return [by_number[each] for each in kept if each in by_number]
