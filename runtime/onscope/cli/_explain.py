"""`onscope explain`: why the microscope did, or did not do, what it did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from onscope.runtime.feedback.journal import Outcome, Refusal, Story

LAST = 10
MOST_REASONS = 8
STYLES = {"done": "green", "shadow": "cyan", "refused": "red", "failed": "yellow", "event": "dim"}
COLUMNS: tuple[Outcome, ...] = ("done", "shadow", "passed", "refused", "failed", "proposed")


def explain(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="The journal of a run with feedback.")],
    event: Annotated[
        int | None, typer.Option("--event", metavar="N", help="Say all of one event: why, and what became of it.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--timeline", metavar="OUT.png", help="Draw the whole journal over time.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="OUT.csv", help="Write a row per event (.csv or .parquet).")
    ] = None,
) -> None:
    """Say why the microscope did, or did not do, what it did.

    Without --event: how much was asked for, what became of it, why not, and
    the last events. Also of a run that is under way, or was killed.

    Exit code 1, and one sentence, when something is wrong.
    """
    from rich.console import Console
    from rich.text import Text

    from onscope.runtime.feedback import journal as journals
    from onscope.runtime.objects import write_table

    story = journals.read_journal(journal)
    console = Console(highlight=False)
    if event is not None:
        for number, line in enumerate(journals.explain(story, event).splitlines()):
            style = "bold" if number == 0 or (line and not line.startswith(" ")) else ""
            console.print(Text(line, style), soft_wrap=True)
    else:
        _summary(console, story)
    if picture is not None:
        console.print(Text(f"\n{journals.timeline(story, picture)}: the timeline"), soft_wrap=True)
    if table is not None:
        write_table(table, journals.as_table(story))
        console.print(Text(f"\n{table}: {len(story):,} events"), soft_wrap=True)


def _summary(console: Console, story: Story) -> None:
    from rich.text import Text

    from onscope.runtime.feedback.journal import summary

    told = summary(story)
    for line, style in _head(story):
        console.print(Text(line, style), soft_wrap=True)
    if told.outcomes:
        columns = [name for name in COLUMNS if told.count(name)]
        rules = _grid(("rule", "left"), ("asked", "right"), *((name, "right") for name in columns))
        for rule, counts in told.outcomes.items():
            cells = [Text(f"{counts.get(name, 0):,}", STYLES.get(name, "")) for name in columns]
            rules.add_row(Text(_clean(rule)), f"{sum(counts.values()):,}", *cells)
        console.print()
        console.print(rules)
    else:
        console.print("no rule asked for anything")
    _reasons(console, "refused because (the last of those alike but for numbers)", told.refusals)
    _reasons(console, "failed because", told.failures)
    if told.command_ms:
        p50, p95, most = (told.command_ms[int(share * (len(told.command_ms) - 1))] for share in (0.5, 0.95, 1.0))
        words = f"half within {p50:.1f} ms, 95 % within {p95:.1f} ms, all within {most:.1f} ms"
        console.print(Text(f"\nfrom core receipt to the first command: {words}"), soft_wrap=True)
    _last(console, story)


def _head(story: Story) -> list[tuple[str, str]]:
    from onscope.runtime.feedback.journal import clock_time, since

    head = story.head
    began = clock_time(head, head.clock.monotonic_ns, "%Y-%m-%d %H:%M:%S")
    mode = "armed" if head.armed else "shadow mode: decided and written down, nothing done"
    lines = [
        (f"{_clean(story.path)}, began {began}, {since(head, story.last_ns)}", "bold"),
        (f"rules {_clean(head.rules_name) or 'without a name'}, sha256 {_clean(head.rules_sha256)[:12]}; {mode}", ""),
    ]
    if story.ended_ns is None:
        lines.append(("it did not end in order: the run is under way, or was killed", "yellow"))
    if story.torn:
        lines.append((story.torn, "yellow"))
    if story.error:
        lines.append((f"ended by {_clean(story.error)}", "red"))
    if story.lost:
        lines.append((f"{story.lost:,} lines are missing: they could not be written", "red"))
    return lines


def _reasons(console: Console, title: str, found: Sequence[Refusal]) -> None:
    from rich.text import Text

    if not found:
        return
    console.print(Text(f"\n{title}", "bold"))
    grid = _grid(("", "right"), ("", "left"), ("", "right"), header=False)
    for each in found[:MOST_REASONS]:
        grid.add_row(f"{each.count:,}", Text(each.reason), Text(f"event {each.number}", "dim"))
    console.print(grid)
    if len(found) > MOST_REASONS:
        console.print(f"and {len(found) - MOST_REASONS:,} other reasons")


def _last(console: Console, story: Story) -> None:
    from rich.text import Text

    from onscope.runtime.feedback.journal import since, what_words

    if not len(story):
        return
    console.print(Text("\nthe last events", "bold"))
    grid = _grid(("event", "right"), ("after", "right"), ("rule", "left"), ("", "left"), ("what", "left"))
    for entry in story[-LAST:]:
        outcome = Text("" if entry.outcome == "event" else entry.outcome, STYLES.get(entry.outcome, ""))
        after = since(story.head, entry.at_ns)
        grid.add_row(str(entry.number), after, Text(_clean(entry.rule)), outcome, Text(what_words(entry)))
    console.print(grid)
    console.print(Text("\nonscope explain JOURNAL --event N says why", "dim"))


def _grid(*columns: tuple[str, str], header: bool = True) -> Any:
    from rich.table import Table

    table = Table(box=None, show_header=header, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify=justify, overflow="fold", no_wrap=justify == "right")  # type: ignore[arg-type]
    return table


def _clean(text: object) -> str:
    from ._info_words import clean

    return clean(text)
