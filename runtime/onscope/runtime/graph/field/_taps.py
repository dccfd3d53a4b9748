"""Which indices of its input one output index of an operator reads, along one axis; formulas of the ONNX operators."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ._reach import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from onnx import NodeProto

    Indices = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Taps = tuple[Indices, Flags, Flags]

SUPPORT = {"linear": 1.0, "cubic": 2.0}


def same_pads(kind: str, total: int) -> tuple[int, int]:
    """Of `total` pixels of padding how many stand at the beginning and at the end, after `auto_pad`."""
    total = max(total, 0)
    return (total // 2, total - total // 2) if kind != "SAME_LOWER" else (total - total // 2, total // 2)


def sliding(size: int, count: int, kernel: int, stride: int, dilation: int, begin: int) -> Taps:
    """A convolution or pooling window over `size` indices that moves `count` times, after `begin` of padding."""
    start = np.arange(count, dtype=np.int64)[:, None] * stride - begin
    return _within(start + np.arange(kernel, dtype=np.int64) * dilation, size)


def pooled(node: NodeProto, shape: Sequence[int], told: Sequence[int]) -> tuple[int, ...]:
    """The shape that pooling gives: with `ceil_mode`, windows that begin behind the frame are left out.

    The standard says so, its shape inference still counts them; runtimes do not.
    """
    from onnx import helper

    held = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if not held.get("ceil_mode", 0):
        return tuple(told)
    rank = len(shape) - 2
    strides, pads = held.get("strides", [1] * rank), held.get("pads", [0] * 2 * rank)
    sizes = zip(told[2:], shape[2:], strides, pads[:rank], strict=True)
    return (*told[:2], *(count - ((count - 1) * stride >= size + begin) for count, size, stride, begin in sizes))


def transposed(size: int, count: int, kernel: int, stride: int, dilation: int, begin: int) -> Taps:
    """A transposed convolution: index o takes tap k of index (o + begin - k * dilation) / stride, if that is whole."""
    reached = np.arange(count, dtype=np.int64)[:, None] + begin - np.arange(kernel, dtype=np.int64) * dilation
    source, left, right = _within(np.floor_divide(reached, stride), size, reached % stride == 0)
    return source, left, right


def padded(size: int, count: int, begin: int, mode: str) -> Taps:
    """The operator Pad (`begin` below 0 cuts off)."""
    index = np.arange(count, dtype=np.int64) - begin
    source = index
    if mode == "edge":
        source = index.clip(0, size - 1)
    elif mode == "wrap":
        source = index % size
    elif mode == "reflect":
        source = (size - 1) - np.abs((size - 1) - np.abs(index)) if size > 1 else np.zeros_like(index)
    source = np.where((source >= 0) & (source < size), source, NOTHING)
    return source[:, None], index < 0, index >= size


def picked(indices: npt.ArrayLike, size: int) -> Taps:
    """These indices, one each (negative ones count from the end)."""
    index = np.asarray(indices, np.int64).reshape(-1)
    none: Flags = np.zeros(len(index), np.bool_)
    return np.where(index < 0, index + size, index)[:, None], none, none


def resized(size: int, count: int, scale: float, kind: str, coordinates: str, nearest: str, antialias: bool) -> Taps:
    """The operator Resize: `kind` is nearest, linear or cubic, `coordinates` its coordinate_transformation_mode."""
    position = _positions(size, count, scale, coordinates)
    if kind == "nearest":
        down = nearest in ("floor", "round_prefer_ceil")
        half = {"round_prefer_floor": -0.5, "round_prefer_ceil": 0.5}.get(nearest, 0.0)
        index = (np.floor if down else np.ceil)(position + half)[:, None]
    else:
        wide = SUPPORT[kind] * (max(1.0, 1.0 / scale) if antialias else 1.0)
        # A runtime computes positions in float32: unless they are exact there, a tap of weight 0 may get a little.
        slack = 0.0 if _dyadic(scale) else 1e-3
        taps = np.arange(2 * math.ceil(wide) + 2, dtype=np.int64)
        index = np.ceil(position - wide - slack)[:, None] + taps
        far = np.abs(index - position[:, None])
        index = np.where(far < wide + slack, index, np.rint(position)[:, None])
    reached: Indices = index.astype(np.int64)
    left: Flags = np.any(reached < 0, axis=1)
    right: Flags = np.any(reached >= size, axis=1)
    return reached.clip(0, size - 1), left, right


def rounds(scale: float, kind: str) -> bool:
    """Whether an interpolation's weights are rounded in another way at another place of the frame."""
    return kind != "nearest" and not _dyadic(scale)


def as_fraction(scale: float) -> Fraction:
    return Fraction(scale).limit_denominator(1024)


def slice_range(size: int, start: int, end: int, step: int) -> range:
    """The indices that the operator Slice takes."""
    return range(size)[slice(start, end, step)]


def _positions(size: int, count: int, scale: float, coordinates: str) -> npt.NDArray[np.float64]:
    out = np.arange(count, dtype=np.float64)
    if coordinates == "asymmetric":
        return out / scale
    if coordinates == "tf_half_pixel_for_nn":
        return (out + 0.5) / scale
    if coordinates == "align_corners":
        return out * ((size - 1) / (count - 1)) if count > 1 else out * 0
    if coordinates == "pytorch_half_pixel" and count == 1:
        return out * 0
    shift = (size - count / scale) / 2 if coordinates == "half_pixel_symmetric" else 0.0
    return shift + (out + 0.5) / scale - 0.5


def _dyadic(scale: float) -> bool:
    return math.frexp(scale)[0] == 0.5


def _within(index: Indices, size: int, counts: Flags | None = None) -> Taps:
    counts = np.ones(index.shape, np.bool_) if counts is None else counts
    source: Indices = np.where(counts & (index >= 0) & (index < size), index, NOTHING)
    left: Flags = np.any(counts & (index < 0), axis=1)
    right: Flags = np.any(counts & (index >= size), axis=1)
    return source, left, right
