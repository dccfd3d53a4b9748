"""What decoders do inside of the graph: the class of each pixel, and the candidates for peaks of heat maps.

The decoders (`decode/_classes.py`, `decode/_peaks.py`) take what comes out, and do the same where the graph does not.
Values that are NaN are marked, since neither ArgMax nor TopK lets them through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from types import MappingProxyType

import numpy as np

from .._errors import PipelineError
from ..decode import decided_settings
from ..package import TensorDescription
from ._draft import Draft, Value
from ._types import StageRequest

LOWEST = float(np.finfo(np.float32).min)
"""The score of what is no peak."""
UNKNOWN = -1
"""The class of a pixel whose scores hold NaN."""
DECIDED = ("classes", "distribution", "peaks")
"""Kinds of answers that the graph decodes, or puts together for the decoder."""
BEHIND = ("depth", "distribution")
"""Kinds of images that are made on the host: no stage can read them in the same graph."""


def undecided(stage: StageRequest) -> StageRequest:
    """The stage whose graph answers what the network and its steps do, whatever is made of it."""
    if stage.settings.get("decode") not in DECIDED:
        return stage
    return replace(stage, settings=MappingProxyType({**stage.settings, "decode": "image"}))


def decided(draft: Draft, stage: StageRequest, output: TensorDescription, value: Value) -> Value:
    """A stage's first output, as far as the graph decodes it: class numbers (..., y, x), or candidates (k, 8).

    As it is where the stage's decoder does all: of tiles, which are put together before, and where sizes are not known.
    """
    kind = stage.settings.get("decode", "image")
    channel = next((axis.id for axis in output.described if axis.kind == "channel"), "")
    known = None not in value.shape and np.dtype(value.dtype).kind == "f"
    if stage.tile is not None or not known or not {"y", "x"} <= set(value.axes) or channel not in value.axes:
        return value
    if kind == "classes" and value.shape[value.axes.index(channel)] != 1:
        return best_class(draft, value, value.axes.index(channel))
    if kind == "peaks" and prod(size or 0 for size in value.shape) == prod(
        size or 0 for axis, size in zip(value.axes, value.shape, strict=True) if axis in (channel, "y", "x")
    ):
        most, distance = decided_settings(stage.settings)
        return candidates(draft, value, channel, most, distance)
    return value


def with_widths(draft: Draft, stage: StageRequest, answers: Mapping[str, Value], channel: str) -> Value | None:
    """Of a `distribution` whose widths are an output of their own: the first output and these along the channels.

    `answers` are the stage's by the outputs' names, in their order. None where there is none. Raises PipelineError when
    that output is not there, or has another form.
    """
    name = stage.settings.get("width_output") if stage.settings.get("decode") == "distribution" else None
    if name is None:
        return None
    (own, middle), *others = answers.items()
    width = dict(others).get(str(name))
    if width is None or width.axes != middle.axes or channel not in middle.axes or width.shape != middle.shape:
        known = ", ".join(other for other, _ in others) or "(none)"
        raise PipelineError(
            f"found width_output {str(name)[:60]!r} for the stage {stage.name!r}, expected an output beside {own!r} of "
            f"the same size, with channels, of {known}: correct the settings"
        )
    at = middle.axes.index(channel)
    size = middle.shape[at]
    shape = tuple(2 * size if number == at and size else each for number, each in enumerate(middle.shape))
    parts = [draft.cast(each, "float32").name for each in (middle, width)]
    return Value(draft.node("Concat", parts, "distribution", axis=at), "float32", middle.axes, shape)


def best_class(draft: Draft, value: Value, at: int) -> Value:
    """int32 numbers of the first of the largest values along an axis, which is dropped; `UNKNOWN` where one is NaN."""
    best = draft.node("ArgMax", [value.name], "best", axis=at, keepdims=0)
    axes = tuple(axis for number, axis in enumerate(value.axes) if number != at)
    shape = tuple(size for number, size in enumerate(value.shape) if number != at)
    made = draft.cast(Value(best, "int64", axes, shape), "int32")
    total = draft.node("ReduceSum", [value.name, draft.constant([at], "int64")], "total", keepdims=0)
    unknown = draft.node("IsNaN", [total])
    return replace(made, name=draft.node("Where", [unknown, draft.constant(UNKNOWN, "int32"), made.name], "classes"))


def candidates(draft: Draft, value: Value, channel: str, most: int, distance: int) -> Value:
    """The table `CANDIDATE` of heat maps, float32 (k, 8), by falling score; NaN as scores where a map holds NaN."""
    sizes = dict(zip(value.axes, value.shape, strict=True))
    channels, height, width = (sizes[id] or 0 for id in (channel, "y", "x"))
    rest = [axis for axis in value.axes if axis not in (channel, "y", "x")]
    order = [value.axes.index(axis) for axis in (*rest, channel, "y", "x")]
    name = draft.cast(value, "float32").name
    if order != sorted(order):
        name = draft.node("Transpose", [name], perm=order)
    name = draft.node("Reshape", [name, draft.constant([1, channels, height, width], "int64")], "maps")
    highest = _highest(draft, name, distance)
    lowest = draft.node("Neg", [_highest(draft, draft.node("Neg", [name]), distance)])
    peak = draft.node(
        "And", [draft.node("GreaterOrEqual", [name, highest]), draft.node("Greater", [name, lowest])], "peak"
    )
    scores = draft.node("Where", [peak, name, draft.constant(LOWEST, "float32")])
    flat = draft.constant([-1], "int64")
    count = draft.constant([min(most, channels * height * width)], "int64")
    score, index = draft.node("TopK", [draft.node("Reshape", [scores, flat]), count], outputs=2, axis=0)
    values = draft.node("Reshape", [name, flat])
    area, row = draft.constant(height * width, "int64"), draft.constant(width, "int64")
    of = draft.node("Div", [index, area])
    inside = draft.node("Sub", [index, draft.node("Mul", [of, area])])
    y = draft.node("Div", [inside, row])
    x = draft.node("Sub", [inside, draft.node("Mul", [y, row])])
    around = []
    for place, size, step in ((y, height, width), (x, width, 1)):
        for by in (-1, 1):
            other = _mirrored(draft, draft.node("Add", [place, draft.constant(by, "int64")]), size)
            moved = draft.node("Mul", [draft.node("Sub", [other, place]), draft.constant(step, "int64")])
            around.append(draft.node("Gather", [values, draft.node("Add", [index, moved])], axis=0))
    none = draft.node("Cast", [draft.node("IsNaN", [name])], to=1)
    some = draft.node("Greater", [draft.node("ReduceMax", [none], keepdims=0), draft.constant(0.0, "float32")])
    score = draft.node("Where", [some, draft.constant(np.nan, "float32"), score], "score")
    columns = [*(draft.node("Cast", [each], to=1) for each in (y, x, of)), score, *around]
    two = draft.constant([1], "int64")
    table = draft.node("Concat", [draft.node("Unsqueeze", [each, two]) for each in columns], "candidates", axis=1)
    return Value(table, "float32", ("index", "channel"), (min(most, channels * height * width), len(columns)))


def _highest(draft: Draft, name: str, distance: int) -> str:
    """The largest value within a square, of each pixel: along x, and of that along y, which looks at fewer pixels."""
    side = 2 * distance + 1
    if distance == 1:
        return str(draft.node("MaxPool", [name], kernel_shape=[3, 3], pads=[1] * 4))
    rows = draft.node("MaxPool", [name], kernel_shape=[1, side], pads=[0, distance, 0, distance])
    return str(draft.node("MaxPool", [rows], kernel_shape=[side, 1], pads=[distance, 0, distance, 0]))


def _mirrored(draft: Draft, place: str, size: int) -> str:
    """Places that may be one pixel beyond the border as those one pixel inside of it."""
    if size == 1:
        return str(draft.node("Mul", [place, draft.constant(0, "int64")]))
    last = draft.constant(size - 1, "int64")
    place = draft.node("Abs", [place])
    return str(draft.node("Sub", [last, draft.node("Abs", [draft.node("Sub", [last, place])])]))
