"""Pad a tensor in the graph to sizes that a network takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from ..package import PadMode, TensorDescription
from ._crop import reference
from ._draft import Draft, Value

LARGEST = 1 << 17
"""Pixels along one axis: what is looked for no further."""


@dataclass(frozen=True, slots=True)
class Padding:
    """How one axis of `size` pixels grows: `halo` pixels on either side, then `fill` more at the end."""

    size: int
    halo: int = 0
    fill: int = 0

    @property
    def padded(self) -> int:
        return self.size + 2 * self.halo + self.fill

    def indices(self, mode: PadMode = "") -> npt.NDArray[np.int64]:
        """For each padded pixel the one whose value it has, as `mode` says; -1: none (`constant`).

        bioimageio.core pads halos `symmetric` (the edge pixel twice) where the package states nothing else; the fill
        is then a `reflect`ed one, which has no doubled pixels.
        """
        if mode == "constant":
            return np.pad(np.arange(self.size), (self.halo, self.halo + self.fill), constant_values=-1)
        own = np.pad(np.arange(self.size), self.halo, mode=mode or "symmetric")
        fill = mode or "reflect"
        filled: npt.NDArray[np.int64] = np.pad(own, (0, self.fill), mode=fill if own.size > 1 else "edge")
        return filled


def paddings(
    tensor: TensorDescription, sizes: Mapping[str, int], outputs: tuple[TensorDescription, ...], stage: str
) -> dict[str, Padding]:
    """How each spatial axis of `tensor` grows from `sizes` to the next size that the network takes.

    The halo is what the outputs that follow the axis ask for, in pixels of the input. Raises PipelineError when the
    network takes no size as large as that.
    """
    grown: dict[str, Padding] = {}
    for axis in tensor.described:
        if axis.kind == "space" and not axis.size.follows:
            halo = _halo(tensor, axis.id, outputs)
            least = sizes[axis.id] + 2 * halo
            takes = axis.size.at_least(least)
            if takes < least or (axis.size.maximum is not None and takes > axis.size.maximum):
                largest = axis.size.fixed or axis.size.maximum
                raise PipelineError(
                    f"found {least} pixels along {axis.id} for the stage {stage!r}, expected at most {largest}: "
                    f"set its tile to {largest} or less, or make the camera's region that small"
                )
            grown[axis.id] = Padding(sizes[axis.id], halo, takes - least)
    for axis in tensor.described:
        follows = axis.size.follows
        if axis.kind == "space" and follows:
            if follows.tensor != tensor.name or follows.axis not in grown:
                continue
            _follow(tensor, axis.id, sizes[axis.id] + 2 * _halo(tensor, axis.id, outputs), grown)
            halo = _halo(tensor, axis.id, outputs)
            takes = follows.size(grown[follows.axis].padded)
            grown[axis.id] = Padding(sizes[axis.id], halo, takes - sizes[axis.id] - 2 * halo)
    return grown


def pad(draft: Draft, value: Value, grown: Mapping[str, Padding], mode: PadMode = "", constant: float = 0.0) -> Value:
    """The value with each axis grown as said; as it is where none grows. `constant` is what mode "constant" adds."""
    if mode == "constant":
        return _pad_constant(draft, value, grown, constant)
    rank = len(value.shape)
    widths: dict[str, list[int]] = {}
    for id, padding in grown.items():
        if padding.padded == padding.size:
            continue
        at = value.axes.index(id)
        own = _own_mode(padding, mode, value.dtype)
        if own:
            each = widths.setdefault(own, [0] * (2 * rank))
            each[at], each[at + rank] = padding.halo, padding.halo + padding.fill
        else:
            shape = (*value.shape[:at], padding.padded, *value.shape[at + 1 :])
            value = Value(
                _copied(draft, value, at, padding.indices(mode), padding.halo), value.dtype, value.axes, shape
            )
    for own, each in widths.items():
        shape = tuple(
            None if size is None else size + each[at] + each[at + rank] for at, size in enumerate(value.shape)
        )
        name = draft.node("Pad", [value.name, draft.constant(each, "int64")], "padded", mode=own)
        value = Value(name, value.dtype, value.axes, shape)
    return value


def _pad_constant(draft: Draft, value: Value, grown: Mapping[str, Padding], constant: float) -> Value:
    dtype = np.dtype(value.dtype)
    if dtype.kind in "iu":
        constant = float(np.clip(np.round(constant), np.iinfo(dtype).min, np.iinfo(dtype).max))
    for id, padding in grown.items():
        at = value.axes.index(id)
        parts = [value.name]
        if padding.halo:
            parts.insert(0, _border(draft, value, at, padding.halo, constant))
        if padding.halo + padding.fill:
            parts.append(_border(draft, value, at, padding.halo + padding.fill, constant))
        if len(parts) > 1:
            shape = (*value.shape[:at], padding.padded, *value.shape[at + 1 :])
            value = Value(draft.node("Concat", parts, "padded", axis=at), value.dtype, value.axes, shape)
    return value


def _border(draft: Draft, value: Value, at: int, width: int, constant: float) -> str:
    """So many pixels of one value along an axis; not by Pad, since ONNX Runtime's takes no 16-bit integers."""
    shape = [width if axis == at else size or 1 for axis, size in enumerate(value.shape)]
    of = [draft.constant(constant, value.dtype), draft.constant(shape, "int64")]
    return str(draft.node("Expand", of, "border"))


