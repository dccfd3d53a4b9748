"""Does a package's compiled graph give the package's own test outputs? Its test input is the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..engines import open_session
from ..graph import Compiled, HostScalars, Raw, StageRequest, compile_group, undecided
from ..package import Agreement, Package, TensorDescription, described_dtype, held_against

Array = npt.NDArray[Any]
DTYPES = ("uint8", "uint16", "float32")
"""Pixels of frames."""
LETTERS: Mapping[str, Any] = {"time": "t", "z": "z", "channel": "c", "index": "i"}
"""What frames of a window follow along, by the kind or id of the network's axis."""
FLIPPED = 2
"""Pixels of an answer of whole numbers that may come out on the other side of a threshold, however few there are:
float32 and NumPy's float64 do not round alike."""


def prove_compiled(
    package: Package, request: StageRequest, provider: str = "auto", threads: int | None = None
) -> tuple[tuple[Agreement, ...], str]:
    """The compiled graph's answers to the package's test input against its test outputs; or why there are none.

    `request` is a stage that runs the package; how it normalises, tiles and rescales is left aside. Raises what
    `compile_group` and `open_session` raise.
    """
    tests = dict(zip((tensor.name for tensor in package.inputs), package.load_test_inputs(), strict=False))
    if not tests or not package.test_outputs:
        return (), "it has no test tensors"
    stage = undecided(replace(request, reads="frame", normalise="per_frame", tile=None, rescale=False))
    states = [each.get("input") for each in stage.settings.get("state", ()) if isinstance(each, Mapping)]
    images = [tensor for tensor in package.inputs if tensor.name not in states and not tensor.optional]
    if len(images) != 1:
        return (), "frames go to one input, and it has several"
    window, raw = _frames(images[0], tests[images[0].name])
    if raw is None:
        return (), "its test input is no window of frames"
    compiled = compile_group([stage], raw)
    if any(note.kind == "padded" for note in compiled.notes):
        return (), "frames are padded for the halo of its outputs, the test input is not"
    session = open_session(compiled.path, provider, threads)
    scalars = HostScalars(compiled.scalars, raw).values(window)
    answers = session.run([*window, *scalars, *_states(compiled, stage, tests)])
    found = {answer.tensor: array for answer, array in zip(compiled.answers, answers, strict=False)}
    return tuple(_lenient(package, one) for one in held_against(package, found)), ""


def _frames(tensor: TensorDescription, array: Array) -> tuple[list[Array], Raw | None]:
    """A test input as the frames of a window, and what they are; None where it can be none."""
    dtype = described_dtype(tensor, "input")
    kinds = {axis.id: axis.kind for axis in tensor.described}
    wide = [axis for axis, size in zip(tensor.axes, array.shape, strict=True) if size > 1 and axis not in ("y", "x")]
    samples = [axis for axis in wide if kinds[axis] == "channel"] if len(wide) == 2 else []
    along = [axis for axis in wide if axis not in samples]
    letters = [LETTERS.get(kinds[axis], LETTERS.get(axis, "")) for axis in along]
    if dtype not in DTYPES or not {"y", "x"} <= set(tensor.axes) or len(along) > 1 or "" in letters:
        return [], None
    order = [tensor.axes.index(axis) for axis in (*along, "y", "x", *samples)]
    rest = [place for place in range(array.ndim) if place not in order]
    turned = array.astype(dtype).transpose(*rest, *order).reshape([array.shape[place] for place in order])
    frames = [np.ascontiguousarray(frame) for frame in (turned if along else turned[np.newaxis])]
    axes = "yxs" if samples else "yx"
    return frames, Raw(frames[0].shape, dtype, axes, len(frames), letters[0] if along else "t", 0)


def _states(compiled: Compiled, stage: StageRequest, tests: Mapping[str, Array]) -> list[Array]:
    """What the network remembers before the test: its test inputs of these names."""
    names = [state.input.removeprefix(f"{stage.name}.") for state in compiled.states]
    return [
        np.ascontiguousarray(tests[name].astype(state.dtype))
        for name, state in zip(names, compiled.states, strict=True)
    ]


def _lenient(package: Package, one: Agreement) -> Agreement:
    tensor = next(tensor for tensor in package.outputs if tensor.name == one.output)
    if np.dtype(described_dtype(tensor, "output")).kind == "f" and "binarize" not in tensor.processing:
        return one
    most = max(one.tolerance.off_per_million, FLIPPED * 1e6 / max(one.elements, 1))
    return replace(one, tolerance=replace(one.tolerance, off_per_million=most))
