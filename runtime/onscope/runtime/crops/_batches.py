"""How objects are told off into batches of sizes that are known beforehand: nothing is built while acquiring."""

from __future__ import annotations

from collections.abc import Sequence

from ..package import AxisSize, TensorDescription

SIZES = (1, 4, 16, 64)
"""Crops that are run at once. More than 64 bring nothing on a processor, where the time is the crops' own."""


def sizes_of(tensor: TensorDescription) -> tuple[int, ...]:
    """Sizes of the batch that a network takes, rising; one without a batch takes one crop at a time."""
    size = next((axis.size for axis in tensor.described if axis.kind == "batch"), AxisSize(fixed=1))
    return tuple(sorted({size.at_least(min(each, size.maximum or each)) for each in SIZES}))


def batches_of(count: int, sizes: Sequence[int]) -> list[int]:
    """Sizes of the batches, one after the other, that `count` crops are run in; the last may not be full.

    A batch is left a quarter empty at most, if there are smaller ones. The same count always gives the same batches,
    on every machine: the last bits of an answer may depend on them.
    """
    batches = []
    left = count
    while left > 0:
        above = min((size for size in sizes if size >= left), default=0)
        below = max((size for size in sizes if size <= left), default=0)
        batches.append(above if above and (not below or 4 * left >= 3 * above) else below)
        left -= batches[-1]
    return batches
