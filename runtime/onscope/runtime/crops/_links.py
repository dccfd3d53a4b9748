"""From masks of where objects have gone to links: what a pairwise network's answers mean.

As in DeLTA (J.-B. Lugagne, H. Lin, M. J. Dunlop, PLOS Computational Biology 16, e1007673 (2020); O. M. O'Connor et al.,
PLOS Computational Biology 18, e1009797 (2022)), whose numbers these are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels

HIT = 0.05
"""What a pixel of a mask must be above to count."""
LEAST_SCORE = 0.2
"""Share of an object's pixels that a mask must hit for a link."""
DAUGHTERS = 2
"""Objects that one may go on as."""

MOST_GAP = 10_000
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Rows of the objects before and now that may belong together, and their scores in 0 to 1; one entry per pair."""

    before: Rows
    now: Rows
    score: npt.NDArray[np.float64]


def check_links(gap: int, least_score: float) -> None:
    """Raise PipelineError for frames lost between two and a score that cannot be."""
    whole = isinstance(gap, int) and not isinstance(gap, bool)
    if not whole or not 0 <= gap <= MOST_GAP or not 0 < least_score <= 1:
        raise PipelineError(
            f"found a gap of {gap} frames and a least score of {least_score}, expected 0 to {MOST_GAP}, and a share "
            "above 0 of at most 1"
        )


def scored(masks: Pixels, rows: npt.NDArray[np.integer], areas: npt.NDArray[np.integer], first: int = 0) -> Links:
    """Which objects the masks hit, and which share of each.

    `masks` (n, y, x) say where n objects before have gone, as numbers in 0 to 1; `rows` (n, y, x) whose the pixels
    there are now (-1: nobody's), and `areas` (objects now,) their pixels in the whole frame. `first` is the row of the
    first of the n.
    """
    count = len(areas)
    hit = (masks > HIT) & (rows >= 0)
    of = np.broadcast_to(np.arange(len(masks))[:, np.newaxis, np.newaxis], masks.shape)
    hits = np.bincount(of[hit] * count + rows[hit], minlength=len(masks) * count)
    pairs = np.flatnonzero(hits)
    before, now = np.divmod(pairs, max(count, 1))
    return Links(before + first, now, hits[pairs] / areas[now])


def chosen(links: Links, least: float = LEAST_SCORE) -> Links:
    """The links that are made: each object now goes to the best of those before to which it is one of the two best.

    None below `least`; of equal scores the first row goes first.
    """
    best = np.lexsort((links.now, -links.score, links.before))
    rank = _rank(links.before[best])
    kept = best[(rank < DAUGHTERS) & (links.score[best] >= least)]
    order = kept[np.lexsort((links.before[kept], -links.score[kept], links.now[kept]))]
    order = order[_rank(links.now[order]) == 0]
    return Links(links.before[order], links.now[order], links.score[order])


def joined(parts: list[Links]) -> Links:
    """All of them in one."""
    none = np.zeros(0, np.intp)
    return Links(
        np.concatenate([none, *(part.before for part in parts)]),
        np.concatenate([none, *(part.now for part in parts)]),
        np.concatenate([np.zeros(0), *(part.score for part in parts)]),
    )


def _rank(groups: Rows) -> Rows:
    """Place (0, 1, ...) of each entry within its run of equal ones."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    lengths = np.diff(np.append(starts, len(groups)))
    return np.arange(len(groups)) - np.repeat(starts, lengths)
