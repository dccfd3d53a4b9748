"""The tables of `onscope info`, for 80 columns; None where there is nothing to tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from onscope.runtime.record.about import About, size_words

from ._info_words import clean

STEPS = ("receive", "submit", "queue", "handoff", "worker", "deliver")
MOST_EVENTS = 8


def frames_table(about: About) -> Table:
    """What became of the frames."""
    table = _table(("", "left"), ("frames", "right"), ("", "left"))
    if about.frames or not about.links:
        table.add_row("raw", f"{about.frames:,}", "")
    if about.ledger is None:
        for state, count in about.results.items():
            table.add_row(clean(state), f"{count:,}", "")
        open_or_cut = about.facts.state != "complete"
        why = "not written: the run is under way, or was cut off" if open_or_cut else "none: nothing was run on them"
        table.add_row("account", "-", why)
        return table
    for state, reasons in about.ledger.items():
        why = "; ".join(f"{clean(reason)} {count:,}" for reason, count in list(reasons.items())[:4] if reason)
        table.add_row(state.replace("_", " "), f"{sum(reasons.values()):,}", Text(why))
    return table


def images_table(about: About) -> Table | None:
    """Images and tables: how much is there, what is missing."""
    if not about.images:
        return None
    table = _table(("", "left"), ("frames", "right"), ("missing", "right"), ("shape", "left"), ("pixel", "right"))
    table.add_column("disk", justify="right", no_wrap=True)
    for image in about.images:
        missing = image.missing if about.facts.state == "complete" else None
        size = "-" if image.pixel_size_um is None else f"{image.pixel_size_um:g} um"
        table.add_row(
            clean(image.path),
            f"{image.there:,}",
            "-" if missing is None else f"{missing:,}",
            f"{'x'.join(map(str, image.shape))} {image.dtype}",
            size,
            size_words(image.nbytes),
        )
    for name in [each for each in about.tables if each not in ("frames", "results", "values")]:
        table.add_row(f"{clean(name)} (table)", f"{about.tables[name]:,}", "-", "rows", "-", "-")
    return table


def stages_table(about: About) -> Table | None:
    """What each stage ran, and how often it answered."""
    if not about.stages:
        return None
    table = _table(("", "left"), ("package", "left"), ("on", "left"), ("weights", "left"), ("answers", "right"))
    table.add_column("package sha256", no_wrap=True)
    table.add_column("graph", no_wrap=True)
    for stage in about.stages:
        package = clean(stage.package) + (f" {clean(stage.version)}" if stage.version else "")
        if stage.kind != "network":
            package = f"{package} {clean(stage.kind)} of {clean(stage.reads)}".strip()
        table.add_row(
            clean(stage.name),
            Text(package + (" FORCED" if stage.forced else "")),
            clean(stage.provider) or "-",
            clean(stage.precision) or "-",
            f"{stage.answers:,}",
            stage.package_sha256[:12] or "-",
            stage.graph_sha256[:8] or "-",
        )
    return table


def times_table(about: About) -> Table | None:
    """Percentiles of the whole way, of the graphs, and of the other steps."""
    if not about.latency_ms:
        return None
    table = _table(("", "left"), ("p50", "right"), ("p95", "right"), ("p99", "right"), ("max", "right"))
    rows = {"whole way": about.latency_ms}
    together: dict[str, list[str]] = {}
    for stage in about.stages:  # those of one graph have its whole time each
        together.setdefault(stage.graph_sha256 or stage.name, []).append(stage.name)
    for names in together.values():
        if f"stage {names[0]}" in about.steps_ms:
            rows["+".join(names)] = about.steps_ms[f"stage {names[0]}"]
    rows |= {name: about.steps_ms[name] for name in STEPS if name in about.steps_ms}
    for name, times in rows.items():
        table.add_row(clean(name), *(f"{times[p]:.2f}" for p in ("p50", "p95", "p99", "max")))
    return table


def spreads_table(values: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table | None:
    """Where numbers per frame lie, by stage and name."""
    if not values:
        return None
    table = _table(("", "left"), ("", "left"), ("p5", "right"), ("p50", "right"), ("p95", "right"), ("n", "right"))
    for stage, names in values.items():
        for name, spread in names.items():
            numbers = [f"{spread[p]:.4g}" if p in spread else "-" for p in ("p5", "p50", "p95")]
            table.add_row(clean(stage), clean(name), *numbers, f"{spread['n']:,.0f}")
    return table


def events_table(about: About) -> Table | None:
    """What happened, seconds after the beginning."""
    facts = about.facts
    if not facts.events:
        return None
    table = _table(("s", "right"), ("", "left"), ("", "left"))
    for event in facts.events[:MOST_EVENTS]:
        at = (event.at_ns - facts.clock.monotonic_ns) / 1e9
        table.add_row(f"{at:.1f}", clean(event.kind), Text(clean(event.message)))
    more = len(facts.events) - MOST_EVENTS + facts.events_left_out
    if more > 0:
        table.add_row("", f"{more:,} more", "")
    return table


def _table(*columns: tuple[str, Any]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for number, (name, justify) in enumerate(columns):
        table.add_column(("  " if not number else "") + name, justify=justify, overflow="fold", no_wrap=number == 0)
    return table