def _halo(tensor: TensorDescription, id: str, outputs: tuple[TensorDescription, ...]) -> int:
    """Pixels of the input that the outputs' halos are, the largest of them."""
    halos = [0]
    for output in outputs:
        for axis in output.described:
            follows = reference(axis, tensor)
            if follows and follows.axis == id:
                halos.append(-int(-axis.halo // follows.factor))
    return max(halos)


def _follow(tensor: TensorDescription, id: str, least: int, grown: dict[str, Padding]) -> None:
    """Grow the axis that `id` follows until `id` has at least `least` pixels."""
    follows = next(axis.size.follows for axis in tensor.described if axis.id == id and axis.size.follows)
    leader = next(axis for axis in tensor.described if axis.id == follows.axis)
    padding = grown[follows.axis]
    size = padding.padded
    while follows.size(size) < least and size < LARGEST:
        larger = leader.size.at_least(size + 1)
        if larger <= size or (leader.size.maximum is not None and larger > leader.size.maximum):
            break
        size = larger
    if follows.size(size) < least:
        raise PipelineError(
            f"found {least} pixels along {id}, expected at most {follows.size(size)}, which follow {follows.axis}: set "
            "a tile, or make the camera's region smaller"
        )
    grown[follows.axis] = Padding(padding.size, padding.halo, size - padding.size - 2 * padding.halo)


def _own_mode(padding: Padding, mode: PadMode, dtype: str) -> str:
    """The mode of ONNX's Pad that gives the same pixels; "" where none does."""
    before, after = padding.halo, padding.halo + padding.fill
    # ONNX Runtime's Pad takes no 16-bit integers; reflecting by more than the size is not what NumPy does.
    if dtype != "float32" or max(before, after) >= padding.size:
        return ""
    indices = padding.indices(mode)
    modes: tuple[Literal["reflect", "edge"], ...] = ("reflect", "edge")
    for own in modes:
        if np.array_equal(indices, np.pad(np.arange(padding.size), (before, after), mode=own)):
            return own
    return ""


def _copied(draft: Draft, value: Value, at: int, indices: npt.NDArray[np.int64], before: int) -> str:
    """One axis with copies of its own pixels before and after it."""
    size = value.shape[at] or 0
    ends = (indices[:before], indices[before + size :])
    strips = [
        draft.node("Gather", [value.name, draft.constant(end, "int64")], "strip", axis=at) if end.size else ""
        for end in ends
    ]
    parts = [name for name in (strips[0], value.name, strips[1]) if name]
    return str(draft.node("Concat", parts, "padded", axis=at))
