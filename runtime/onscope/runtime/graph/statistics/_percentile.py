"""Where a percentile lies among sorted pixels, to the last bit as NumPy has it."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Method = Literal["linear", "inverted_cdf"]


class Position(NamedTuple):
    """Between the pixels of the ranks `below` and `above` (0: the smallest), `weight` of the way."""

    below: int
    above: int
    weight: float


def position(quantile: float, count: int, method: Method) -> Position:
    """Place of a quantile (0 to 1) among `count` sorted values, as in NumPy 2's `np.quantile`.

    `linear`: (count - 1) * quantile (Hyndman and Fan 1996, type 7); `inverted_cdf`: the smallest value at which the
    cumulated share reaches the quantile (type 1).
    """
    if method == "inverted_cdf":
        virtual = count * quantile - 1
        rank = min(max(math.ceil(virtual), 0), count - 1)
        return Position(rank, rank, 0.0)
    virtual = (count - 1) * quantile
    below = math.floor(virtual)
    if virtual >= count - 1:
        return Position(count - 1, count - 1, 0.0)
    return Position(below, below if virtual == below else below + 1, virtual - below)


def between(below: float, above: float, step: float, weight: float) -> float:
    """The value `weight` of the way from `below` to `above`, rounded as NumPy's linear interpolation.

    `step` is above - below in the dtype of the pixels, in which NumPy takes the difference.
    """
    return above - step * (1 - weight) if weight >= 0.5 else below + step * weight
