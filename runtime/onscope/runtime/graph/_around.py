"""What is done to a tensor before and after the network: steps, and the way back from another pixel size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._errors import PipelineError
from ..package import Step, TensorDescription
from ._crop import reference
from ._draft import Draft, Value
from ._layout import Picture
from ._points import COLUMNS
from ._rescale import PixelSize, Rescaling, back, points_back
from ._statistics import Origin, Statistics
from ._types import Note, StageRequest
from .steps import apply_step, ensure_dtype, is_decoder

SMOOTH = ("image", "classes", "peaks", "depth")
"""Kinds of answers whose outputs are resized by interpolation; the graph decodes them afterwards."""


def preprocessed(
    draft: Draft,
    stage: StageRequest,
    source: TensorDescription,
    origin: Origin,
    value: Value,
    statistics: Statistics,
    notes: list[Note],
) -> Value:
    """`value` as the network takes it; raises PipelineError when values would not fit into its dtype.

    It is the origin's, or that one padded: statistics are the origin's.
    """
    if all(step.id == "ensure_dtype" for step in source.steps) and not np.can_cast(value.dtype, source.dtype):
        raise PipelineError(
            f"found {value.dtype} from {stage.reads} for the stage {stage.name!r}, expected {source.dtype}: the values "
            "would not fit, so choose a package that takes these frames"
        )
    for step in source.steps:
        if _is_nothing(step, value):
            continue
        statistics.taken.clear()
        value = apply_step(draft, value, step, lambda statistic: statistics.of(origin, statistic))
        notes.append(Note("fused", stage.name, step.id, "; ".join(dict.fromkeys(statistics.taken))))
    return draft.cast(value, source.dtype)


def of_calibrated(
    draft: Draft, stage: StageRequest, source: TensorDescription, origin: Origin, notes: list[Note]
) -> tuple[Origin, TensorDescription]:
    """What is done otherwise for calibrated counts, which are fractions and may be below 0.

    Packages say of the camera's counts that they are whole; a cast to that before the steps that normalise would cut
    off what the calibration gave. A network that takes whole counts without any step gets rounded ones.
    """
    rest = list(source.steps)
    while rest and rest[0].id == "ensure_dtype" and np.dtype(rest[0].arguments["dtype"]).kind in "iu":
        del rest[0]
    if rest or np.dtype(source.dtype).kind not in "iu":
        return origin, replace(source, steps=tuple(rest))
    notes.append(Note("warning", stage.name, f"fractions of counts rounded to {source.dtype}", "that is what it takes"))
    whole = replace(origin.value, name=draft.node("Round", [origin.value.name], "rounded"))
    return replace(origin, value=ensure_dtype(draft, whole, source.dtype)), source


def postprocessed(
    draft: Draft,
    stage: StageRequest,
    output: TensorDescription,
    value: Value,
    statistics: Statistics,
    notes: list[Note],
) -> Value:
    """An output of the network after those of its steps that are graph operations."""
    origin = Origin(value, Picture((value,)), {})
    for step in graph_steps(output):
        if _is_nothing(step, value):
            continue
        statistics.taken.clear()
        value = apply_step(draft, value, step, lambda statistic: statistics.of(origin, statistic))
        notes.append(Note("fused", stage.name, step.id, "; ".join(dict.fromkeys(statistics.taken))))
    return value


def graph_steps(output: TensorDescription) -> tuple[Step, ...]:
    """An output's steps up to the first that is a decoder's: what comes after that works on its answer."""
    decoders = [at for at, step in enumerate(output.steps) if is_decoder(step)]
    return output.steps[: decoders[0]] if decoders else output.steps


def scaled_back(
    draft: Draft,
    stage: StageRequest,
    output: TensorDescription,
    source: TensorDescription,
    value: Value,
    rescaling: Rescaling,
    notes: list[Note],
) -> Value:
    """An answer as it were of the frame before it was rescaled: as large, or its points in that frame's pixels."""
    follows = [reference(axis, source) for axis in output.described if axis.id in ("y", "x")]
    own = dict(zip(("y", "x"), rescaling.own, strict=True))
    if len(follows) == 2 and all(each is not None for each in follows):
        y, x = (each.size(own[each.axis]) for each in follows if each is not None)
        smooth = value.dtype != "bool" and stage.settings.get("decode", "image") in SMOOTH
        return back(draft, value, (y, x), smooth)
    columns = stage.settings.get("columns", COLUMNS)
    if stage.settings.get("decode") == "points" and {"y", "x"} <= set(columns) and value.dtype == "float32":
        return points_back(draft, value, columns, rescaling)
    notes.append(Note("warning", stage.name, f"{output.name} in pixels of the rescaled frame", "it is no image"))
    return value


def image_size(stage: StageRequest, source: TensorDescription, have: PixelSize) -> PixelSize | None:
    """Pixel size of the first output; None where it does not follow the input."""
    found = {}
    for axis in stage.outputs[0].described:
        follows = reference(axis, source)
        if axis.id in ("y", "x") and follows:
            found[axis.id] = (
                have[("y", "x").index(follows.axis)] / follows.factor if follows.axis in ("y", "x") else 0.0
            )
    return (found["y"], found["x"]) if len(found) == 2 and all(found.values()) else None


def _is_nothing(step: Step, value: Value) -> bool:
    return step.id == "ensure_dtype" and step.arguments["dtype"] == value.dtype
