"""Tracks: nuclei-cells and the online tracker against nearest neighbours, and against laptrack offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from onscope.export.zoo._lineage import Lineage, covered, lineage_scores, matches, of_tracks
from onscope.export.zoo.recipes import Part
from onscope.runtime.objects import measure
from onscope.runtime.track import Tracker, TrackSettings

from .._rows import Row
from ._instances import PACKAGE
from ._live import Live
from ._movies import MOVIES, Movie, movie
from ._plan import Plan
from ._scores import beside

Array = npt.NDArray[Any]
Tell = Callable[[str], object]
Tables = Sequence[Array]
"""A structured array of objects for each frame."""
WORDS = {"nearest": "nearest neighbours", "laptrack": "laptrack, offline"}
FAR_UM = {"dividing-cells": 6.0, "wound": 10.0}
"""How far nuclei go from frame to frame at most: of several, that at which either way finds most in specimens of the
validation part."""
GAP = 1


@dataclass(frozen=True, slots=True)
class Way:
    """How objects are linked: tables of the frames, and the largest distance in pixels."""

    name: str
    link: Callable[[Tables, float], Lineage]


def tracks(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Rows by scenario, for nuclei as the truth has them and as the network finds them: ours over nearest neighbours,
    and over laptrack where it is installed."""
    find = Live(PACKAGE)
    ways = [Way("onscope", online), Way("nearest", nearest)]
    if laptrack_link is not None:
        ways.append(Way("laptrack", laptrack_link))
    for kind in (kind for kind in MOVIES if plan.kinds is None or kind in plan.kinds):
        scores: dict[tuple[str, str], list[dict[str, float]]] = {}
        objects = 0
        for number in range(plan.seeds):
            tell(f"tracks: {kind}, seed {number + 1} of {plan.seeds}, {plan.frames} frames")
            seen = movie(kind, Part.HELD_OUT, number, plan.frames, plan.side)
            objects += len(seen.lineage.frame)
            for source, labels in (("truth", list(seen.labels)), ("network", [find(frame) for frame in seen.frames])):
                for name, one in scored(seen, labels, FAR_UM[kind] / seen.pixel_um, ways).items():
                    scores.setdefault((source, name), []).append(one)
        for source, words in (("truth", "true nuclei"), ("network", "nuclei found by nuclei-cells")):
            for way in ways[1:]:
                what = f"tracks of {kind}, {words}, {plan.seeds} seeds, {objects} nuclei"
                ours, theirs = scores[source, "onscope"], scores[source, way.name]
                held, about = way.name == "nearest", {"source": source}
                yield beside(what, ours, theirs, WORDS[way.name], "TRA", about, promised=held, digits=4)


def scored(seen: Movie, labels: Sequence[Array], far_px: float, ways: Sequence[Way]) -> dict[str, dict[str, float]]:
    """The scores of each way of linking the objects of label images, one per frame of the movie."""
    tables = [measure(image, {}, seen.pixel_um) for image in labels]
    covers = [covered(true, found) for true, found in zip(seen.labels, labels, strict=True)]
    found = {way.name: way.link(tables, far_px) for way in ways}
    return {name: lineage_scores(seen.lineage, one, matches(seen.lineage, one, covers)) for name, one in found.items()}


def online(tables: Tables, far_px: float) -> Lineage:
    """The tracker, frame by frame."""
    tracker = Tracker(TrackSettings(max_distance=far_px, gap=GAP, divisions=True))
    rows = [tracker.update(number, table) for number, table in enumerate(tables)]
    return _lineage(tables, [one["track"] for one in rows], [one["parent"] for one in rows])


def nearest(tables: Tables, far_px: float) -> Lineage:
    """Nearest neighbours: of all pairs of two frames within reach the nearest first, each object once. Neither gaps nor
    divisions."""
    numbers: list[Array] = []
    fresh = 1
    for at, table in enumerate(tables):
        own = np.zeros(len(table), np.int64)
        if at:
            for one, other in _greedy(_places(tables[at - 1]), _places(table), far_px):
                own[other] = numbers[-1][one]
        new = own == 0
        own[new] = fresh + np.arange(new.sum())
        fresh += int(new.sum())
        numbers.append(own)
    return _lineage(tables, numbers, [np.zeros_like(own) for own in numbers])


def _laptrack() -> Callable[[Tables, float], Lineage] | None:
    try:
        from laptrack import LapTrack
    except ImportError:
        return None
    return partial(_offline, LapTrack)


def _offline(make: Callable[..., Any], tables: Tables, far_px: float) -> Lineage:
    """Laptrack with all frames at hand, at the same distances: links, then gaps and divisions."""
    reach = (1.5 * far_px) ** 2
    linker = make(
        cutoff=far_px**2,
        gap_closing_cutoff=(far_px * np.sqrt(GAP + 1)) ** 2,
        gap_closing_max_frame_count=GAP,
        splitting_cutoff=reach,
    )
    tree = linker.predict([_places(table) for table in tables])
    start = np.concatenate([[0], np.cumsum([len(table) for table in tables])])
    edges = [(int(start[a] + one), int(start[b] + other)) for (a, one), (b, other) in tree.edges]
    whole = _lineage(tables, [np.arange(len(table)) for table in tables], [np.zeros(len(table)) for table in tables])
    return Lineage(whole.frame, whole.label, np.array(edges, np.intp).reshape(-1, 2))


laptrack_link = _laptrack()


def _greedy(before: Array, after: Array, far_px: float) -> Iterator[tuple[int, int]]:
    if not len(before) or not len(after):
        return
    pairs = cKDTree(before).sparse_distance_matrix(cKDTree(after), far_px, output_type="ndarray")
    taken_before, taken_after = set(), set()
    for pair in np.sort(pairs, order=["v", "i", "j"]):
        one, other = int(pair["i"]), int(pair["j"])
        if one not in taken_before and other not in taken_after:
            taken_before.add(one)
            taken_after.add(other)
            yield one, other


def _places(table: Array) -> Array:
    return np.stack([table["y"], table["x"]], axis=1).astype(np.float64)


def _lineage(tables: Tables, numbers: Sequence[Array], parents: Sequence[Array]) -> Lineage:
    frame = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    label = np.concatenate([table["label"] for table in tables]).astype(np.int64)
    return of_tracks(frame, label, np.concatenate(numbers), np.concatenate(parents).astype(np.int64))
