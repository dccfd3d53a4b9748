"""The exact receptive field of an ONNX graph along the axes of a frame, or why there is none.

For a frame of a given size, every index of every tensor carries the interval of pixels that it depends on. Operators
whose rule is known hand it on exactly; all others are named as a reason why a tile may answer differently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ._follow import follow
from ._reach import FAR, Reach
from ._trace import Shape, Trace, walk

if TYPE_CHECKING:
    from onnx import ModelProto

    from ._reach import Indices

FIRST_SIZE, LARGEST_SIZE = 256, 4096
"""Sizes in pixels that a graph of free sizes is looked at with: doubled until the middle sees no border."""


@dataclass(frozen=True, slots=True)
class AxisField:
    """Along one axis: an output pixel covers `1 / scale` pixels of the input, and depends on `left` more before them
    and `right` more behind them at most.

    `margins` are how many output pixels at either end change when the frame goes on there; `cropped` how many fewer
    pixels than `size * scale` come out (networks without padding). Two pieces of a frame are treated in the same way
    when they are a multiple of `period` pixels apart. `bounded`: some output pixels are the same in every larger frame.
    """

    left: int
    right: int
    scale: Fraction
    period: int
    margins: tuple[int, int]
    cropped: int
    bounded: bool

    @property
    def halo(self) -> int:
        """Pixels to lay around a piece of the input so that the inside comes out as it does in the whole frame."""
        needed = math.ceil((Fraction(self.cropped, 2) + max(self.margins)) / self.scale)
        return -(-needed // self.period) * self.period


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field by axis; `reasons` name the nodes that need the whole frame (empty: none does).

    With reasons, the axes tell what is left when these nodes are taken to give the same for a piece as for the whole.
    """

    axes: Mapping[str, AxisField]
    reasons: tuple[str, ...] = ()

    @property
    def bounded(self) -> bool:
        return not self.reasons and all(axis.bounded for axis in self.axes.values())

    @property
    def why(self) -> str:
        """The reasons in one sentence; empty where the field is bounded."""
        if self.reasons:
            more = f" (and {len(self.reasons) - 1} more)" if len(self.reasons) > 1 else ""
            return self.reasons[0] + more
        wide = [name for name, axis in self.axes.items() if not axis.bounded]
        return f"the field along {' and '.join(wide)} is larger than the frame" if wide else ""


def receptive_field(
    model: ModelProto, output: str, input: str, axes: Mapping[str, int], shape: Sequence[int] | None = None
) -> Field | None:
    """What a pixel of `output` depends on in `input` along `axes` (name -> dimension of the input).

    `shape` is the input's, and the frame's whose answer is meant; without it free sizes are chosen, and a second size
    must give the same. None when the output has none of the axes.
    """
    if shape is not None:
        trace = trace_of(model, {input: tuple(shape)}, {input: axes}, [output])
        return field_of(trace, [output], dict(_sizes(shape, axes)))
    free = [1 if size is None and dim not in axes.values() else size for dim, size in enumerate(_free(model, input))]
    size = FIRST_SIZE
    while True:
        chosen = tuple(size if held is None else held for held in free)
        trace = trace_of(model, {input: chosen}, {input: axes}, [output])
        field = field_of(trace, [output], dict(_sizes(chosen, axes)))
        grown = [axis for axis, dim in axes.items() if free[dim] is None]
        if field is None or field.reasons or not grown:
            return field
        if size >= LARGEST_SIZE or all(field.axes[axis].bounded for axis in grown if axis in field.axes):
            break
        size *= 2
    period = math.lcm(*(field.axes[axis].period for axis in grown if axis in field.axes))
    larger = tuple(size + period if held is None else held for held in free)
    other = trace_of(model, {input: larger}, {input: axes}, [output])
    differs = difference(trace, other, dict.fromkeys(grown, period), model)
    return Field(field.axes, (differs,)) if differs else field


def trace_of(
    model: ModelProto, shapes: Mapping[str, Shape], axes: Mapping[str, Mapping[str, int]], outputs: Sequence[str]
) -> Trace:
    """What every tensor on the way from these inputs to these outputs depends on."""
    return walk(model, axes, shapes, outputs, follow)


