"""Statistics of tensors that never reach the host: nodes that compute them where the tensor is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .._errors import PackageError
from ._draft import Draft, Value
from ._percentile import position
from ._steps import working
from ._types import Statistic


def statistic_node(draft: Draft, value: Value, statistic: Statistic) -> str:
    """The name of a float32 tensor with `statistic` of `value`: all its axes, those that are not kept with size 1.

    Sizes must be known; raises PackageError where they are not, and for axes that the value does not have. Mean and
    standard deviation of one tensor share their nodes, and nothing is written twice.
    """
    if unknown := [axis for axis in statistic.keeps if axis not in value.axes]:
        raise PackageError(
            f"found statistics along {', '.join(unknown)}, expected axes among {', '.join(value.axes)}: correct the "
            "package"
        )
    whole = replace(statistic, part="value", tensor="")
    key = ("statistic", value.name, whole)
    if key not in draft.made:
        draft.made[key] = (_percentile if whole.kind == "percentile" else _moment)(draft, _held(draft, value), whole)
    near, rest = draft.made[key]
    return str(near if statistic.part == "value" else rest)


def _moment(draft: Draft, held: Value, statistic: Statistic) -> tuple[str, str]:
    """Mean or standard deviation as (value, rest), in two passes.

    The sum of four million pixels is off by more than their noise in float32: the mean is taken axis by axis, and
    what is left after its subtraction is averaged once more.
    """
    mean, left, square = _moments(draft, held, statistic.keeps)
    if statistic.kind == "mean":
        near = draft.node("Add", [mean, left], "mean")
        rest = draft.node("Add", [draft.node("Sub", [mean, near]), left], "mean_rest")
        return _float32(draft, near, held), _float32(draft, rest, held)
    variance = draft.node("Sub", [square, draft.node("Mul", [left, left])])
    near = draft.node("Sqrt", [draft.node("Max", [variance, draft.constant(0.0, held.dtype)])], "std")
    return _float32(draft, near, held), draft.constant(0.0, "float32")


def _moments(draft: Draft, held: Value, keeps: Sequence[str]) -> tuple[str, str, str]:
    """First mean, mean of what it leaves, mean of the squares of what it leaves."""
    key = ("moments", held.name, tuple(keeps))
    if key not in draft.made:
        reduced = [at for at, axis in enumerate(held.axes) if axis not in keeps and _size(held, at) > 1]
        mean = _mean(draft, held.name, reduced)
        left = draft.node("Sub", [held.name, mean])
        if reduced:
            inner, outer = reduced[-1], reduced[:-1]
            sums = draft.node("ReduceSumSquare", [left, draft.constant([inner], "int64")])
            square = draft.node("Mul", [sums, draft.constant(1.0 / _size(held, inner), held.dtype)])
        else:
            square, outer = draft.node("Mul", [left, left]), []
        draft.made[key] = (mean, _mean(draft, left, reduced), _mean(draft, square, outer))
    mean, left, square = draft.made[key]
    return str(mean), str(left), str(square)


def _mean(draft: Draft, name: str, axes: Sequence[int]) -> str:
    """Mean over axes of known sizes, the last one first: sums of some thousand terms instead of some million."""
    for axis in reversed(axes):
        name = draft.node("ReduceMean", [name, draft.constant([axis], "int64")])
    return name


def _percentile(draft: Draft, held: Value, statistic: Statistic) -> tuple[str, str]:
    """Percentile as (value, rest): the order statistics beside it come from a TopK of the smaller side."""
    reduced = [at for at, axis in enumerate(held.axes) if axis not in statistic.keeps]
    count = math.prod(_size(held, at) for at in reduced)
    at = position(statistic.percentile / 100, count, statistic.method)
    below, above = _ordered(draft, held, reduced, count, (at.below, at.above))
    if at.weight == 0:
        return _float32(draft, below, held), draft.constant(0.0, "float32")
    step = draft.node("Mul", [draft.node("Sub", [above, below]), draft.constant(at.weight, held.dtype)])
    near = draft.node("Add", [below, step], "percentile")
    rest = draft.node("Add", [draft.node("Sub", [below, near]), step], "percentile_rest")
    return _float32(draft, near, held), _float32(draft, rest, held)


def _ordered(draft: Draft, held: Value, reduced: Sequence[int], count: int, ranks: tuple[int, int]) -> list[str]:
    """The pixels of these ranks (0: the smallest) over the reduced axes, which are kept with size 1."""
    if ranks == (0, 0) or ranks == (count - 1, count - 1):
        kind = "ReduceMax" if ranks[0] else "ReduceMin"
        name = draft.node(kind, [held.name, draft.constant(list(reduced), "int64")]) if reduced else held.name
        return [name, name]
    kept = [at for at in range(len(held.axes)) if at not in reduced]
    rows, shape = (
        [_size(held, at) for at in kept],
        [1 if at in reduced else _size(held, at) for at in range(len(held.axes))],
    )
    flat = held.name
    if [*kept, *reduced] != list(range(len(held.axes))):
        flat = draft.node("Transpose", [flat], perm=[*kept, *reduced])
    flat = draft.node("Reshape", [flat, draft.constant([math.prod(rows), count], "int64")])
    from_top = ranks[0] >= count - 1 - ranks[1]
    deepest = count - ranks[0] if from_top else ranks[1] + 1
    top = draft.node(
        "TopK", [flat, draft.constant([deepest], "int64")], outputs=2, axis=1, largest=int(from_top), sorted=1
    )[0]
    to = draft.constant(shape, "int64")
    found = []
    for rank in ranks:
        index = draft.constant([count - 1 - rank if from_top else rank], "int64")
        found.append(draft.node("Reshape", [draft.node("Gather", [top, index], axis=1), to]))
    return found


def _held(draft: Draft, value: Value) -> Value:
    """The value in floats; cast once, however many statistics are taken of it."""
    key = ("floats", value.name)
    if key not in draft.made:
        draft.made[key] = working(draft, value)
    held: Value = draft.made[key]
    return held


def _size(value: Value, axis: int) -> int:
    size = value.shape[axis]
    if size is None:
        raise PackageError(
            f"found the axis {value.axes[axis]} of varying size, expected a known one for statistics over it: have "
            "them taken of the raw frame"
        )
    return size


def _float32(draft: Draft, name: str, held: Value) -> str:
    return draft.cast(replace(held, name=name), "float32").name
