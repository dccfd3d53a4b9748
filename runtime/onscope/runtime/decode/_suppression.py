"""Greedy non-maximum suppression of boxes: exactly what going through them one by one gives, for many at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
CHUNKS = 256, 2048
"""Boxes that are looked at together: few at first, for the best ones often do away with most of the others; then as
many as have pairs that fit into memory."""


def kept_boxes(boxes: Boxes, classes: Places, overlap: float, most: int) -> Places:
    """The numbers of the boxes that are kept, in their order; at most `most`.

    `boxes` (n, 4) are y0, x0, y1, x1, the best first. A box goes when a kept one before it of the same class shares
    more than `overlap` of the area that both cover (intersection over union).
    """
    kept = np.zeros(0, np.intp)
    start, (size, largest) = 0, CHUNKS
    while start < len(boxes) and len(kept) < most:
        chunk = np.arange(start, min(start + size, len(boxes)))
        start, size = start + size, min(2 * size, largest)
        _, gone = overlapping(boxes, classes, kept, chunk, overlap)
        chunk = np.setdiff1d(chunk, gone)
        first, second = overlapping(boxes, classes, chunk, chunk, overlap)
        before = first < second
        better, worse = (np.searchsorted(chunk, each[before]) for each in (first, second))
        kept = np.concatenate([kept, chunk[independent(better, worse, len(chunk))]])
    return kept[:most]


def independent(better: Places, worse: Places, count: int) -> npt.NDArray[np.bool_]:
    """Which of `count` things are kept (n,), when each goes that has a kept one before it among its rivals.

    `better` and `worse` (pairs,) are the numbers of rivals, better < worse.
    """
    kept, gone = np.zeros(count, bool), np.zeros(count, bool)
    while True:
        # Nobody better is left to decide about these.
        waiting = np.zeros(count, bool)
        waiting[worse] = True
        kept |= ~waiting & ~gone
        gone[worse[kept[better]]] = True
        left = ~gone[better] & ~gone[worse] & ~kept[better]
        if not left.any():
            return ~gone
        better, worse = better[left], worse[left]


def overlapping(boxes: Boxes, classes: Places, these: Places, others: Places, overlap: float) -> tuple[Places, Places]:
    """Pairs of one of `these` and one of `others`, numbers of boxes of the same class, that share so much."""
    # Sorted by where they begin along x: those that may meet one follow each other.
    others = others[np.argsort(boxes[others, 1], kind="stable")]
    starts = boxes[others, 1]
    widest = float((boxes[others, 3] - starts).max(initial=0))
    low = np.searchsorted(starts, boxes[these, 1] - widest, side="left")
    high = np.searchsorted(starts, boxes[these, 3], side="right")
    counts = high - low
    first = np.repeat(these, counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    second = others[np.repeat(low, counts) + within]
    near = (
        (classes[first] == classes[second])
        & (boxes[first, 0] < boxes[second, 2])
        & (boxes[second, 0] < boxes[first, 2])
    )
    first, second = first[near], second[near]
    a, b = boxes[first], boxes[second]
    shared = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0).prod(1)
    areas = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1)
    much = shared > overlap * (areas - shared)
    return first[much], second[much]
