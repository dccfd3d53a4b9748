"""What is to be exported: the example frame, the outputs with their axes, and the inputs that parity is proven on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np

from onscope.runtime import ExportError
from onscope.runtime.package import Step

from ._original import Array, OutputForm, contiguous

DTYPES = ("uint8", "uint16", "float32")
LETTERS = {
    "b": ("batch", "batch"),
    "c": ("channel", "channel"),
    "t": ("time", "time"),
    "z": ("space", "z"),
    "y": ("space", "y"),
    "x": ("space", "x"),
    "i": ("index", "index"),
}


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """One input or output as it is to be described; `axes` are letters out of "bctzyxi", `example` a test tensor.

    `example` is before the `steps` of an input, behind those of an output. `scale` is pixels along y and x per pixel of
    the input (1 for inputs), to which `offset` pixels are added; `halo` is not to be trusted at either end (by letter).
    """

    name: str
    axes: str
    example: Array
    channel_names: Sequence[str] | None = None
    scale: float = 1.0
    steps: tuple[Step, ...] = ()
    offset: Mapping[str, int] = field(default_factory=dict)
    halo: Mapping[str, int] = field(default_factory=dict)
    pad: Mapping[str, Any] = field(default_factory=dict)
    """How an input is padded, in BioImage.IO's words."""
    follows: str = "yx"
    """Axes along which it has another size where the frame has; none of a tensor beside it that has one size."""

    def settings(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """config.onscope for this output: what has y and x is an image, whatever the other outputs are."""
        return {**settings, "decode": "image"} if {"y", "x"} <= set(self.axes) else settings

    def size(self, given: tuple[int, int]) -> tuple[float, float]:
        """Its (y, x) for an input of (y, x)."""
        if not self.follows:
            return self.example.shape[self.axes.index("y")], self.example.shape[self.axes.index("x")]
        y, x = (size * self.scale + self.offset.get(letter, 0) for letter, size in zip("yx", given, strict=True))
        return y, x


def check_axes(axes: str, example: Array, what: str) -> None:
    """Raise ExportError unless the letters fit the array."""
    if any(letter not in LETTERS for letter in axes) or len(set(axes)) != len(axes):
        raise ExportError(f"found the {what} axes {axes!r}, expected different letters out of {', '.join(LETTERS)}")
    if len(axes) != example.ndim:
        raise ExportError(
            f"found {example.ndim} axes in the {what} {'x'.join(map(str, example.shape))}, expected {len(axes)} as in "
            f"{axes!r}: name one letter per axis"
        )


def checked_example(example: Array, axes: str, minimum: int, step: int) -> Array:
    """The example in one piece, if it is a frame that the package could be given; raises ExportError."""
    array = contiguous(example)
    check_axes(axes, array, "example")
    if "y" not in axes or "x" not in axes or "i" in axes:
        raise ExportError(f"found the axes {axes!r}, expected y and x among them: frames are images")
    if str(array.dtype) not in DTYPES:
        raise ExportError(
            f"found an example of {array.dtype}, expected one of {', '.join(DTYPES)}, as "
            "frames are: cast inside the network"
        )
    if "b" in axes and array.shape[axes.index("b")] != 1:
        raise ExportError("found an example with several images in its batch, expected one: frames come one by one")
    if min(minimum, step) < 1:
        raise ExportError(f"found minimum={minimum} and step={step}, expected both to be at least 1")
    for letter in "yx":
        size = array.shape[axes.index(letter)]
        if size < minimum or (size - minimum) % step:
            raise ExportError(f"found an example of {size} pixels along {letter}, expected {minimum} + n * {step}")
    return array


def plan_outputs(
    outputs: Sequence[Array], given: Array, axes: str, output_axes: Sequence[str], names: Sequence[str],
    post: Sequence[tuple[Step, ...]], settings: Mapping[str, Any], forms: Sequence[OutputForm] = (),
    fixed: bool = False,
) -> list[TensorPlan]:  # fmt: skip
    """One plan for each of the network's outputs; their examples are those outputs, before their steps.

    With `fixed`, where the input has one size, outputs may have sizes that are no multiple of it: no scale is stated.
    """
    points = settings["decode"] == "points"
    columns = settings.get("columns")
    if points and not columns:
        raise ExportError("found decode: points without columns, expected their names, such as y, x, score")
    found_names = list(names or (["points" if points else "image"] if len(outputs) == 1 else []))
    letters = list(output_axes) or ["ic" if points else axes]
    letters = letters * len(outputs) if len(letters) == 1 else letters
    if not len(outputs) == len(found_names) == len(letters):
        raise ExportError(
            f"found {len(outputs)} outputs, expected a name and axes for each: give them in their order "
            "(--output-name, --output-axes)"
        )
    steps = list(post) or [()] * len(outputs)
    if len(steps) != len(outputs):
        raise ExportError(f"found steps for {len(steps)} outputs, expected them for {len(outputs)}")
    plans = []
    forms = list(forms) if len(forms) == len(outputs) else [OutputForm()] * len(outputs)
    for array, output, own, after, form in zip(outputs, found_names, letters, steps, forms, strict=True):
        check_axes(own, array, f"output {output!r}")
        scales = [
            (array.shape[own.index(letter)] - form.offset.get(letter, 0)) / given.shape[axes.index(letter)]
            for letter in "yx" if {"y", "x"} <= set(own)
        ]  # fmt: skip
        apart = fixed and len(set(scales)) > 1
        scale = 1.0 if apart or not scales else scales[0]
        channels = columns if points and own == "ic" else form.channel_names or None
        follows = "" if apart else "yx"
        plans.append(TensorPlan(output, own, array, channels, scale, after, form.offset, form.halo, follows=follows))
    return plans


def parity_sizes(array: Array, axes: str, minimum: int, step: int) -> list[tuple[int, int]]:
    """The smallest size, one that is odd where `step` allows it, and one that is larger and not square."""
    y, x = (array.shape[axes.index(letter)] for letter in "yx")
    odd = [max(minimum, size - step * (1 if (size - step) % 2 else 2)) for size in (y, x)]
    found = [(minimum, minimum + step), (odd[0], x), (y + step, minimum + step * ((odd[1] - minimum) // step // 2))]
    return list(dict.fromkeys(size for size in found if size != (y, x)))


GAINS = ((0.25, "darker"), (2.0, "brighter"), (1.0, "other size"))
"""What the frames of the other sizes are multiplied with, in turn: an export that froze a decision which depends on the
pixels shows itself only on other pixels."""


def trials(own: tuple[int, int], sizes: Sequence[tuple[int, int]]) -> Iterator[tuple[str, tuple[int, int], float]]:
    """What parity is proven on, as (name, (y, x), gain): the example of its `own` size, then `varied` to the others."""
    yield "test tensor", own, 1.0
    for size, (gain, where) in zip(sizes, cycle(GAINS), strict=False):
        yield where, size, gain


def varied(array: Array, axes: str, size: tuple[int, int] | None, gain: float = 1.0) -> Array:
    """An example repeated and cut to (y, x) pixels (None: as large as it is), `gain` times as bright."""
    for letter, wanted in zip("yx", size, strict=True) if size else ():
        array = np.take(array, np.arange(wanted), axis=axes.index(letter), mode="wrap")
    if array.dtype.kind == "u":
        array = np.minimum(array * gain, np.iinfo(array.dtype).max).astype(array.dtype)
    else:
        array = array * np.float32(gain)
    return contiguous(array)
