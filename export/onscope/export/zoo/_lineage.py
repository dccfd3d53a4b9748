"""Tracks as graphs, and how far found ones are from the true ones.

TRA, DET and LNK are those of the Cell Tracking Challenge: 1 - AOGM / AOGM of an empty answer, for all, for the nodes
and for the edges (P. Matula et al., PLoS ONE 10, e0144959 (2015), whose weights these are). A division is hit where a
found one at most `TOLERANCE` frames away has the same mother and the same two daughters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
NON_SPLIT, MISSED, SPURIOUS = 5.0, 10.0, 1.0
EDGE_SPURIOUS, EDGE_MISSED, EDGE_MEANING = 1.0, 1.5, 1.0
TOLERANCE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """N objects: `frame` int (N,), `label` int (N,) in that frame's label image; `edges` int (M, 2): objects of which
    the second is the first one later, or one of its daughters (then the first has two such edges)."""

    frame: Array
    label: Array
    edges: Array

    @property
    def parental(self) -> npt.NDArray[np.bool_]:
        """Which edges lead to daughters (M,)."""
        starts = np.bincount(self.edges[:, 0], minlength=len(self.frame))
        return np.asarray(starts[self.edges[:, 0]] > 1)

    @property
    def track(self) -> Array:
        """A number for each unbroken way from object to object (N,); a division ends it."""
        before = np.arange(len(self.frame))
        plain = self.edges[~self.parental]
        before[plain[:, 1]] = plain[:, 0]
        order = np.argsort(self.frame, kind="stable")
        track = np.arange(len(self.frame))
        for one in order:
            track[one] = track[before[one]]
        return track


def of_tracks(frame: Array, label: Array, track: Array, parent: Array) -> Lineage:
    """From rows: those of one track follow each other, its first one the last one of its `parent` (0: none)."""
    order = np.lexsort((frame, track))
    same = track[order][1:] == track[order][:-1]
    follow = np.stack([order[:-1][same], order[1:][same]], axis=1)
    firsts = order[np.concatenate([[True], ~same])] if len(order) else order
    lasts = order[np.concatenate([~same, [True]])] if len(order) else order
    last_of = dict(zip(track[lasts].tolist(), lasts.tolist(), strict=True))
    born = [(last_of[int(parent[one])], one) for one in firsts.tolist() if int(parent[one]) in last_of]
    born = [pair for pair in born if frame[pair[0]] < frame[pair[1]]]
    return Lineage(frame, label, np.concatenate([follow, np.array(born, np.intp).reshape(-1, 2)]))


def covered(truth: Array, found: Array) -> dict[int, int]:
    """By true label the found one that covers more than half of its pixels, as the challenge matches them."""
    pairs, counts = np.unique(np.stack([truth[truth > 0], found[truth > 0]]), axis=1, return_counts=True)
    areas = np.bincount(truth.ravel())
    most = (counts > 0.5 * areas[pairs[0]]) & (pairs[1] > 0)
    return dict(zip(pairs[0][most].tolist(), pairs[1][most].tolist(), strict=True))


def matches(truth: Lineage, found: Lineage, covers: Sequence[dict[int, int]]) -> Array:
    """Of each true object the number of the found one (-1: none), by `covered` of every frame, numbered from 0."""
    known = {key: at for at, key in enumerate(zip(found.frame.tolist(), found.label.tolist(), strict=True))}
    names = zip(truth.frame.tolist(), truth.label.tolist(), strict=True)
    return np.array([known.get((frame, covers[frame].get(label, -1)), -1) for frame, label in names], np.intp)


def lineage_scores(truth: Lineage, found: Lineage, match: Array) -> dict[str, float]:
    """TRA, DET, LNK, division F1, and switches of identity per 1000 true links; NaN where there is nothing to find."""
    taken = np.bincount(match[match >= 0], minlength=len(found.frame))
    nodes = NON_SPLIT * np.maximum(taken - 1, 0).sum() + SPURIOUS * (taken == 0).sum() + MISSED * (match < 0).sum()
    sole = (match >= 0) & (taken[match] == 1 if len(taken) else False)
    back = np.full(len(found.frame), -1, np.intp)
    back[match[sole]] = np.flatnonzero(sole)
    true_edges = dict(zip(map(tuple, truth.edges.tolist()), truth.parental.tolist(), strict=True))
    inner = (back[found.edges] >= 0).all(axis=1) if len(found.edges) else np.zeros(0, bool)
    told = dict(zip(map(tuple, back[found.edges[inner]].tolist()), found.parental[inner].tolist(), strict=True))
    hits = [edge for edge in told if edge in true_edges]
    edges = EDGE_SPURIOUS * (len(told) - len(hits)) + EDGE_MISSED * (len(true_edges) - len(hits))
    edges += EDGE_MEANING * sum(told[edge] != true_edges[edge] for edge in hits)
    all_nodes, all_edges = MISSED * len(truth.frame), EDGE_MISSED * len(true_edges)
    links = int((~truth.parental).sum())
    return {
        "TRA": _share(nodes + edges, all_nodes + all_edges),
        "DET": _share(nodes, all_nodes),
        "LNK": _share(edges, all_edges),
        "division F1": division_f1(truth, found, match),
        "switches per 1000": 1000 * switches(truth, found, match) / links if links else float("nan"),
    }


def switches(truth: Lineage, found: Lineage, match: Array) -> int:
    """How often the found track of a true one is another than that it had when it was found last (K. Bernardin,
    R. Stiefelhagen, EURASIP J. Image Video Process. 2008, 246309)."""
    order = np.lexsort((truth.frame, truth.track))
    order = order[match[order] >= 0]
    owner, told = truth.track[order], found.track[match[order]]
    return int(((owner[1:] == owner[:-1]) & (told[1:] != told[:-1])).sum())


def division_f1(truth: Lineage, found: Lineage, match: Array) -> float:
    """2 hits / (true + found divisions); NaN without any."""
    true, told = _Divisions(truth), _Divisions(found)
    both = len(true.daughters) + len(told.daughters)
    if not both:
        return float("nan")
    free, hits = set(told.daughters), 0
    for mother in sorted(true.daughters):
        near = [one for one in free if abs(int(found.frame[one]) - int(truth.frame[mother])) <= TOLERANCE]
        near.sort(key=lambda one: (abs(int(found.frame[one]) - int(truth.frame[mother])), one))
        same = next((one for one in near if _same(true, mother, told, one, match)), None)
        if same is not None:
            free.remove(same)
            hits += 1
    return 2 * hits / both


class _Divisions:
    """Mothers with their daughters, and the way from object to object."""

    def __init__(self, lineage: Lineage) -> None:
        self.frame = lineage.frame
        self.daughters: dict[int, list[int]] = {}
        for mother, daughter in lineage.edges[lineage.parental].tolist():
            self.daughters.setdefault(mother, []).append(daughter)
        self._next = dict(lineage.edges[~lineage.parental].tolist())
        self._before = {second: first for first, second in lineage.edges.tolist()}

    def at(self, one: int | None, frame: int) -> int | None:
        """The object that this one is, or comes from, in a frame; None where it is not seen, or divided before."""
        while one is not None and self.frame[one] < frame:
            one = self._next.get(one)
        while one is not None and self.frame[one] > frame:
            one = self._before.get(one)
        return one if one is not None and self.frame[one] == frame else None


def _same(true: _Divisions, mother: int, told: _Divisions, other: int, match: Array) -> bool:
    early = min(int(true.frame[mother]), int(told.frame[other]))
    before = true.at(mother, early)
    if before is None or told.at(other, early) is None or match[before] != told.at(other, early):
        return False
    # The daughters where both have them: seen or not seen in the frame right after, the later division's counts.
    late = max(int(true.frame[mother]), int(told.frame[other])) + 1
    wanted = {match[one] for each in true.daughters[mother] if (one := true.at(each, late)) is not None}
    seen = {told.at(each, late) for each in told.daughters[other]}
    return len(wanted) == 2 and wanted == seen


def _share(errors: float, all_errors: float) -> float:
    return float(1 - min(errors, all_errors) / all_errors) if all_errors else float("nan")
