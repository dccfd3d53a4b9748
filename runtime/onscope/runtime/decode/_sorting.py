"""Sort the samples of each pixel: whole planes are compared at once, by a network that is the same for all pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


def sort_planes(planes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """`planes` (n, ...) sorted along their first axis, float32; what np.sort(axis=0) gives, in a part of its time.

    Values of one pixel lie far from each other in memory, which sorts of single pixels jump between; here every step
    walks over two planes. NaN in a pixel makes all its values NaN.
    """
    made = np.array(planes, np.float32, order="C")
    lower = np.empty(made.shape[1:], np.float32)
    for first, second in comparators(len(made)):
        np.minimum(made[first], made[second], out=lower)
        np.maximum(made[first], made[second], out=made[second])
        made[first] = lower
    return made


def comparators(count: int) -> Iterator[tuple[int, int]]:
    """Pairs (low, high) of places to be put in order, one after the other, that sort any `count` values.

    Batcher's merge exchange (D. E. Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M): about
    count * log2(count)^2 / 4 pairs.
    """
    power = max(1, (count - 1).bit_length())
    step = 1 << (power - 1)
    while step > 0:
        top, rest, distance = 1 << (power - 1), 0, step
        while True:
            yield from ((at, at + distance) for at in range(count - distance) if at & step == rest)
            if top == step:
                break
            distance, top, rest = top - step, top >> 1, step
        step >>= 1
