"""Statistics of tensors that never reach the host: nodes that compute them where the tensor is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..._errors import PackageError
from .._draft import Draft, Value
from .._types import Statistic
from ..steps import working
from ._percentile import position

PART = 256
"""Pixels that are summed at once: as many 16-bit counts have an exact sum in float32."""
SMALLEST = 1024
"""Rows of fewer pixels are not searched by groups."""


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

    Sums of four million pixels are off by more than their noise in float32: means are taken of means, and what is left
    after the subtraction of the first one is averaged once more.
    """
    rows = _rows(draft, held, statistic.keeps)
    mean, left, square = _moments(draft, rows, held.dtype)
    if statistic.kind == "mean":
        near = draft.node("Add", [mean, left], "mean")
        rest = draft.node("Add", [draft.node("Sub", [mean, near]), left], "mean_rest")
        return _shaped(draft, near, rows, held), _shaped(draft, rest, rows, held)
    variance = draft.node("Sub", [square, draft.node("Mul", [left, left])])
    near = draft.node("Sqrt", [draft.node("Max", [variance, draft.constant(0.0, held.dtype)])], "std")
    return _shaped(draft, near, rows, held), draft.constant(0.0, "float32")


def _moments(draft: Draft, rows: Rows, dtype: str) -> tuple[str, str, str]:
    """First mean, mean of what it leaves, mean of the squares of what it leaves; each (rows, 1)."""
    key = ("moments", rows.name)
    if key not in draft.made:
        mean = _mean(draft, rows.name, rows)
        left = draft.node("Sub", [rows.name, mean])
        draft.made[key] = (mean, _mean(draft, left, rows), _mean(draft, draft.node("Mul", [left, left]), rows))
    mean, left, square = draft.made[key]
    return str(mean), str(left), str(square)


def _mean(draft: Draft, name: str, rows: Rows) -> str:
    """Mean over each row, by parts of at most `PART` pixels, and of their means, until one is left."""
    count = rows.count
    while count > 1:
        part = next((each for each in range(min(PART, count), 1, -1) if count % each == 0), count)
        name = draft.node("Reshape", [name, draft.constant([rows.rows, count // part, part], "int64")])
        name = draft.node("ReduceMean", [name, draft.constant([2], "int64")], keepdims=0)
        count //= part
    return name


def _percentile(draft: Draft, held: Value, statistic: Statistic) -> tuple[str, str]:
    """Percentile as (value, rest): the order statistics beside it come from a TopK of the smaller side."""
    rows = _rows(draft, held, statistic.keeps)
    at = position(statistic.percentile / 100, rows.count, statistic.method)
    below, above = _ordered(draft, rows, (at.below, at.above))
    if at.weight == 0:
        return _shaped(draft, below, rows, held), draft.constant(0.0, "float32")
    step = draft.node("Mul", [draft.node("Sub", [above, below]), draft.constant(at.weight, held.dtype)])
    near = draft.node("Add", [below, step], "percentile")
    rest = draft.node("Add", [draft.node("Sub", [below, near]), step], "percentile_rest")
    return _shaped(draft, near, rows, held), _shaped(draft, rest, rows, held)


def _ordered(draft: Draft, rows: Rows, ranks: tuple[int, int]) -> list[str]:
    """The pixels of two neighbouring ranks (0: the smallest), or of one twice, of each row; each (rows, 1)."""
    last = rows.count - 1
    if ranks in ((0, 0), (last, last)):
        kind = "ReduceMax" if ranks[0] else "ReduceMin"
        name = draft.node(kind, [rows.name, draft.constant([1], "int64")]) if last else rows.name
        return [name, name]
    from_top = ranks[0] >= last - ranks[1]
    outer = _outermost(draft, rows, rows.count - ranks[0] if from_top else ranks[1] + 1, int(from_top))
    # of those beyond them the one or two that are nearest to the middle: nothing else has to be sorted
    few = draft.constant([ranks[1] - ranks[0] + 1], "int64")
    inner = draft.node("TopK", [outer, few], outputs=2, axis=1, largest=int(not from_top), sorted=1)[0]
    inward = ranks if from_top else ranks[::-1]
    places = [abs(rank - inward[0]) for rank in ranks]
    return [draft.node("Gather", [inner, draft.constant([place], "int64")], axis=1) for place in places]


def _outermost(draft: Draft, rows: Rows, depth: int, largest: int) -> str:
    """The `depth` largest (or smallest) pixels of each row, (rows, depth), in any order.

    They lie in the `depth` groups of pixels whose largest is the largest: so few are looked through twice that it takes
    a quarter of the time.
    """
    top: dict[str, Any] = {"axis": 1, "largest": largest, "sorted": 0}
    wanted, name, group = draft.constant([depth], "int64"), rows.name, _group(rows.count, depth)
    if group > 1:
        grouped = draft.node("Reshape", [name, draft.constant([rows.rows, rows.count // group, group], "int64")])
        kind, along = "ReduceMax" if largest else "ReduceMin", draft.constant([2], "int64")
        ends = draft.node(kind, [grouped, along], keepdims=0)
        which = draft.node("Unsqueeze", [draft.node("TopK", [ends, wanted], outputs=2, **top)[1], along])
        chosen = draft.node("GatherND", [grouped, which], batch_dims=1)
        name = draft.node("Reshape", [chosen, draft.constant([rows.rows, depth * group], "int64")])
    return str(draft.node("TopK", [name, wanted], outputs=2, **top)[0])


def _group(count: int, depth: int) -> int:
    """Pixels of a group, such that there are about as many groups as pixels in the chosen ones; 1: not worth it."""
    best = math.sqrt(count / depth)
    fitting = [each for each in range(2, 65) if count % each == 0 and 2 * depth * each <= count]
    return min(fitting, key=lambda each: abs(math.log(each / best)), default=1) if count >= SMALLEST else 1


@dataclass(frozen=True, slots=True)
class Rows:
    """A tensor as (rows, count): one row for each entry of the axes that are kept; `shape` is that of its answer."""

    name: str
    rows: int
    count: int
    shape: tuple[int, ...]


def _rows(draft: Draft, held: Value, keeps: Sequence[str]) -> Rows:
    key = ("rows", held.name, tuple(keeps))
    if key not in draft.made:
        sizes = [_size(held, at) for at in range(len(held.axes))]
        kept = [at for at, axis in enumerate(held.axes) if axis in keeps]
        reduced = [at for at in range(len(sizes)) if at not in kept]
        wide = [at for at in [*kept, *reduced] if sizes[at] > 1]  # the others may stand anywhere
        name, count = held.name, math.prod(sizes[at] for at in reduced)
        if wide != sorted(wide):
            name = draft.node("Transpose", [name], perm=[*kept, *reduced])
        rows = math.prod(sizes) // max(count, 1)
        name = draft.node("Reshape", [name, draft.constant([rows, count], "int64")])
        shape = tuple(size if at in kept else 1 for at, size in enumerate(sizes))
        draft.made[key] = Rows(name, rows, count, shape)
    found: Rows = draft.made[key]
    return found


def _shaped(draft: Draft, name: str, rows: Rows, held: Value) -> str:
    """A statistic of each row with the axes of the tensor, in float32."""
    name = draft.node("Reshape", [name, draft.constant(rows.shape, "int64")])
    return draft.cast(Value(name, held.dtype, held.axes, rows.shape), "float32").name


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
