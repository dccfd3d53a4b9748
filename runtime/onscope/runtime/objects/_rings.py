"""Outlines of labels as closed rings of pixel corners, all objects at once.

Each side of a pixel that faces another label is an edge from corner to corner, with its object to the right when the
image's first row is on top. Where two pixels of an object meet in a corner only, its outline turns right, so that they
are two parts. The edges' order within a ring is found by pointer jumping (Wyllie's list ranking: Hillis and Steele,
Data Parallel Algorithms, Communications of the ACM 29, 1986, https://doi.org/10.1145/7902.7903).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._runs import Integers, Runs

RIGHT, DOWN, LEFT, UP = range(4)
"""Directions of edges; turning right is one more."""


@dataclass(frozen=True)
class Rings:
    """Rings one after the other: corner `y` and `x` (n,), each the upper left one of the pixel with these numbers.

    `way` (n,) is the direction in which the outline leaves the corner. `first` (m,) is where each ring begins, `object`
    (m,) the number of the object that it belongs to (its place in `Runs.labels`).
    """

    y: Integers
    x: Integers
    way: Integers
    first: npt.NDArray[np.intp]
    object: Integers

    @property
    def areas(self) -> npt.NDArray[np.float64]:
        """Pixels inside of each ring; below 0 for the rim of a hole."""
        if not len(self.first):
            return np.zeros(0)
        below = self.x * np.where(self.way == DOWN, 1, np.where(self.way == UP, -1, 0))  # Green's theorem
        return np.asarray(np.add.reduceat(below, self.first), np.float64)


def rings(runs: Runs, labels: npt.NDArray[Any]) -> Rings:
    """The rings of all objects of a label image, by object; edges of one pixel each."""
    owner, y, x, way = _edges(runs, labels)
    across, size = runs.shape[1] + 1, (runs.shape[0] + 1) * (runs.shape[1] + 1)
    key = (owner * size + y * across + x) * 4 + way
    order = np.argsort(key)
    key, owner, y, x, way = (each[order] for each in (key, owner, y, x, way))
    ahead = np.array([1, across, -1, -across])[way]
    there = (key // 4 + ahead) * 4
    turned = there + (way + 1) % 4
    after = np.minimum(np.searchsorted(key, turned), max(len(key) - 1, 0))
    other = key[after] != turned  # nothing to the right: the one edge that leaves the corner
    after[other] = np.searchsorted(key, there[other])
    leader = _leaders(after)
    ordered = np.lexsort((_steps_before(after, leader), leader))
    first = np.flatnonzero(np.diff(leader[ordered], prepend=-1))
    return Rings(y[ordered], x[ordered], way[ordered], first, owner[ordered][first])


def _edges(runs: Runs, labels: npt.NDArray[Any]) -> tuple[Integers, Integers, Integers, Integers]:
    """All edges: the number of the object, the corner (y, x) that each begins at, its direction."""
    height, width = runs.shape
    numbers = np.zeros((height + 2, width), np.int64)  # of the objects from 1, with an empty row on either side
    numbers[1:-1][labels != 0] = np.repeat(runs.objects + 1, runs.lengths)
    y, x = np.nonzero(numbers[1:] != numbers[:-1])
    above, below = numbers[y, x], numbers[y + 1, x]
    top, bottom = below > 0, above > 0
    parts = [
        (below[top] - 1, y[top], x[top], RIGHT),
        (runs.objects, runs.y, runs.x1, DOWN),
        (above[bottom] - 1, y[bottom], x[bottom] + 1, LEFT),
        (runs.objects, runs.y + 1, runs.x0, UP),
    ]
    ways = np.repeat(np.arange(4), [len(each[0]) for each in parts])
    owner, y, x = (np.concatenate([np.asarray(each[at]) for each in parts]) for at in range(3))
    return owner, y, x, ways


def _leaders(after: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The smallest edge of the ring of each edge; `after` (n,) is the next edge in the ring."""
    leader, hop = np.arange(len(after)), after
    while True:
        smaller = np.minimum(leader, leader[hop])
        if np.array_equal(smaller, leader):
            return leader
        leader, hop = smaller, hop[hop]


def _steps_before(after: npt.NDArray[np.intp], leader: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """How far along its ring each edge is, counted from the ring's end: below 0, rising."""
    own = np.arange(len(after))
    hop: npt.NDArray[np.intp] = np.where(after == leader, own, after)
    steps: npt.NDArray[np.intp] = (hop != own).astype(np.intp)
    while True:
        further = hop[hop]
        if np.array_equal(further, hop):
            return -steps
        steps, hop = steps + steps[hop], further
