"""The whole graph of some stages: their nodes, in the order of the stages, with the frames before and answers after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import PackageError
from ._crops import LETTER, one_by_one, refuse_maps
from ._draft import Draft, Value
from ._fold import wanted
from ._layout import Picture
from ._memory import memory_mb
from ._network import DEFAULT_DOMAINS, infer, ir_version, load_network, one_opset
from ._stage import Read, Written, stage_image, write_stage
from ._types import Compiled, Note, Raw, StageRequest
from .calibration import Calibration, affine, calibrate, is_affine

if TYPE_CHECKING:
    from onnx import ModelProto


def assemble(stages: Sequence[StageRequest], raw: Raw, calibration: Calibration | None) -> tuple[bytes, Compiled]:
    """The ONNX file of the stages and its description (without path and hash)."""
    if LETTER in raw.axes:
        refuse_maps(stages, calibration)
        stages = [one_by_one(stage) for stage in stages]
    loaded = {stage.name: load_network(stage.weights, stage.weights_sha256) for stage in stages}
    opset, models, converted = one_opset(loaded, stages)
    draft = Draft("_", opset)  # no stage's name begins so: nothing inside a network can be called the same
    frames = [Value(f"frame_{n}", raw.dtype, tuple(raw.axes), raw.shape) for n in range(raw.length)]
    first, notes = _first(draft, stages, frames, raw, calibration)
    written: dict[str, Written] = {}
    reads: dict[str, Read] = {}
    for stage in stages:
        before = written.get(stage.reads)
        if before is None:
            reads[stage.name] = first
        else:
            root = reads[stage.reads].root or before.origin
            reads[stage.name] = Read(
                stage_image(before, stage.reads), (0,), later=True, root=root, pixel_size_um=before.image_size_um
            )
            notes.append(Note("merged", stage.name, f"reads {stage.reads} in the same graph"))
        written[stage.name] = write_stage(draft, stage, models[stage.name], reads[stage.name])
    parts = list(written.values())
    for value in frames:
        draft.input(value.name, value.dtype, value.shape)
    for scalar in (each for part in parts for each in part.scalars):
        draft.input(scalar.input, "float32", scalar.shape)
    for state in (each for part in parts for each in part.states):
        draft.input(state.input, state.dtype, state.shape)
    for value, name in (each for part in parts for each in part.answer_outputs):
        draft.output(value, name)
    for value, name in (each for part in parts for each in part.state_outputs):
        draft.output(value, name)
    model, content = _model(draft, opset, models.values())
    compiled = Compiled(
        path=Path(),
        sha256="",
        stages=tuple(stage.name for stage in stages),
        frames=raw.length,
        scalars=tuple(each for part in parts for each in part.scalars),
        states=tuple(each for part in parts for each in part.states),
        answers=tuple(each for part in parts for each in part.answers),
        notes=(*notes, *converted, *(each for part in parts for each in part.notes)),
        memory_mb=round(memory_mb(model), 3),
        opset=opset,
        ir_version=model.ir_version,
    )
    return content, compiled


def _first(
    draft: Draft, stages: Sequence[StageRequest], frames: Sequence[Value], raw: Raw, calibration: Calibration | None
) -> tuple[Read, list[Note]]:
    """What stages read that read the frames: these, calibrated where the user has measured the camera."""
    along = raw.letter if raw.length > 1 else ""
    numbers = tuple(range(raw.length))
    target = raw.target % raw.length
    pixel = None if raw.pixel_size_um is None else (raw.pixel_size_um, raw.pixel_size_um)
    host = stages[0].normalise != "per_crop"
    if calibration is None:
        return Read(Picture(tuple(frames), along, target), numbers, host=host, pixel_size_um=pixel), []
    made = tuple(calibrate(draft, value, calibration) for value in frames)
    gain, offset = affine(calibration)
    plain = is_affine(calibration)
    host = host and plain
    what = f"counts * {gain:g} {'-' if offset < 0 else '+'} {abs(offset):g}" if plain else "by maps, pixel by pixel"
    why = "" if plain else "statistics are taken in the graph: the host has raw counts only"
    read = Read(Picture(made, along, target), numbers, host, gain, offset, calibrated=True, pixel_size_um=pixel)
    return read, [Note("calibrated", stages[0].name, what, why)]


def _model(draft: Draft, opset: int, networks: Iterable[ModelProto]) -> tuple[ModelProto, bytes]:
    from onnx import checker, helper

    # Of domains beside the default one (ai.onnx.ml) the newest version that a network was written in.
    others: dict[str, int] = {}
    for entry in (entry for network in networks for entry in network.opset_import):
        if entry.domain not in DEFAULT_DOMAINS:
            others[entry.domain] = max(others.get(entry.domain, 1), entry.version)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(*each) for each in others.items())]
    nodes = wanted(draft.nodes, [value.name for value in draft.outputs])
    graph = helper.make_graph(nodes, "onscope", draft.inputs, draft.outputs, draft.initializers)
    made = helper.make_model(graph, opset_imports=imports, ir_version=ir_version(opset), producer_name="onscope")
    model = infer(made)
    try:
        checker.check_model(model, full_check=True)
        content = model.SerializeToString()
    except Exception as error:  # protobuf's and onnx's errors have no common base
        raise PackageError(f"cannot make one graph of the stages: {error}") from error
    return model, content
