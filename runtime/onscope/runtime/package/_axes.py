"""Axes of a BioImage.IO 0.5 description as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._errors import PackageError
from ._description import Axis, AxisSize, SizeReference
from ._files import short

if TYPE_CHECKING:
    from bioimageio.spec.model.v0_5 import InputTensorDescr, OutputTensorDescr

MAX_AXIS = 1 << 16
"""Largest size, step, offset or halo that a described axis may state, in pixels (or channels)."""
MAX_VALUES = 1 << 28
"""Most values that a described tensor may have for frames of ORDINARY pixels, and a constant shape in a graph: a
gigabyte of float32."""
ORDINARY = 256

References = Mapping[tuple[str, str], Any]
"""The described axes that others may refer to, by tensor and axis."""


def references(tensors: Iterable[InputTensorDescr | OutputTensorDescr]) -> References:
    """All axes of a description, by the ids of tensor and axis."""
    return {(str(tensor.id), str(axis.id)): axis for tensor in tensors for axis in tensor.axes}


def read_axes(tensor: InputTensorDescr | OutputTensorDescr, known: References) -> tuple[Axis, ...]:
    """The axes of one tensor, in its order; raises PackageError for sizes that no tensor can have."""
    return bounded(str(tensor.id), [_axis(str(tensor.id), axis, known) for axis in tensor.axes])


def bounded(tensor: str, axes: Iterable[Axis]) -> tuple[Axis, ...]:
    """The axes as they are; raises PackageError where one, or the whole tensor, is absurdly large."""
    axes = tuple(axes)
    values = 1
    for axis in axes:
        size, follows = axis.size, axis.size.follows
        stated = (
            size.fixed,
            size.minimum,
            size.step,
            size.maximum,
            axis.halo,
            abs(follows.offset) if follows else None,
        )
        for number in stated:
            if number is not None and number > MAX_AXIS:
                raise PackageError(
                    f"found a size of {number} along {axis.id} of {short(tensor)}, expected at most {MAX_AXIS}: "
                    "correct it"
                )
        if follows and not (math.isfinite(follows.factor) and 0 < follows.factor <= MAX_AXIS):
            raise PackageError(
                f"found a scale of {follows.factor:g} along {axis.id}, expected one between 0 and {MAX_AXIS}"
            )
        if not math.isfinite(axis.scale):
            raise PackageError(f"found a scale of {axis.scale:g} along {axis.id}, expected a finite number")
        values *= size.fixed or size.at_least(ORDINARY if axis.kind == "space" and not follows else 1)
    if values > MAX_VALUES:
        raise PackageError(
            f"found at least {values} values in {short(tensor)}, expected at most {MAX_VALUES}: correct the axes' sizes"
        )
    return axes


def _axis(tensor: str, axis: Any, known: References) -> Axis:
    return Axis(
        id=str(axis.id),
        kind=str(axis.type),  # type: ignore[arg-type]  # the specification's own names
        size=_size(tensor, axis, known),
        scale=float(axis.scale),
        unit=str(axis.unit or ""),
        halo=int(getattr(axis, "halo", 0) or 0),
        channels=tuple(str(name) for name in getattr(axis, "channel_names", ())),
    )


def _size(tensor: str, axis: Any, known: References) -> AxisSize:
    size = axis.size
    if size is None:  # a batch of any size
        return AxisSize()
    if isinstance(size, int):
        return AxisSize(fixed=size)
    if hasattr(size, "step"):
        return AxisSize(minimum=size.min, step=size.step)
    if not hasattr(size, "axis_id"):  # known after the run only
        return AxisSize(minimum=size.min, maximum=size.max)
    there = (str(size.tensor_id), str(size.axis_id))
    reference = known.get(there)
    if reference is None or there == (tensor, str(axis.id)) or hasattr(reference.size, "axis_id"):
        raise PackageError(
            f"found a size along {axis.id} of {short(tensor)} that follows {short('.'.join(there))}, expected an axis "
            "with a size of its own: correct it"
        )
    factor = round(reference.scale / axis.scale, 9)
    return AxisSize(follows=SizeReference(*there, factor, size.offset))
