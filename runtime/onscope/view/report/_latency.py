"""How long answers took: percentiles by step, over time, and at which rates frames and results came."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from onscope.runtime.record import frames_per_second, percentiles

from ._found import Found, column
from ._html import Html, facts, note, section, table
from ._svg import Axis, Plot, bins, figure, legend
from ._words import ms, number, share

STEPS = {
    "receive": "from the camera's frame to its copy in memory",
    "submit": "checked and given a place",
    "queue": "waiting for its turn",
    "handoff": "on the way to the worker",
    "worker": "in the worker, apart from the stages",
    "deliver": "back to the acquisition",
}
Array = npt.NDArray[np.float64]

FEW = 400
"""Results that have a dot each."""


def latency(found: Found) -> Html:
    """The section; empty without results."""
    results = found.results
    if results is None or not results.num_rows:
        return (
            section("latency", "Latency", note("No result came, so there are no times.")) if found.about else Html("")
        )
    whole, received = column(results, "latency_ms"), found.seconds(column(results, "received_ns"))
    return section(
        "latency", "Latency", _rates(found), _over_time(found, received, whole), _steps(found), _rate_chart(found)
    )


def budget_ms(found: Found) -> list[tuple[float, str]]:
    """What the times are held against: the deadline of the run, and the time between two frames."""
    told = []
    deadline = found.about.facts.runtime.admission.deadline_ms if found.about else None
    if deadline:
        told.append((deadline, f"deadline {number(deadline)} ms"))
    if interval := _interval_ms(found):
        told.append((interval, f"a frame every {ms(interval)} ms"))
    return told


def _interval_ms(found: Found) -> float | None:
    times = np.sort(column(found.frames, "received_ns"))
    gaps = np.diff(times[np.isfinite(times)]) / 1e6
    return float(np.median(gaps)) if len(gaps) and np.median(gaps) > 0 else None


def _rates(found: Found) -> Html:
    whole = column(found.results, "latency_ms")
    told = percentiles(whole[np.isfinite(whole)])
    pairs = [
        ("median", f"{ms(told['p50'])} ms"),
        ("95 of 100 within", f"{ms(told['p95'])} ms"),
        ("slowest", f"{ms(told['max'])} ms"),
        ("results per second", number(frames_per_second(column(found.results, "delivered_ns")), 3)),
    ]
    if found.frames is not None and found.frames.num_rows > 1:
        pairs.append(("frames per second", number(frames_per_second(column(found.frames, "received_ns")), 3)))
    for value, words in budget_ms(found):
        within = float((whole <= value).mean())
        pairs.append(
            (
                f"within the {'deadline' if words.startswith('deadline') else 'frame interval'}",
                f"{100 * within:.0f} % of results",
            )
        )
    return facts(pairs)


def _over_time(found: Found, at: Array, whole: Array) -> Html:
    budget = budget_ms(found)
    x, y = Axis.over(at), Axis.over(whole, [value for value, _ in budget], log=True)
    plot = Plot(x, y, 200)
    levels = [plot.level(value, words) for value, words in budget]
    if len(at) <= FEW:
        marks, entries = [plot.dots(at, whole, "dot s0")], [("s0", "a result")]
    else:
        middles, values = bins(at, whole, x)
        low, middle, high = (np.array([np.percentile(each, p) for each in values]) for p in (5, 50, 95))
        worst = np.array([each.max() for each in values])
        marks = [
            plot.band(middles, low, high, "s0"),
            plot.line(middles, middle, "s0"),
            plot.dots(middles, worst, "dot s1", 1.6),
        ]
        entries = [("band s0", "from the 5th to the 95th percentile"), ("s0", "median"), ("s1", "slowest")]
    words = "Time from the receipt of a frame to its result, in milliseconds, on a logarithmic axis."
    drawn = plot.svg("Latency over time", "ms", levels, marks)
    return figure(words + _sampled(len(at), FEW), drawn, legend(entries))


def _sampled(count: int, most: int) -> str:
    return f" {count:,} results, taken together by the part of the time that they lie in." if count > most else ""


def _steps(found: Found) -> Html:
    results = found.results
    rows: dict[str, tuple[str, Array]] = {}
    for name, words in STEPS.items():
        rows[name] = (words, column(results, f"{name}_ms"))
    for names in _together(found):
        rows["+".join(names)] = ("one graph" if len(names) > 1 else "", column(results, f"stage {names[0]}_ms"))
    rows["whole way"] = ("", column(results, "latency_ms"))
    kept = {name: (words, times[np.isfinite(times)]) for name, (words, times) in rows.items()}
    total = sum(float(times.sum()) for name, (_, times) in kept.items() if name != "whole way")
    told = []
    for name, (words, times) in kept.items():
        if len(times):
            summary: Mapping[str, float] = percentiles(times)
            part = "" if name == "whole way" else share(float(times.sum()), total)
            told.append([name, words, *(ms(summary[each]) for each in ("p50", "p95", "p99", "max")), part])
    head = ["step", "what it is", "p50", "p95", "p99", "max", "share"]
    return table("Latency by step, ms", head, told, range(2, 7))


def _together(found: Found) -> list[list[str]]:
    """Stages by the graph that they ran in: those of one graph have its whole time each."""
    graphs: dict[str, list[str]] = {}
    for stage in found.about.stages if found.about else ():
        graphs.setdefault(stage.graph_sha256 or stage.name, []).append(stage.name)
    return list(graphs.values())


def _rate_chart(found: Found) -> Html:
    """Frames and results per second over the run."""
    frames, results = (
        found.seconds(column(each, name))
        for each, name in ((found.frames, "received_ns"), (found.results, "delivered_ns"))
    )
    if len(frames) < 20 or not len(results):
        return Html("")
    x = Axis.over(frames, results)
    count = int(np.clip(len(frames) // 8, 8, 120))
    edges = np.linspace(x.low, x.high, count + 1)
    wide = edges[1] - edges[0]
    of_frames, of_results = (np.histogram(each, edges)[0] / wide for each in (frames, results))
    y = Axis.over(of_frames, of_results, zero=True)
    plot, middles = Plot(x, y, 110), (edges[:-1] + edges[1:]) / 2
    drawn = plot.svg(
        "Frames and results per second",
        "per second",
        plot.line(middles, of_frames, "s3"),
        plot.line(middles, of_results, "s0"),
    )
    return figure(
        "Rates: raw frames that were recorded, and results.", drawn, legend([("s3", "frames"), ("s0", "results")])
    )