def field_of(trace: Trace, outputs: Sequence[str], sizes: Mapping[str, int]) -> Field | None:
    """The widest field of several outputs of a frame of these sizes; None when one of them has none of the axes.

    Scales and what is cropped are those of the first output that has the axis.
    """
    axes: dict[str, AxisField] = {}
    for name in outputs:
        reaches = trace.reaches.get(name, {})
        if not reaches:
            return None
        for axis, reach in reaches.items():
            found = _axis_field(reach, sizes[axis])
            axes[axis] = _wider(axes[axis], found) if axis in axes else found
    return Field(axes, tuple(trace.reasons))


def difference(small: Trace, large: Trace, growth: Mapping[str, int], model: ModelProto) -> str:
    """The first node that treats a frame otherwise when it is larger by `growth` pixels by axis; empty: none does.

    Compares every tensor up to its last indices that the border has to do with, and from the first such ones on.
    """
    makers = {name: node for node in model.graph.node for name in node.output}
    for name, reaches in small.reaches.items():
        dims = [reach.dim for reach in reaches.values()]
        for axis, reach in reaches.items():
            other = large.reaches.get(name, {}).get(axis)
            if dims.count(reach.dim) > 1:
                continue  # axes folded into one dimension: their order says nothing until they are unfolded
            if other is None or not _alike(reach, other, growth.get(axis, 0)):
                node = makers.get(name)
                what = f"{node.op_type} {node.name or name!r}" if node is not None else f"input {name!r}"
                return f"{what} treats {axis} differently in a frame of another size"
    return ""


def _alike(small: Reach, large: Reach, growth: int) -> bool:
    if small.scale != large.scale or large.size - small.size != small.scale * growth:
        return False
    head, tail = small.size - small.margins[1], small.size - small.margins[0]
    pairs = [(small.low[:head], large.low[:head], 0), (small.high[:head], large.high[:head], 0)]
    if tail > 0:
        pairs += [(small.low[-tail:], large.low[-tail:], growth), (small.high[-tail:], large.high[-tail:], growth)]
    return all(_moved_by(moved, own, other) for own, other, moved in pairs)


def _moved_by(pixels: int, own: Indices, other: Indices) -> bool:
    return np.array_equal(np.where((own == FAR) | (own < 0), own, own + pixels), other)


def _axis_field(reach: Reach, size: int) -> AxisField:
    inner = reach.left & reach.right & (reach.high >= 0)
    index = np.flatnonzero(inner)
    numerator, denominator = reach.scale.numerator, reach.scale.denominator
    first = index * denominator // numerator
    last = -(-(index + 1) * denominator // numerator) - 1
    left = int(max(np.max(first - reach.low[index], initial=0), 0))
    right = int(max(np.max(reach.high[index] - last, initial=0), 0))
    cropped = max(math.ceil(size * reach.scale) - reach.size, 0)
    middle = reach.size - sum(reach.margins)
    bounded = middle >= max(1, int(reach.scale * reach.period))
    return AxisField(left, right, reach.scale, reach.period, reach.margins, cropped, bounded)


def _wider(one: AxisField, other: AxisField) -> AxisField:
    """Of two outputs: the wider field, in the first one's pixels."""
    ratio = one.scale / other.scale
    margins = tuple(max(own, math.ceil(more * ratio)) for own, more in zip(one.margins, other.margins, strict=True))
    return AxisField(
        max(one.left, other.left),
        max(one.right, other.right),
        one.scale,
        math.lcm(one.period, other.period),
        (margins[0], margins[1]),
        max(one.cropped, math.ceil(other.cropped * ratio)),
        one.bounded and other.bounded,
    )


def _free(model: ModelProto, name: str) -> list[int | None]:
    value = next(value for value in model.graph.input if value.name == name)
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value or None for dim in dims]


def _sizes(shape: Sequence[int], axes: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(axis, shape[dim]) for axis, dim in axes.items()]
