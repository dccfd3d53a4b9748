"""What a rehearsal found, on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from onscope.runtime.feedback.rehearse import Report

MOST_REASONS = 6


def show(console: Console, report: Report) -> None:
    """The table of the rules, and in words what happened beside."""
    seed = "" if report.seed is None else f", seed {report.seed}"
    table = Table(title=f"{report.rules} on {report.on}{seed}", title_justify="left", box=SIMPLE, padding=(0, 0))
    for name in ("rule", "asked", "passed", "done", "true", "false", "events", "found", "missed", "after"):
        first = name == "rule"
        table.add_column(name, justify="left" if first else "right", no_wrap=not first, min_width=10 if first else None)
    for each in report.scores:
        counts = (each.proposals, each.passed, each.done, each.true, each.false, each.events, each.found, each.missed)
        told = ["" if count is None else f"{count:,}" for count in counts]
        delay = "" if each.delay_s is None else f"{each.delay_s / 60:.1f} min"
        table.add_row(Text(each.rule), *told, delay)
    console.print(table)
    for line in words(report):
        console.print(Text(line), soft_wrap=True)


def words(report: Report) -> list[str]:
    """Sentences on what was done, refused, and what it did to the cells."""
    speed = report.hours * 3600 / max(report.took_s, 1e-9)
    acted = report.armed
    lines = [
        f"{report.hours:.2f} h, {report.frames:,} routine frames and {report.taken:,} of actions, "
        f"{report.results:,} results ({report.answers}), {speed:,.0f} times as fast as the experiment"
    ]
    actions = ", ".join(f"{count:,} {kind}" for kind, count in report.actions.items()) or "none"
    lines.append(f"{'actions' if acted else 'actions that would have been (nothing was done)'}: {actions}")
    if report.moves:
        lines.append(f"the stage {'was' if acted else 'would have been'} sent to {len(report.moves):,} places")
    reasons = sorted(report.refused.items(), key=lambda each: -each[1])
    lines += [f"refused {count:,} times: {reason}" for reason, count in reasons[:MOST_REASONS]]
    if len(reasons) > MOST_REASONS:
        lines.append(f"and {len(reasons) - MOST_REASONS} other reasons: see report.json")
    if report.dose_j_cm2 is not None:
        lines.append(
            f"{report.cells:,} cells in the first view: {report.dose_j_cm2:.3g} J/cm2 each, {report.died} died, "
            f"{report.killed} of them of light"
        )
    lines += [f"rules failed {count:,} times: {sentence}" for sentence, count in report.failures.items()]
    if report.ended:
        lines.append(f"ended early: {report.ended}")
    return lines


def show_sweep(console: Console, name: str, steps: Sequence[Mapping[str, Any]]) -> None:
    """A row per value."""
    table = Table(title=name, title_justify="left", box=SIMPLE)
    for column in ("value", "found", "missed", "false", "actions", "J/cm2"):
        table.add_column(column, justify="right")
    for each in steps:
        sums = {
            what: [score[what] for score in each["scores"] if score[what] is not None]
            for what in ("found", "missed", "false")
        }
        told = [f"{sum(values):,}" if values else "" for values in sums.values()]
        dose = each["dose_j_cm2"]
        actions = f"{sum(each['actions'].values()):,}"
        table.add_row(f"{each['value']:.4g}", *told, actions, "" if dose is None else f"{dose:.3g}")
    console.print(table)


def timeline_of(folder: Path) -> list[str]:
    """Draw the journal; the file's name, where there is something to draw."""
    from onscope.runtime.feedback.journal import timeline

    timeline(folder / "journal.jsonl", folder / "timeline.png")
    return ["timeline.png"]
