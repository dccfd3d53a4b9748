"""Images on the grid of an acquisition's axes: their numbers, and those that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, permutations

import numpy as np

from onscope.runtime import SourceError

MOST = 50_000_000
"""Elements of a grid; more is no acquisition but a wrong number."""


def check_pick(pick: Mapping[str, int], sizes: Mapping[str, int], where: object) -> None:
    """Raise SourceError unless each axis picked from is there, and is as long."""
    for axis, place in pick.items():
        if not 0 <= place < sizes.get(axis, 0):
            raise SourceError(
                f"found the axes {dict(sizes)} in {where}, expected them to hold {axis}={place}: pick what is there"
            )


def check_size(sizes: Sequence[int], where: object) -> None:
    """Raise SourceError when there are more images than an acquisition takes."""
    count = 1
    for size in sizes:
        count *= size
    if not 0 < count <= MOST:
        raise SourceError(f"found {count} images in {where}, expected 1 to {MOST}: is the file whole?")


def places(sizes: Mapping[str, int], pick: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """The elements of a grid that are picked, the last axis first to change."""
    free = [1 if axis in pick else size for axis, size in sizes.items()]
    for number in np.ndindex(*free):
        yield {axis: pick.get(axis, place) for axis, place in zip(sizes, number, strict=True)}


def ranks(rows: Sequence[Mapping[str, int]]) -> list[int]:
    """The number of each image, given in the order they were taken: a jump where elements of their grid are missing.

    The grid is that of the values which each axis has anywhere, in the order of axes in which they were taken. Images
    that follow no such order, or do not all have the same axes, are counted: what is missing is not known then.
    """
    counted = list(range(len(rows)))
    axes = sorted(rows[0]) if rows else []
    if any(row.keys() != rows[0].keys() for row in rows) or len(axes) > 6:
        return counted
    values = {axis: {value: rank for rank, value in enumerate(sorted({row[axis] for row in rows}))} for axis in axes}
    for order in permutations(axes):
        found = []
        for row in rows:
            number = 0
            for axis in order:
                number = number * len(values[axis]) + values[axis][row[axis]]
            found.append(number)
        if all(earlier < later for earlier, later in pairwise(found)):
            return [number - found[0] for number in found]
    return counted
