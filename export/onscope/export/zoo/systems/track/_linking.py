"""Ways of linking objects without a network, and how well objects are linked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from onscope.runtime.track import Tracker, TrackSettings

from ..._lineage import Lineage, covered, lineage_scores, matches, of_tracks

Array = npt.NDArray[Any]
Tables = Sequence[Array]
LEAST_SHARE = 0.2
"""Of an object's pixels that must have been the other's."""
DISTANCES_PX = (5.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)


class Truth(Protocol):
    """A movie's labels int32 (t, y, x) and who became whom."""

    @property
    def labels(self) -> Array: ...

    @property
    def lineage(self) -> Lineage: ...


def scored(truth: Truth, labels: Sequence[Array], found: Lineage) -> dict[str, float]:
    """TRA and the like (`lineage_scores`), and links F1: pairs of objects of successive frames, matched by pixels."""
    covers = [covered(true, one) for true, one in zip(truth.labels, labels, strict=True)]
    match = matches(truth.lineage, found, covers)
    return {**lineage_scores(truth.lineage, found, match), "links F1": links_f1(truth.lineage, found, match)}


def links_f1(truth: Lineage, found: Lineage, match: Array) -> float:
    """2 hits / (true + found edges), where a hit joins what covers the true ones; NaN where there are none."""
    ends = match[truth.edges]
    wanted = set(map(tuple, ends[(ends >= 0).all(axis=1)].tolist()))
    hits = len(wanted & set(map(tuple, found.edges.tolist())))
    both = len(truth.edges) + len(found.edges)
    return 2 * hits / both if both else float("nan")


def told(tables: Tables, tracks: Tables) -> Lineage:
    """What tables of tracks (row for row those of the objects) say."""
    frame = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    label = np.concatenate([table["label"] for table in tables]).astype(np.int64)
    track, parent = (np.concatenate([one[name] for one in tracks]).astype(np.int64) for name in ("track", "parent"))
    first = np.unique(track, return_index=True)[1]  # a parent stands in a track's every row, and counts in its first
    return of_tracks(frame, label, track, np.where(np.isin(np.arange(len(track)), first), parent, 0))


def overlapping(tables: Tables, labels: Sequence[Array]) -> Lineage:
    """Each object goes to the one of the frame before that most of its pixels were; to one go the two best at most."""
    start = np.concatenate([[0], np.cumsum([len(table) for table in tables])])
    edges: list[tuple[int, int]] = []
    for time in range(1, len(tables)):
        shared = np.zeros((int(labels[time - 1].max()) + 1, int(labels[time].max()) + 1))
        np.add.at(shared, (labels[time - 1].ravel(), labels[time].ravel()), 1)
        before, now = tables[time - 1]["label"], tables[time]["label"]
        shares = shared[np.ix_(before, now)] / np.maximum(shared.sum(axis=0)[now], 1)
        for origin in range(len(before)):
            mine = np.flatnonzero((shares.argmax(axis=0) == origin) & (shares.max(axis=0, initial=0) >= LEAST_SHARE))
            best = mine[np.argsort(-shares[origin, mine], kind="stable")[:2]]
            edges += [(int(start[time - 1]) + origin, int(start[time]) + int(one)) for one in best]
    frame = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    label = np.concatenate([table["label"] for table in tables]).astype(np.int64)
    return Lineage(frame, label, np.array(edges, np.intp).reshape(-1, 2))


def best_tracks(truth: Truth, labels: Sequence[Array], tables: Tables) -> dict[str, float]:
    """The scores of the runtime's tracker at the one of `DISTANCES_PX` with the best TRA."""
    found = []
    for far in DISTANCES_PX:
        tracker = Tracker(TrackSettings(max_distance=far, divisions=True))
        rows = [tracker.update(time, table) for time, table in enumerate(tables)]
        found.append(scored(truth, labels, told(tables, rows)))
    return max(found, key=lambda one: one["TRA"])
