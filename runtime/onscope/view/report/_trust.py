"""How far the restored images can be believed: values over time, what is usual, and stretches that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from onscope.runtime import OnscopeError
from onscope.runtime.package import Package
from onscope.runtime.trust import SUSPICION, VALUES, Limits

from ._found import Found, column
from ._html import Html, join, note, section, table, tag
from ._svg import Axis, Plot, bins, figure
from ._words import number

FEW = 400
MOST_CHARTS = 3
NEAR = 2
"""Results that are not suspect between two that are, within one stretch."""
MEANINGS = {
    "bias": "what was taken away has another mean than noise",
    "whiteness y": "what was taken away has structure along y",
    "whiteness x": "what was taken away has structure along x",
    "removed": "how much was taken away, in units of the noise",
    "rse": "error at the resolution of the raw frame",
    "rsp": "correlation with the raw frame",
    "distance": "how unlike the frame is to those that the package knows",
    "disagreement": "how much the network's own answers differ",
}

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Values:
    """The values of one stage by name; `at` in seconds and `seq` of their frames."""

    at: Array
    seq: Array
    of: Mapping[str, Array]


@dataclass(frozen=True)
class Stretch:
    """Results in a row that are suspect: rows `first` to `last` of the values, and which numbers were outside."""

    first: int
    last: int
    worst: float
    suspect: int


def trust(found: Found) -> Html:
    """The section; empty where no stage has such values."""
    told = [_stage(found, name, values) for name, values in _values(found).items()]
    if not told:
        return Html("")
    words = "Numbers that say how far to believe a restored image. Suspicion is the worst of them in units of what is "
    words += "usual for the package: above 1 it is beyond the limit. An image that is not suspect can still be wrong."
    return section("trust", "Trust", note(words), told)


def _values(found: Found) -> dict[str, Values]:
    if found.values is None or not found.values.num_rows:
        return {}
    mine = found.values.filter(pc.equal(found.values["kind"], "trust"))
    received = _received(found)
    told = {}
    for stage in mine["stage"].unique().to_pylist():
        rows = mine.filter(pc.equal(mine["stage"], stage))
        whos = list(zip(*(rows[name].to_pylist() for name in ("run", "camera", "segment", "seq")), strict=True))
        order = {who: at for at, who in enumerate(dict.fromkeys(whos))}
        which = np.array([order[who] for who in whos], int)
        names, values = np.array(rows["name"].to_pylist(), object), column(rows, "value")
        of = {}
        for name in [*VALUES, SUSPICION]:
            if (chosen := names == name).any():
                of[name] = np.full(len(order), np.nan)
                of[name][which[chosen]] = values[chosen]
        at = found.seconds([received.get(who, np.nan) for who in order])
        if not np.isfinite(at).any():
            at = np.arange(len(order), dtype=float)
        told[str(stage)] = Values(at, np.array([who[3] for who in order], float), of)
    return told


def _received(found: Found) -> dict[tuple[object, ...], float]:
    if found.results is None:
        return {}
    whos = zip(*(found.results[name].to_pylist() for name in ("run", "camera", "segment", "seq")), strict=True)
    return dict(zip(whos, column(found.results, "received_ns").tolist(), strict=True))


def _stage(found: Found, name: str, values: Values) -> Html:
    limits = _limits(found, name)
    suspicion = values.of.get(SUSPICION)
    head = tag("h3", name)
    if suspicion is None:
        return join(
            head, note("Its package tells no limits: what is usual for it is not known."), _numbers(values, limits)
        )
    stretches = list(_stretches(suspicion))
    suspect, of = int((suspicion > 1).sum()), int(np.isfinite(suspicion).sum())
    plot = Plot(Axis.over(values.at), Axis.over(np.minimum(suspicion, 8), [1.15], zero=True), 130)
    marks = [plot.stretch(float(values.at[each.first]), float(values.at[each.last]), "stretch") for each in stretches]
    told = "none" if not suspect else f"{suspect:,}"
    words = f"{name}: {told} of {of:,} results {'is' if suspect == 1 else 'are'} suspect."
    words += " Shaded: stretches of results that are." if stretches else ""
    drawn = plot.svg(
        f"Suspicion of {name} over time",
        "suspicion",
        marks,
        _points(plot, values.at, suspicion),
        plot.level(1, "limit", "limit bad"),
    )
    charts = list(_charts(values, limits))
    return join(head, figure(words, drawn), _stretch_table(values, stretches, limits), charts, _numbers(values, limits))


def _points(plot: Plot, at: Array, values: Array) -> Html:
    if len(at) <= FEW:
        return join(
            plot.dots(at[values <= 1], values[values <= 1], "dot s0"),
            plot.dots(at[values > 1], values[values > 1], "dot bad"),
        )
    middles, parts = bins(at, values, plot.x)
    low, middle, high = (np.array([np.percentile(each, p) for each in parts]) for p in (5, 50, 100))
    return join(
        plot.band(middles, low, high, "s0"),
        plot.line(middles, middle, "s0"),
        plot.dots(middles[high > 1], high[high > 1], "dot bad", 2),
    )


def _stretches(suspicion: Array) -> Iterator[Stretch]:
    at = np.flatnonzero(suspicion > 1)
    for part in np.split(at, np.flatnonzero(np.diff(at) > NEAR + 1) + 1) if len(at) else []:
        yield Stretch(int(part[0]), int(part[-1]), float(suspicion[part].max()), len(part))


def _charts(values: Values, limits: Mapping[str, Limits]) -> Iterator[Html]:
    """The values that were beyond their limits, over time between these: the worst ones."""
    worst = {}
    for name, all_of in values.of.items():
        if name in limits:
            worst[name] = max(
                (limits[name].excess(value) for value in all_of[np.isfinite(all_of)].tolist()), default=0.0
            )
    for name in sorted((each for each in worst if worst[each] > 1), key=lambda each: -worst[each])[:MOST_CHARTS]:
        usual = limits[name]
        ends = [each for each in (usual.low, usual.high) if each is not None]
        plot = Plot(Axis.over(values.at), Axis.over(values.of[name], ends), 100)
        lines = [
            plot.level(end, f"usual {'from' if end == usual.low else 'up to'} {number(end, 3)}", "limit bad")
            for end in ends
        ]
        known = values.of[name]
        if len(known) <= FEW:
            marks = plot.dots(values.at, known, "dot s0")
        else:
            middles, parts = bins(values.at, known, plot.x)
            marks = plot.band(middles, [each.min() for each in parts], [each.max() for each in parts], "s0")
        words = f"{name}: {MEANINGS.get(name, 'one of its numbers')}. It was beyond what is usual for the package."
        yield figure(words, plot.svg(f"{name} over time", name, lines, marks))


def _stretch_table(values: Values, stretches: list[Stretch], limits: Mapping[str, Limits]) -> Html:
    if not stretches:
        return Html("")
    rows = []
    for each in stretches:
        part = slice(each.first, each.last + 1)
        outside = [
            name
            for name in values.of
            if name in limits and any(limits[name].excess(value) > 1 for value in values.of[name][part].tolist())
        ]
        ends = dict.fromkeys((f"{values.seq[each.first]:.0f}", f"{values.seq[each.last]:.0f}"))
        rows.append(
            [
                " to ".join(ends),
                f"{number(float(values.at[each.first]), 3)} s",
                f"{each.suspect:,}",
                number(each.worst, 3),
                ", ".join(outside) or "not known here",
            ]
        )
    return table(
        "Suspect stretches", ["frames", "from", "suspect", "worst", "beyond their limits"], rows, (1, 2, 3), most=20
    )


def _numbers(values: Values, limits: Mapping[str, Limits]) -> Html:
    rows = []
    for name, all_of in values.of.items():
        known = all_of[np.isfinite(all_of)]
        if name != SUSPICION and len(known):
            low, middle, high = np.percentile(known, (5, 50, 95)).tolist()
            usual = limits.get(name)
            outside = "-" if usual is None else f"{sum(usual.excess(value) > 1 for value in known.tolist()):,}"
            rows.append(
                [
                    name,
                    MEANINGS.get(name, ""),
                    *(number(each, 3) for each in (low, middle, high)),
                    _usual(usual),
                    outside,
                ]
            )
    return table("Its numbers", ["value", "what it tells", "p5", "p50", "p95", "usual", "beyond"], rows, (2, 3, 4, 6))


def _usual(limits: Limits | None) -> str:
    if limits is None:
        return "not known here"
    if limits.low is None:
        return f"up to {number(limits.high, 3)}"
    return (
        f"from {number(limits.low, 3)}"
        if limits.high is None
        else f"{number(limits.low, 3)} to {number(limits.high, 3)}"
    )


def _limits(found: Found, stage: str) -> Mapping[str, Limits]:
    """Those of the stage's package, where it is found again, unchanged: where it was, or among the shipped ones."""
    package = found.about.package_of(stage) if found.about else None
    sha256 = next((each.package_sha256 for each in found.about.stages if each.name == stage), "") if found.about else ""
    for place in dict.fromkeys((package.origin, package.folder)) if package else ():
        if not place or place.startswith(("//", "\\")) or "\0" in place:  # never another computer's
            continue
        try:
            opened = Package.load(place)
        except (OnscopeError, OSError, ValueError):
            continue
        if opened.package_sha256 == sha256 and opened.trust is not None:
            return opened.trust.limits
    return {}
