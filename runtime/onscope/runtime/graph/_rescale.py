"""Bring frames to the pixel size that a network was trained at, inside the graph, and its answers back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from .._errors import PipelineError
from ..package import TensorDescription
from ._draft import Draft, Value
from ._layout import Picture
from ._types import Note, StageRequest

MICROMETRES: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("micrometer", "micrometre", "um", "µm", "μm"), 1.0),
        **dict.fromkeys(("nanometer", "nanometre", "nm"), 1e-3),
        **dict.fromkeys(("millimeter", "millimetre", "mm"), 1e3),
    }
)
"""What units of BioImage.IO's axes are in micrometres."""
TOLERATED = 0.1
"""By how much the pixel sizes may differ, relative to the trained one, before it is worth a warning."""
LARGEST_FACTOR = 16.0
Sizes = tuple[int, int]
PixelSize = tuple[float, float]
"""Along y and x, in micrometres."""


@dataclass(frozen=True, slots=True)
class Rescaling:
    """From frames of `own` pixels (y, x) to `scaled` ones."""

    own: Sizes
    scaled: Sizes

    @property
    def factors(self) -> tuple[float, float]:
        """Pixels after it per pixel before it, along y and x."""
        return self.scaled[0] / self.own[0], self.scaled[1] / self.own[1]


def trained_size(tensor: TensorDescription) -> PixelSize | None:
    """The pixel size that the package states for an input; None when it states none."""
    found = []
    for id in ("y", "x"):
        axis = tensor.axis(id)
        unit = MICROMETRES.get(axis.unit.lower()) if axis else None
        if axis is None or unit is None or axis.scale <= 0:
            return None
        found.append(axis.scale * unit)
    return found[0], found[1]


def rescaling_of(
    stage: StageRequest, tensor: TensorDescription, picture: Picture, have: PixelSize | None, notes: list[Note]
) -> Rescaling | None:
    """How the picture is to be resized; None when it stays as it is, with a warning where that may be wrong.

    Raises PipelineError when rescaling was asked for and a pixel size is not known, or absurdly different.
    """
    want = trained_size(tensor)
    if want is None or have is None:
        if not stage.rescale:
            return None
        missing = "the package states no pixel size" if want is None else "the pixel size of the frames is not known"
        raise PipelineError(
            f"found rescale for the stage {stage.name!r}, but {missing}, expected both: set the pixel size, or remove "
            "rescale"
        )
    ratios = have[0] / want[0], have[1] / want[1]
    sizes = f"{_size(have)} um per pixel, trained at {_size(want)}"
    if not stage.rescale:
        if max(abs(ratio - 1) for ratio in ratios) > TOLERATED:
            notes.append(Note("warning", stage.name, sizes, "set rescale to bring frames to what it was trained at"))
        return None
    if not all(1 / LARGEST_FACTOR <= ratio <= LARGEST_FACTOR for ratio in ratios):
        raise PipelineError(
            f"found frames of {sizes} for the stage {stage.name!r}, expected a ratio of at most {LARGEST_FACTOR:g}: "
            "correct the pixel size, or choose another package"
        )
    own = picture.sizes["y"] or 0, picture.sizes["x"] or 0
    scaled = max(1, round(own[0] * ratios[0])), max(1, round(own[1] * ratios[1]))
    if own == scaled:
        return None
    what = f"{own[0]} x {own[1]} -> {scaled[0]} x {scaled[1]}"
    notes.append(Note("rescaled", stage.name, what, f"{sizes}; statistics of the host are those before it"))
    return Rescaling(own, scaled)


def rescaled(draft: Draft, picture: Picture, rescaling: Rescaling) -> Picture:
    """The picture resized: linear, each pixel an average of all that it covers where it shrinks; float32."""
    return replace(picture, parts=tuple(_resized(draft, part, rescaling.scaled) for part in picture.parts))


def back(draft: Draft, value: Value, sizes: Sizes, smooth: bool) -> Value:
    """An answer with y and x resized to `sizes`, in its own dtype; not `smooth`: labels and masks keep their values."""
    whole = np.dtype(value.dtype).kind in "iu"
    made = _resized(draft, value, sizes, smooth)
    if whole and smooth:
        made = replace(made, name=draft.node("Round", [made.name]))
    return draft.cast(made, value.dtype)


def points_back(draft: Draft, value: Value, columns: Sequence[str], rescaling: Rescaling) -> Value:
    """A table (..., columns) with y and x in pixels of the frame before it was rescaled; pixel centres are whole."""
    gain, offset = np.ones(len(columns), np.float32), np.zeros(len(columns), np.float32)
    for name, factor in zip(("y", "x"), rescaling.factors, strict=True):
        at = list(columns).index(name)
        gain[at], offset[at] = 1 / factor, 0.5 / factor - 0.5
    scaled = draft.node("Mul", [value.name, draft.constant(gain)])
    return replace(value, name=draft.node("Add", [scaled, draft.constant(offset)], "points"))


def _resized(draft: Draft, value: Value, sizes: Sizes, smooth: bool = True) -> Value:
    """y and x resized, by way of (1, others, y, x): all that ONNX Runtime averages over."""
    shape = [size or 0 for size in value.shape]
    at = [value.axes.index("y"), value.axes.index("x")]
    order = [number for number in range(len(shape)) if number not in at] + at
    others = [shape[number] for number in order[:-2]]
    name = draft.cast(value, "float32").name
    if order != sorted(order):
        name = draft.node("Transpose", [name], perm=order)
    flat = [1, math.prod(others), shape[at[0]], shape[at[1]]]
    name = draft.node("Reshape", [name, draft.constant(flat, "int64")])
    inputs = [name, "", "", draft.constant([*flat[:2], *sizes], "int64")]
    if smooth:
        name = draft.node("Resize", inputs, "rescaled", mode="linear", antialias=1)
    else:
        name = draft.node("Resize", inputs, "rescaled", mode="nearest")
    name = draft.node("Reshape", [name, draft.constant([*others, *sizes], "int64")])
    if order != sorted(order):
        name = draft.node("Transpose", [name], perm=[order.index(number) for number in range(len(order))])
    for number, size in zip(at, sizes, strict=True):
        shape[number] = size
    return Value(name, "float32", value.axes, tuple(shape))


def _size(pixels: PixelSize) -> str:
    y, x = pixels
    return f"{y:.4g}" if y == x else f"{y:.4g} x {x:.4g}"
