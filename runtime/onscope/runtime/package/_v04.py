"""Tensors of a BioImage.IO 0.4 description in the words of 0.5.

Axes are letters, sizes sequences beside them, and data comes and goes as float32 whatever the description says: the
steps here are those that bioimageio.core 0.11 carries out (proc_setup.py), so that both answer alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._errors import PackageError
from ._axes import MAX_AXIS, bounded
from ._description import Axis, AxisKind, AxisSize, SizeReference, Step, TensorDescription, make_step
from ._files import short
from ._steps import ensure_dtype, plain

if TYPE_CHECKING:
    from bioimageio.spec.model.v0_4 import InputTensorDescr, ModelDescr, OutputTensorDescr

LETTERS: Mapping[str, tuple[str, AxisKind]] = {
    "b": ("batch", "batch"),
    "i": ("index", "index"),
    "t": ("time", "time"),
    "c": ("channel", "channel"),
    "z": ("z", "space"),
    "y": ("y", "space"),
    "x": ("x", "space"),
}
FED = "float32"
"""What every network of this format takes and gives, so far as its preprocessing goes."""


def read_tensors(model: ModelDescr) -> tuple[tuple[TensorDescription, ...], tuple[TensorDescription, ...]]:
    """Inputs and outputs of a checked 0.4 description, without what only the graph knows; raises PackageError."""
    inputs = {str(tensor.name): (str(tensor.axes), _input_sizes(tensor)) for tensor in model.inputs}
    return (
        tuple(
            _tensor(tensor, inputs[str(tensor.name)][1], tensor.preprocessing, first=number == 0)
            for number, tensor in enumerate(model.inputs)
        ),
        tuple(
            _tensor(tensor, _output_sizes(tensor, inputs), tensor.postprocessing, first=number == 0)
            for number, tensor in enumerate(model.outputs)
        ),
    )


def _tensor(
    tensor: InputTensorDescr | OutputTensorDescr, sizes: Sequence[AxisSize], steps: Sequence[Any], first: bool
) -> TensorDescription:
    name, letters = str(tensor.name), str(tensor.axes)
    halo = list(getattr(tensor, "halo", None) or [0] * len(letters))
    if not len(letters) == len(sizes) == len(halo):
        raise PackageError(
            f"found {len(sizes)} sizes for the axes {letters} of {short(name)}, expected one for each: correct it"
        )
    axes = [
        Axis(*LETTERS[letter], size, scale=_scale(size), halo=int(edge), channels=_channels(letter, size))
        for letter, size, edge in zip(letters, sizes, halo, strict=True)
    ]
    done = [_step(one, letters) for one in steps]
    # bioimageio.core leaves the cast to the described dtype out only where the first tensor has no steps.
    if done or not first:
        done.insert(0, ensure_dtype(str(tensor.data_type)))
    return TensorDescription(name, name, bounded(name, axes), FED, (*done, ensure_dtype(FED)))


def _scale(size: AxisSize) -> float:
    return 1 / size.follows.factor if size.follows else 1.0


def _channels(letter: str, size: AxisSize) -> tuple[str, ...]:
    return tuple(f"channel{number}" for number in range(size.fixed or 0)) if letter == "c" else ()


def _input_sizes(tensor: InputTensorDescr) -> list[AxisSize]:
    shape: Any = tensor.shape
    pairs = zip(shape.min, shape.step, strict=True) if hasattr(shape, "step") else ((size, 0) for size in shape)
    return [
        AxisSize() if letter == "b" else _stated(tensor.name, low, step)
        for letter, (low, step) in zip(str(tensor.axes), pairs, strict=False)
    ]


def _stated(tensor: object, low: int, step: int) -> AxisSize:
    if low < 1 or step < 0:
        raise PackageError(f"found a size of {low} + n * {step} in {short(tensor)}, expected at least 1 pixel")
    if max(low, step) > MAX_AXIS:  # channels get a name each
        raise PackageError(
            f"found a size of {low} + n * {step} in {short(tensor)}, expected at most {MAX_AXIS}: correct it"
        )
    return AxisSize(minimum=low, step=step) if step else AxisSize(fixed=low)


def _output_sizes(tensor: OutputTensorDescr, inputs: Mapping[str, tuple[str, Sequence[AxisSize]]]) -> list[AxisSize]:
    shape: Any = tensor.shape
    letters = str(tensor.axes)
    if not hasattr(shape, "reference_tensor"):
        return [
            AxisSize() if letter == "b" else _stated(tensor.name, size, 0)
            for letter, size in zip(letters, shape, strict=False)
        ]
    # "name.axis": an older way to say which axis of the reference is meant.
    reference, _, other = str(shape.reference_tensor).partition(".")
    if reference not in inputs:
        raise PackageError(
            f"found a shape of {short(tensor.name)} that follows {short(reference)}, expected an input: correct it"
        )
    known = dict(zip(*inputs[reference], strict=False))
    in_turn = iter(known)  # the format counts the axes that are not new, whatever their letters
    sizes = []
    for letter, scale, offset in zip(letters, shape.scale, shape.offset, strict=False):
        placed = "" if scale is None else next(in_turn, "")
        source = other or (letter if letter in known else placed)
        sizes.append(_implicit(tensor.name, letter, reference, (source, known.get(source)), scale, offset))
    return sizes


def _implicit(
    tensor: object, letter: str, reference: str, source: tuple[str, AxisSize | None], scale: float | None, offset: float
) -> AxisSize:
    """shape = reference shape * scale + 2 * offset; without a scale the axis is new, of 2 * offset."""
    if letter == "b":
        return AxisSize()
    if not scale:
        return _stated(tensor, int(2 * offset), 0)
    other, size = source
    if size is None:
        raise PackageError(
            f"found the axis {letter} of {short(tensor)} without one in {short(reference)}, expected a scale of null "
            "for a new axis: correct it"
        )
    follows = SizeReference(reference, LETTERS[other][0], float(scale), int(2 * offset))
    if size.fixed is not None and LETTERS[letter][1] in ("channel", "index"):
        return _stated(tensor, follows.size(size.fixed), 0)
    return AxisSize(follows=follows)


def _step(described: Any, letters: str) -> Step:
    """One step with 0.5's arguments: `axes` are ids, with "batch" among them for statistics of the whole dataset."""
    id, kwargs = str(described.name), getattr(described, "kwargs", None)
    arguments = {key: getattr(kwargs, key) for key in type(kwargs).model_fields} if kwargs is not None else {}
    mode = arguments.pop("mode", None)
    if id == "zero_mean_unit_variance":
        mean, std = arguments.pop("mean"), arguments.pop("std")
        if mode == "fixed":
            return _along("fixed_zero_mean_unit_variance", {"mean": mean, "std": std}, arguments["axes"], letters)
    if id == "scale_linear":
        return _along(id, arguments, arguments.pop("axes"), letters)
    if arguments.get("axes") is not None:
        ids = [LETTERS[letter][0] for letter in arguments["axes"]]
        arguments["axes"] = ["batch", *ids] if mode == "per_dataset" else ids
    if id == "clip":
        arguments |= {"min_percentile": None, "max_percentile": None, "axes": None}
    return make_step(id, plain(arguments, id))


def _along(id: str, values: Mapping[str, Any], axes: str | None, letters: str) -> Step:
    """A step with one value per channel, or whatever axis is not among those that are scaled jointly."""
    values = {key: plain(value, id) for key, value in values.items()}
    if axes is None or not (rest := [letter for letter in letters if letter not in f"{axes}b"]):
        if any(isinstance(value, list) and len(value) != 1 for value in values.values()):
            raise PackageError(f"found several values for {id} without an axis that they differ along: correct it")
        return make_step(id, {key: value[0] if isinstance(value, list) else value for key, value in values.items()})
    if len(rest) > 1:
        raise PackageError(
            f"found {id} over the axes {axes} of {letters}, which leaves {', '.join(rest)}, expected at most one more"
        )
    listed = {key: value if isinstance(value, list) else [value] for key, value in values.items()}
    return make_step(id, {**listed, "axis": LETTERS[rest[0]][0]})
