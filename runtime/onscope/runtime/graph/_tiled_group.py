"""Compile stages for tiles of a frame: looked at as a whole first, then written for one tile, and the two compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from .._errors import PipelineError
from ._pad import paddings
from ._types import Answer, Compiled, Note, Raw, StageRequest, Tiling
from .field import Field, Trace, difference, field_of, trace_of
from .tiles import AXES, plan_tiles, starts_of

if TYPE_CHECKING:
    from onnx import ModelProto

    from .calibration import Calibration

Assemble = Callable[[Sequence[StageRequest], Raw, "Calibration | None"], tuple[bytes, Compiled]]


def tile_limit(stages: Sequence[StageRequest]) -> int | None:
    """The largest side in pixels that all of the stages may be run on at once; None: any."""
    return min((stage.tile for stage in stages if stage.tile is not None), default=None)


def assemble_tiled(
    assemble: Assemble, stages: Sequence[StageRequest], raw: Raw, calibration: Calibration | None, limit: int
) -> tuple[bytes, Compiled]:
    """The graph of the stages for tiles of at most `limit` pixels, its `tiling` set; for whole frames where they fit.

    `assemble` writes a graph for frames of one shape. The one for whole frames is written first, and never run: its
    receptive field says how to cut, and its answers' shapes what to put together. A network of a fixed size smaller
    than the frame has no such graph, and tiles are not said to be exact. Raises PipelineError when an answer is no
    image, when the tile is too small, or when a calibration has maps.
    """
    if max(raw.shape[:2]) <= limit:
        return assemble(stages, raw, calibration)
    if calibration is not None and calibration.size is not None:
        raise PipelineError(
            f"found a tile of {limit} pixels and a calibration with maps for the stage {stages[0].name!r}, expected "
            "one of them: run it on whole frames, or correct the frames before"
        )
    align, sides = (_step(stages, "y"), _step(stages, "x")), _most(stages, raw, limit)
    seen, unseen = raw, ""
    try:
        looked_at, whole = assemble(stages, raw, calibration)
    except PipelineError:  # said again here unless it is the frame's size
        seen, unseen = replace(raw, shape=sides + raw.shape[2:]), "the network takes no frame of this size"
        looked_at, whole = assemble(stages, seen, calibration)
    model, trace = _traced(looked_at, whole, seen)
    field = _field(trace, whole, seen)
    tiling = plan_tiles(raw.shape, field, sides, align=align, snug=not unseen)
    piece = replace(raw, shape=(*tiling.tile, *raw.shape[2:]))
    content, compiled = assemble(stages, piece, calibration)
    differs = ""
    if tiling.exact and not unseen:
        growth = {axis: size - side for axis, size, side in zip(AXES, raw.shape, tiling.tile, strict=False)}
        differs = difference(_traced(content, compiled, piece)[1], trace, growth, model)
    why = tiling.why or unseen or differs
    scales = tuple(_scale(trace, answer) for answer in whole.answers)
    tiling = replace(tiling, exact=not why, why=why, blended=tiling.blended or bool(differs), scales=scales)
    pairs = zip(compiled.answers, tiling.scales, strict=True)
    answers = tuple(_of_frame(answer, tiling, raw, scale) for answer, scale in pairs)
    rows, columns = starts_of(tiling, raw.shape)
    runs = -(-len(rows) * len(columns) // tiling.batch)
    states = tuple(replace(state, shape=(runs, *state.shape)) for state in compiled.states)
    notes = (*compiled.notes, _note(stages, tiling, len(rows), len(columns)))
    return content, replace(compiled, answers=answers, states=states, notes=notes, tiling=tiling)


def _traced(content: bytes, compiled: Compiled, raw: Raw) -> tuple[ModelProto, Trace]:
    import onnx

    model = onnx.load_from_string(content)
    frames = [value.name for value in model.graph.input[: compiled.frames]]
    axes = {name: {"y": 0, "x": 1} for name in frames}
    outputs = [answer.output for answer in compiled.answers]
    return model, trace_of(model, dict.fromkeys(frames, raw.shape), axes, outputs)


def _field(trace: Trace, compiled: Compiled, raw: Raw) -> Field:
    sizes = dict(zip(AXES, raw.shape, strict=False))
    for answer in compiled.answers:
        there = trace.reaches.get(answer.output, {})
        missing = [axis for axis in AXES if axis not in answer.axes or axis not in there]
        if missing:
            because = f" ({trace.reasons[0]})" if trace.reasons else ""
            raise PipelineError(
                f"found a tile for the stage {answer.stage!r}, whose {answer.tensor} has no {missing[0]} of the frame"
                f"{because}, expected an image: remove the tile"
            )
    field = field_of(trace, [answer.output for answer in compiled.answers], sizes)
    assert field is not None  # every answer has both axes
    return field


def _scale(trace: Trace, answer: Answer) -> tuple[float, float]:
    reaches = trace.reaches[answer.output]
    return float(reaches["y"].scale), float(reaches["x"].scale)


def _of_frame(answer: Answer, tiling: Tiling, raw: Raw, scale: tuple[float, float]) -> Answer:
    """The answer of one tile with the shape that all of them are put together to."""
    shape = list(answer.shape)
    for axis, first, factor in zip(AXES, starts_of(tiling, raw.shape), scale, strict=True):
        dim = answer.axes.index(axis)
        own = shape[dim]
        shape[dim] = None if own is None else own + int(first[-1] * Fraction(factor).limit_denominator(1024))
    return replace(answer, shape=tuple(shape))


def _most(stages: Sequence[StageRequest], raw: Raw, limit: int) -> tuple[int, int]:
    """The largest tile (y, x): `limit`, the frame, or the one size that a network takes, less the halo it asks for."""
    sides = []
    for axis, size in zip(AXES, raw.shape, strict=False):
        most = min(size, limit)
        for stage in stages:
            for tensor in stage.inputs:
                described = tensor.axis(axis)
                fixed = described.size.fixed if described else None
                if fixed is not None and described is not None and described.kind == "space":
                    room = paddings(tensor, dict.fromkeys((each.id for each in tensor.described), 1), stage.outputs, "")
                    most = min(size, fixed - 2 * room[axis].halo)
        sides.append(most)
    return sides[0], sides[1]


def _step(stages: Sequence[StageRequest], axis: str) -> int:
    """The step of the sizes that the stages' networks take along an axis."""
    steps = [1]
    for stage in stages:
        for tensor in stage.inputs:
            described = tensor.axis(axis)
            if described is not None and described.size.fixed is None and described.size.follows is None:
                steps.append(described.size.step)
    return math.lcm(*steps)


def _note(stages: Sequence[StageRequest], tiling: Tiling, rows: int, columns: int) -> Note:
    (height, width), (above, beside) = tiling.tile, tiling.halo
    what = f"{rows} x {columns} tiles of {height} x {width} pixels, halo {above} x {beside}"
    return Note("tiled", stages[0].name, what, "exact" if tiling.exact else f"not exact: {tiling.why}")
