"""Pad a tensor in the graph to sizes that a network takes, and cut its outputs back to what the frame asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from ..package import Axis, SizeReference, TensorDescription
from ._draft import Draft, Value

Mode = Literal["symmetric", "reflect", "edge"]
"""How NumPy calls it."""
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

    def indices(self, mode: Mode = "symmetric") -> npt.NDArray[np.int64]:
        """For each padded pixel the one whose value it has: the halo as `mode` says (NumPy's word), the fill mirrored.

        bioimageio.core pads halos so (`symmetric`, the edge pixel twice) where the package states nothing else.
        """
        own = np.pad(np.arange(self.size), self.halo, mode=mode)
        filled: npt.NDArray[np.int64] = np.pad(own, (0, self.fill), mode="reflect" if own.size > 1 else "edge")
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


def pad(draft: Draft, value: Value, grown: Mapping[str, Padding], mode: Mode = "symmetric") -> Value:
    """The value with each axis grown as said; as it is where none grows."""
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


def crop(
    draft: Draft, value: Value, output: TensorDescription, source: TensorDescription, grown: Mapping[str, Padding]
) -> Value:
    """An output of the network without what the padding of `source` added to it.

    An axis that follows one of the input's keeps size * factor + offset pixels of it, from behind the halo; one of a
    fixed size keeps its part where the input's is fixed too. Others stay as they are.
    """
    starts, ends, places = [], [], []
    shape = list(value.shape)
    for at, axis in enumerate(output.described):
        kept = _kept(output, axis.id, source, grown)
        if kept is None or shape[at] == kept[1] - kept[0]:
            continue
        starts.append(kept[0])
        ends.append(kept[1])
        places.append(at)
        shape[at] = kept[1] - kept[0]
    if not places:
        return value
    limits = [draft.constant(each, "int64") for each in (starts, ends, places)]
    return Value(draft.node("Slice", [value.name, *limits], "cropped"), value.dtype, value.axes, tuple(shape))


def reference(axis: Axis, source: TensorDescription) -> SizeReference | None:
    """The axis of `source` that an output's axis follows, and how; None when it follows none of it.

    Of a square input (x as large as y) the outputs' x may be described as following y: it follows x all the same,
    since a frame that is not square is padded by different widths.
    """
    follows = axis.size.follows
    if follows is None or follows.tensor != source.name:
        return None
    own = source.axis(axis.id)
    between = own.size.follows if own else None
    if between is None or (between.tensor, between.axis) != (source.name, follows.axis):
        return follows
    factor = follows.factor / between.factor
    return SizeReference(source.name, axis.id, factor, follows.offset - round(between.offset * factor))


def _kept(
    output: TensorDescription, id: str, source: TensorDescription, grown: Mapping[str, Padding]
) -> tuple[int, int] | None:
    axis = output.axis(id)
    if axis is None:
        return None
    follows = reference(axis, source)
    if follows:
        if follows.axis not in grown:
            return None
        padding = grown[follows.axis]
        start = round(padding.halo * follows.factor)
        return start, start + follows.size(padding.size)
    own = source.axis(id)
    if axis.kind != "space" or axis.size.fixed is None or own is None or own.size.fixed is None or id not in grown:
        return None
    factor, padding = axis.size.fixed / own.size.fixed, grown[id]
    start = round(padding.halo * factor)
    return start, start + round(padding.size * factor)


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


def _own_mode(padding: Padding, mode: Mode, dtype: str) -> str:
    """The mode of ONNX's Pad that gives the same pixels; "" where none does."""
    before, after = padding.halo, padding.halo + padding.fill
    # ONNX Runtime's Pad takes no 16-bit integers; reflecting by more than the size is not what NumPy does.
    if dtype != "float32" or max(before, after) >= padding.size:
        return ""
    indices = padding.indices(mode)
    modes: tuple[Mode, ...] = ("reflect", "edge")
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
