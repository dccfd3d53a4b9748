"""One stage written into a graph: frame axes, preprocessing, padding, the network, crop, postprocessing, answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .._errors import PipelineError
from ..package import TensorDescription
from ._around import graph_steps, image_size, of_calibrated, postprocessed, preprocessed, scaled_back
from ._crop import crop, fixed_scales, reference
from ._decide import decided, with_widths
from ._draft import Draft, Value
from ._layout import Picture, arrange, picture_of, placed
from ._network import mount
from ._pad import Padding, pad, paddings
from ._points import COLUMNS, inside
from ._rescale import PixelSize, rescaled, rescaling_of
from ._states import state_pairs, zero_states
from ._statistics import Origin, Statistics
from ._types import Answer, Note, Scalar, StageRequest, State

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, slots=True)
class Read:
    """What a stage reads: a picture, made of which frames, and whether the host has its values (Origin)."""

    picture: Picture
    frames: tuple[int, ...]
    host: bool = False
    gain: float = 1.0
    offset: float = 0.0
    later: bool = False
    calibrated: bool = False
    pixel_size_um: PixelSize | None = None
    root: Origin | None = None


@dataclass
class Written:
    """What a stage adds to a graph beside nodes. `image` is its first output, for stages that read it."""

    scalars: list[Scalar] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    state_outputs: list[tuple[Value, str]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    answer_outputs: list[tuple[Value, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    image: Value | None = None
    image_size_um: PixelSize | None = None
    origin: Origin | None = None


def write_stage(draft: Draft, stage: StageRequest, model: ModelProto, read: Read) -> Written:
    """Add the stage to the draft. Raises PipelineError or PackageError when it cannot run on what it reads."""
    written = Written()
    source, pairs = _image_input(stage)
    homes = placed(read.picture, source, stage.name)
    picture, frames = read.picture, read.frames
    if picture.along and picture.along not in homes:
        target = picture.target % len(picture.parts)
        picture, frames = picture.alone(), (frames[target],)
        written.notes.append(
            Note("warning", stage.name, f"frame {target} of the window alone", "no axis for the others")
        )
    rescaling = rescaling_of(stage, source, picture, read.pixel_size_um, written.notes)
    if rescaling is not None:
        picture = rescaled(draft, picture, rescaling)
    value = arrange(draft, picture, source, homes)
    origin = Origin(value, picture, homes, frames, read.host, read.gain, read.offset)
    written.origin = origin
    statistics = Statistics(draft, stage, read.later, {source.name: origin}, read.root)
    if read.calibrated or rescaling is not None:
        origin, source = of_calibrated(draft, stage, source, origin, written.notes)
    value = origin.value
    grown = paddings(source, _known(value), stage.outputs, stage.name)
    if source.pad == "constant":  # a value of the tensor as it comes, before its steps
        value = pad(draft, value, grown, source.pad, source.pad_value)
    value = preprocessed(draft, stage, source, origin, value, statistics, written.notes)
    if source.pad != "constant":
        value = pad(draft, value, grown, source.pad)
    _note_padding(stage, grown, source.pad, written.notes)
    feeds = {source.graph_name: value}
    sizes = {(source.name, id): size for id, size in zip(value.axes, value.shape, strict=True)}
    for state, fed in zero_states(stage, pairs, sizes):
        written.states.append(state)
        feeds[fed] = Value(state.input, state.dtype, (), state.shape)
    remembered: dict[int, tuple[Value, str]] = {}
    outputs = mount(draft, model, f"{stage.name}/", feeds)
    for output in stage.outputs:
        made = _described(outputs[output.graph_name], output, grown, source)
        pair = next((at for at, (_, given) in enumerate(pairs) if given.name == output.name), None)
        if pair is None:
            scales = fixed_scales(model, output, source, value, grown)
            made = crop(draft, made, output, source, grown, scales)
            made = postprocessed(draft, stage, output, made, statistics, written.notes)
            if stage.settings.get("decode") == "points":
                made = inside(draft, made, stage.settings.get("columns", COLUMNS), grown)
            if rescaling is not None:
                made = scaled_back(draft, stage, output, source, made, rescaling, written.notes)
            if not written.answers:
                bare, made = made, decided(draft, stage, output, made)
                if made is not bare:
                    written.notes.append(Note("fused", stage.name, f"decode: {stage.settings['decode']}"))
            _answer(stage, output, made, written)
        else:
            _check_state(stage, written.states[pair], made)
            remembered[pair] = made, written.states[pair].output
    _join(draft, stage, written)
    # In the order of the states, whatever that of the package's outputs is: each goes back into its own input.
    written.state_outputs = [remembered[pair] for pair in sorted(remembered)]
    written.scalars = statistics.scalars
    if read.pixel_size_um and written.image is not None:
        written.image_size_um = image_size(stage, source, read.pixel_size_um)
    return written


def _image_input(stage: StageRequest) -> tuple[TensorDescription, list[tuple[TensorDescription, TensorDescription]]]:
    pairs = state_pairs(stage)
    fed = {given.name for given, _ in pairs}
    images = [tensor for tensor in stage.inputs if tensor.name not in fed and not tensor.optional]
    if len(images) != 1:
        names = ", ".join(tensor.name for tensor in images) or "none"
        raise PipelineError(
            f"found the inputs {names} for the stage {stage.name!r}, expected one that frames go to: name the others "
            "in config.onscope as `state`, pairs of an input and the output that it takes in the next window"
        )
    return images[0], pairs


def _answer(stage: StageRequest, output: TensorDescription, value: Value, written: Written) -> None:
    decoded = output.steps[len(graph_steps(output)) :]
    written.notes += [Note("outside", stage.name, step.id, "carried out by the decoder") for step in decoded]
    name = f"{stage.name}.{output.name}"
    written.answers.append(Answer(stage.name, output.name, name, value.axes, value.dtype, value.shape, decoded))
    written.answer_outputs.append((value, name))
    if len(written.answers) == 1 and not decoded:
        written.image = value


def _join(draft: Draft, stage: StageRequest, written: Written) -> None:
    """Two outputs that are one answer: the first has both, and the other is none."""
    channel = next((axis.id for axis in stage.outputs[0].described if axis.kind == "channel"), "")
    values = {answer.tensor: value for answer, (value, _) in zip(written.answers, written.answer_outputs, strict=True)}
    joined = with_widths(draft, stage, values, channel)
    if joined is None:
        return
    written.answers[0] = replace(written.answers[0], dtype=joined.dtype, shape=joined.shape)
    written.answer_outputs[0] = joined, written.answer_outputs[0][1]
    gone = list(values).index(str(stage.settings["width_output"]))
    del written.answers[gone], written.answer_outputs[gone]


def _described(
    made: Value, output: TensorDescription, grown: Mapping[str, Padding], source: TensorDescription
) -> Value:
    """An output with its axes, and the sizes that the description knows where shape inference did not."""
    if len(made.shape) != len(output.described):
        made = replace(made, shape=(None,) * len(output.described))
    sizes: list[int | None] = []
    for axis, size in zip(output.described, made.shape, strict=True):
        follows = reference(axis, source)
        if size is None and follows and follows.axis in grown:
            size = follows.size(grown[follows.axis].padded)
        sizes.append(axis.size.fixed if size is None else size)
    return Value(made.name, made.dtype, output.axes, tuple(sizes))


def _known(value: Value) -> dict[str, int]:
    return {id: size for id, size in zip(value.axes, value.shape, strict=True) if size is not None}


def _note_padding(stage: StageRequest, grown: Mapping[str, Padding], mode: str, notes: list[Note]) -> None:
    changed = {id: each for id, each in grown.items() if each.padded != each.size}
    if changed:
        sizes = ", ".join(f"{id} {each.size} -> {each.padded}" for id, each in changed.items())
        halo = any(each.halo for each in changed.values())
        notes.append(Note("padded", stage.name, sizes, ("for the halo of its outputs" if halo else mode or "mirrored")))


def _check_state(stage: StageRequest, state: State, made: Value) -> None:
    known = [size is None or size == want for size, want in zip(made.shape, state.shape, strict=False)]
    if made.dtype != state.dtype or len(made.shape) != len(state.shape) or not all(known):
        raise PipelineError(
            f"found the state {state.input} of the stage {stage.name!r} as {state.shape} {state.dtype}, but its output "
            f"as {made.shape} {made.dtype}, expected the same: correct the package"
        )


def stage_image(written: Written, reads: str) -> Picture:
    """A stage's first output as later ones read it; raises PipelineError when it is none."""
    if written.image is None or not {"y", "x"} <= set(written.image.axes):
        raise PipelineError(
            f"found a stage that reads {reads!r}, whose answer is no image in the graph, expected one that is: read "
            "another stage"
        )
    return picture_of(written.image)
