"""What each index of a tensor reads of the frame along one axis: exact intervals, carried from node to node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Indices = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

NOTHING = -1
"""An index that reads nothing: a zero that an operator puts between pixels."""
FAR = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class Reach:
    """One axis of the frame along dimension `dim` of a tensor.

    Index i there depends on the frame's pixels `low[i]` to `high[i]` (both included; FAR and -1 where on none).
    `left[i]` says that nothing which an operator puts in beyond the frame's first pixel has a part in it, `right[i]`
    the same of the last one: indices where both hold are the same in a larger frame. `scale` is how many indices of
    the tensor one pixel of the frame makes; `period` is the smallest number of pixels that is a whole number of
    indices in this tensor and in all that it was made from.
    """

    dim: int
    low: Indices
    high: Indices
    left: Flags
    right: Flags
    scale: Fraction = Fraction(1)
    period: int = 1

    @property
    def size(self) -> int:
        return len(self.low)

    @property
    def margins(self) -> tuple[int, int]:
        """How many indices at each end have to do with what lies beyond the frame."""
        left, right = np.flatnonzero(~self.left), np.flatnonzero(~self.right)
        return (int(left[-1]) + 1 if left.size else 0, self.size - int(right[0]) if right.size else 0)

    @property
    def even(self) -> bool:
        """Whether one period further on the frame the same is read one period further on, as in a convolution."""
        step = int(self.scale * self.period)
        if step >= self.size:
            return True
        inner = self.left & self.right
        both = inner[step:] & inner[:-step]
        reads = both & (self.high[step:] >= 0) & (self.high[:-step] >= 0)
        bare = both & ((self.high[step:] < 0) != (self.high[:-step] < 0))
        moved_low, moved_high = self.low[step:] - self.low[:-step], self.high[step:] - self.high[:-step]
        return not bare.any() and bool(
            np.all(moved_low[reads] == self.period) & np.all(moved_high[reads] == self.period)
        )

    def at(self, dim: int) -> Reach:
        """The same along another dimension."""
        return replace(self, dim=dim)


def whole_axis(dim: int, size: int) -> Reach:
    """The frame itself: index i reads pixel i."""
    index = np.arange(size, dtype=np.int64)
    free = np.ones(size, np.bool_)
    return Reach(dim, index, index, free, free)


def read(reach: Reach, source: Indices, left: Flags, right: Flags, factor: Fraction = Fraction(1)) -> Reach:
    """What indices depend on of which number i reads the indices `source[i]` (m x k, NOTHING: none) of `reach`.

    `left[i]` and `right[i]` are true where it also reads beyond the first or the last one; `factor` is how many
    indices come of one.
    """
    scale = reach.scale * factor
    return Reach(
        reach.dim,
        np.append(reach.low, FAR)[source].min(1),
        np.append(reach.high, -1)[source].max(1),
        np.append(reach.left, True)[source].all(1) & ~left,
        np.append(reach.right, True)[source].all(1) & ~right,
        scale,
        lcm(reach.period, scale.denominator),
    )


def union(reaches: Sequence[Reach]) -> Reach:
    """What depends on all of these, which have the same dimension and size."""
    return Reach(
        reaches[0].dim,
        np.min([reach.low for reach in reaches], 0),
        np.max([reach.high for reach in reaches], 0),
        np.all([reach.left for reach in reaches], 0),
        np.all([reach.right for reach in reaches], 0),
        reaches[0].scale,
        lcm(*(reach.period for reach in reaches)),
    )


def joined(parts: Sequence[Reach | int], dim: int) -> Reach:
    """One after the other along the axis; what lies before and after the longest is put in beyond the frame's border.

    A number stands for so many indices that do not come from the frame.
    """
    main = _longest(parts)
    pieces: list[Reach] = []
    for place, part in enumerate(parts):
        size = part if isinstance(part, int) else part.size
        low, high = (np.full(size, FAR), np.full(size, -1)) if isinstance(part, int) else (part.low, part.high)
        inside = isinstance(part, Reach) and place == main
        left = part.left if isinstance(part, Reach) and inside else np.full(size, place > main)
        right = part.right if isinstance(part, Reach) and inside else np.full(size, place < main)
        pieces.append(Reach(dim, low, high, left, right))
    tracked = [part for part in parts if isinstance(part, Reach)]
    return Reach(
        dim,
        np.concatenate([piece.low for piece in pieces]),
        np.concatenate([piece.high for piece in pieces]),
        np.concatenate([piece.left for piece in pieces]),
        np.concatenate([piece.right for piece in pieces]),
        tracked[0].scale,
        lcm(*(part.period for part in tracked)),
    )


def beside_border(parts: Sequence[Reach | int]) -> bool:
    """Whether what is joined before the longest part comes from its first half, what is joined after from its last."""
    main = _longest(parts)
    longest = parts[main]
    assert isinstance(longest, Reach)
    middle = longest.size // 2
    for place, part in enumerate(parts):
        if place == main or isinstance(part, int):
            continue
        if place < main and part.high.max() > longest.high[middle]:
            return False
        if place > main and part.low.min() < longest.low[middle]:
            return False
    return True


def _longest(parts: Sequence[Reach | int]) -> int:
    return max(range(len(parts)), key=lambda place: part.size if isinstance(part := parts[place], Reach) else -1)


def reshaped(reach: Reach, shape: Sequence[int], to: Sequence[int]) -> Reach:
    """Along the dimension of `to` that tells most of the axis, after a reshape from `shape`; as many elements in both.

    Both shapes are of the smallest run of dimensions that the reshape mixes; `reach.dim` and the answer's count in it.
    """
    before, scale = np.ones(len(shape), np.int64), reach.scale * _product(shape[reach.dim + 1 :])
    before[reach.dim] = shape[reach.dim]

    def spread(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.broadcast_to(values.reshape(before), tuple(shape)).reshape(to)

    low, high = spread(reach.low), spread(reach.high)
    left, right = spread(reach.left.astype(np.int64)), spread(reach.right.astype(np.int64))
    best: Reach | None = None
    for dim in range(len(to)):
        others = tuple(other for other in range(len(to)) if other != dim)
        own = scale / _product(to[dim + 1 :])
        found = Reach(
            dim,
            low.min(others),
            high.max(others),
            left.min(others).astype(bool),
            right.min(others).astype(bool),
            own,
            lcm(reach.period, own.denominator),
        )
        if best is None or np.sum(found.high - found.low) / found.size < np.sum(best.high - best.low) / best.size:
            best = found
    assert best is not None
    return best


def _product(sizes: Sequence[int]) -> int:
    return int(np.prod(sizes, dtype=np.int64))
