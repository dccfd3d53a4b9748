"""Objects and tracks: how many there were over the run, and of which classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import OnscopeError
from onscope.runtime.record import read_table

from ._found import Found, column
from ._html import Html, facts, join, section, table, tag
from ._svg import Axis, Plot, bins, figure, legend, series
from ._words import number, share

FEW = 400
MOST_TABLES = 6
LISTED = ("score", "area", "area_um2", "eccentricity", "age")
"""Columns whose spread is told."""

Array = npt.NDArray[np.float64]


def objects(found: Found) -> Html:
    """The section; empty where no stage has objects."""
    told = []
    for name in _names(found)[:MOST_TABLES]:
        try:
            rows = read_table(found.folder, name)
        except OnscopeError:
            continue
        if {"run", "camera", "segment", "seq"} <= set(rows.column_names):
            told.append(_stage(found, name, rows))
    return section("objects", "Objects and tracks", told) if told else Html("")


def _names(found: Found) -> list[str]:
    if found.about is None:
        return []
    return [name for name in found.about.tables if name not in ("frames", "results", "values", "inputs")]


def _stage(found: Found, name: str, rows: Any) -> Html:
    at, counts, first = _per_frame(found, name, rows)
    pairs = [("rows", f"{rows.num_rows:,}")]
    if len(counts):
        pairs += [
            ("per frame, median", number(float(np.median(counts)))),
            ("from", f"{counts.min():.0f} to {counts.max():.0f}"),
        ]
    drawn = None
    if "class" in rows.column_names and len(at) > 1:
        drawn = _classes_over_time(name, rows, at, first)
    elif len(at) > 1:
        x, tracked = Axis.over(at), "track" in rows.column_names
        begun = _begun(rows, first) if tracked else np.zeros(0)
        plot = Plot(x, Axis.over(counts, zero=True), 110)
        if len(at) <= FEW:
            marks = [plot.line(at, counts, "s0"), plot.dots(at, counts, "dot s0", 2) if len(at) < 120 else None]
        else:
            middles, parts = bins(at, counts, x)
            marks = [plot.band(middles, [each.min() for each in parts], [each.max() for each in parts], "s0"),
                     plot.line(middles, [float(np.median(each)) for each in parts], "s0")]  # fmt: skip
        keys = [("s0", "tracks in the frame" if tracked else "objects in the frame")]
        if len(begun):
            marks.append(plot.dots(at[begun > 0], np.minimum(begun[begun > 0], plot.y.high), "dot s1", 2.4))
            keys.append(("s1", "tracks that began in it"))
        sampled = f", {len(at):,} results taken together by time" if len(at) > FEW else ""
        words = f"{name}: {'tracks' if tracked else 'objects'} in each result{sampled}."
        drawn = figure(words, plot.svg(f"{name} over time", "per frame", marks), legend(keys))
    if "track" in rows.column_names:
        pairs += _tracks(rows)
    return join(tag("h3", name), facts(pairs), drawn, _classes(name, rows), _spreads(name, rows))


def _per_frame(found: Found, name: str, rows: Any) -> tuple[Array, Array, dict[tuple[object, ...], int]]:
    """Seconds and number of objects of each result that the stage ran on, in their order; the place of each frame."""
    results = found.results
    if results is None:
        return np.zeros(0), np.zeros(0), {}
    whos = zip(*(results[each].to_pylist() for each in ("run", "camera", "segment", "seq")), strict=True)
    ran = column(results, f"stage {name}_ms")
    known = [who for at, who in enumerate(whos) if not len(ran) or np.isfinite(ran[at])]
    order: dict[tuple[object, ...], int] = {who: at for at, who in enumerate(known)}
    counts = np.zeros(len(order))
    for who in zip(*(rows[each].to_pylist() for each in ("run", "camera", "segment", "seq")), strict=True):
        if who in order:
            counts[order[who]] += 1
    times = column(results, "received_ns")
    times = times[np.isfinite(ran)] if len(ran) else times
    return found.seconds(times)[: len(order)], counts, order


def _begun(rows: Any, order: dict[tuple[object, ...], int]) -> Array:
    """How many tracks began in each result; those of the first are left out."""
    whos = list(zip(*(rows[each].to_pylist() for each in ("run", "camera", "segment", "seq")), strict=True))
    begun, seen = np.zeros(len(order)), set()
    for who, track in zip(whos, rows["track"].to_pylist(), strict=True):
        if track not in seen:
            seen.add(track)
            if order.get(who, 0):
                begun[order[who]] += 1
    return begun


def _tracks(rows: Any) -> list[tuple[str, str]]:
    track, parent = column(rows, "track"), column(rows, "parent")
    names, lengths = np.unique(track, return_counts=True)
    pairs = [
        ("tracks", f"{len(names):,}"),
        ("frames of a track, median", number(float(np.median(lengths))) if len(lengths) else "-"),
    ]
    if len(parent):
        divided = np.unique(parent[parent > 0])
        pairs.append(("divisions", f"{len(divided):,}"))
    return pairs


def _classes_over_time(name: str, rows: Any, at: Array, order: dict[tuple[object, ...], int]) -> Html:
    """A line per class: the most frequent ones."""
    whos = zip(*(rows[each].to_pylist() for each in ("run", "camera", "segment", "seq")), strict=True)
    where = np.array([order.get(who, -1) for who in whos])
    classes = column(rows, "class")
    values, counts = np.unique(classes[np.isfinite(classes)], return_counts=True)
    chosen = sorted(values[np.argsort(-counts)][:6].tolist())
    curves = {value: np.bincount(where[(classes == value) & (where >= 0)], minlength=len(at)) for value in chosen}
    x = Axis.over(at)
    plot = Plot(x, Axis.over(*curves.values(), zero=True), 150)
    marks = []
    for count, curve in enumerate(curves.values()):
        if len(at) > FEW:
            middles, parts = bins(at, curve, x)
            marks.append(plot.line(middles, [float(each.mean()) for each in parts], series(count)))
        else:
            marks.append(plot.line(at, curve, series(count)))
    names = _class_names(rows)
    keys = [(series(count), _class_name(names, value)) for count, value in enumerate(chosen)]
    sampled = f", {len(at):,} results taken together by time" if len(at) > FEW else ""
    drawn = plot.svg(f"Classes of {name} over time", "per frame", marks)
    return figure(f"{name}: objects of each class in each result{sampled}.", drawn, legend(keys))


def _class_names(rows: Any) -> list[str]:
    return [each.removeprefix("score_") for each in rows.column_names if each.startswith("score_")]


def _class_name(names: list[str], value: float) -> str:
    return names[int(value)] if 0 <= value < len(names) else f"class {value:g}"


def _classes(name: str, rows: Any) -> Html | None:
    if "class" not in rows.column_names or not rows.num_rows:
        return None
    names = _class_names(rows)
    values, counts = np.unique(column(rows, "class"), return_counts=True)
    told = [
        [_class_name(names, value), f"{count:,}", share(count, rows.num_rows)]
        for value, count in zip(values.tolist(), counts.tolist(), strict=True)
    ]
    return table(f"Classes of {name}", ["class", "objects", "share"], told, (1, 2), most=20)


def _spreads(name: str, rows: Any) -> Html | None:
    told = []
    for each in LISTED:
        values = column(rows, each)
        values = values[np.isfinite(values)]
        if len(values):
            told.append([each, *(number(float(value)) for value in np.percentile(values, (5, 50, 95)))])
    return table(f"Numbers of {name}", ["column", "p5", "p50", "p95"], told, (1, 2, 3)) if told else None
