"""Does a network still answer the same after onnx brought it to another opset? Both are run, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._errors import PackageError
from ._memory import run_mb
from ._types import StageRequest

if TYPE_CHECKING:
    from onnx import ModelProto

Array = npt.NDArray[Any]
MOST = 1e-5
"""Largest difference of an answer, relative to its range. Not between runs of one network: both sides round alike."""
MOST_MB = 1000.0
"""Largest estimated memory of a run that is tried."""
SIDES = ({"y": 40, "x": 56}, {"y": 136, "x": 200}, {"y": 520, "x": 264})
"""Pixels to try, the first that the network takes; others than these are the smallest that are described."""
HALF_PIXELS = 11
"""The opset from which on Resize says how it counts pixels; before, the first one lay at 0."""


def count_from_corners(model: ModelProto) -> None:
    """Make every Resize what it was before opset 11, as Upsample was: onnx's converter gives it the new defaults."""
    from onnx import helper

    for node in model.graph.node:
        if node.op_type == "Resize":
            kept = [
                each for each in node.attribute if each.name not in ("coordinate_transformation_mode", "nearest_mode")
            ]
            del node.attribute[:]
            node.attribute.extend(kept)
            node.attribute.append(helper.make_attribute("coordinate_transformation_mode", "asymmetric"))
            node.attribute.append(helper.make_attribute("nearest_mode", "floor"))


def check_conversion(original: ModelProto, converted: ModelProto, opset: int, stage: StageRequest) -> str:
    """Run both on the same seeded noise, at a small size; "" when they agree, or why they could not be compared.

    onnx's version converter is a set of adapters, one per operator and version, and some of them are wrong for some
    attributes; its own checks see types and shapes only. Raises PackageError, with the numbers, when an answer differs
    by more than 1e-5 of its range. Needs ONNX Runtime, whichever engine will run the graph.
    """
    try:
        import onnxruntime
    except ImportError:
        return "ONNX Runtime is not installed"
    try:
        before = _session(onnxruntime, original)
    except Exception as error:  # ONNX Runtime's errors have no common base below Exception
        return f"ONNX Runtime does not run what it was: {_first_line(error)}"
    inputs: dict[str, Array] = {}
    expected: list[Array] = []
    refused = ""
    for inputs in _inputs(original, stage):
        if (needed := run_mb(original, {name: array.shape for name, array in inputs.items()})) > MOST_MB:
            refused = refused or f"it would take {needed:.0f} MB"
            continue
        try:
            expected, again = before.run(None, inputs), before.run(None, inputs)
            break
        except Exception as error:
            refused = refused or _first_line(error)
    else:
        return f"it takes no frame of a size that was tried: {refused}"
    if any(not np.array_equal(one, two, equal_nan=_is_float(one)) for one, two in zip(expected, again, strict=True)):
        return "it answers otherwise each time"
    own = f"the network of the stage {stage.name!r}, brought to opset {opset} by onnx,"
    try:
        found = _session(onnxruntime, converted).run(None, inputs)
    except Exception as error:
        raise PackageError(
            f"found that {own} does not run any more ({_first_line(error)}), expected its answers: export it again "
            f"in opset {opset}"
        ) from error
    for port, want, have in zip(original.graph.output, expected, found, strict=True):
        differs = difference(np.asarray(want), np.asarray(have))
        if differs:
            raise PackageError(
                f"found that {own} differs in {port.name!r} from what it was: {differs}; expected at most {MOST:g} of "
                f"the range: export it again in opset {opset}"
            )
    return ""


def difference(want: Array, have: Array) -> str:
    """By how much two answers differ, in words; "" for at most 1e-5 of the range, NaN and infinities in place."""
    if want.shape != have.shape or want.dtype != have.dtype:
        return f"{have.shape} {have.dtype} instead of {want.shape} {want.dtype}"
    if not want.size:
        return ""
    if want.dtype.kind not in "fiub":
        return "" if np.array_equal(want, have) else "other values"
    expected, found = want.astype(np.float64), have.astype(np.float64)
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], found[~finite], equal_nan=True) or not np.isfinite(found[finite]).all():
        return "NaN or infinities elsewhere"
    expected, found = expected[finite], found[finite]
    if not expected.size:
        return ""
    error = float(np.abs(found - expected).max())
    # An answer that is the same everywhere has no range: then it is its size that counts.
    span = float(expected.max() - expected.min()) or float(np.abs(expected).max()) or 1.0
    return f"by {error:.3g}, {error / span:.1e} of its range {span:.3g}" if error > MOST * span else ""


def _session(onnxruntime: Any, model: ModelProto) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    # Operator by operator: what is optimised may be rounded differently in the two opsets.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _inputs(model: ModelProto, stage: StageRequest) -> Iterator[dict[str, Array]]:
    """Seeded noise for all inputs, of one size after the other; each size once."""
    from onnx import helper

    tried: list[Mapping[str, tuple[int, ...]]] = []
    for sides in SIDES:
        shapes = _shapes(stage, sides)
        if shapes in tried:
            continue
        tried.append(shapes)
        random = np.random.default_rng(0)
        arrays = {}
        for value in model.graph.input:
            stated = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
            dtype = np.dtype(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
            arrays[value.name] = _noise(random, shapes.get(value.name, tuple(stated)), dtype)
        yield arrays


def _noise(random: np.random.Generator, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return random.normal(0.3, 1.0, shape).astype(dtype)
    return random.integers(0, 2 if dtype.kind == "b" else 128, shape).astype(dtype)


def _shapes(stage: StageRequest, sides: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """A shape for each described input, by its name in the network: near `sides`, or the smallest."""
    sizes: dict[tuple[str, str], int] = {}
    for tensor in stage.inputs:
        for axis in tensor.described:
            if axis.size.follows is None:
                size = axis.size.at_least(sides.get(axis.id, 1))
                sizes[tensor.name, axis.id] = min(size, axis.size.maximum or size)
    for tensor in stage.inputs:
        for axis in tensor.described:
            follows = axis.size.follows
            if follows is not None:
                sizes[tensor.name, axis.id] = max(1, follows.size(sizes.get((follows.tensor, follows.axis), 1)))
    return {
        tensor.graph_name: tuple(sizes[tensor.name, axis.id] for axis in tensor.described) for tensor in stage.inputs
    }


def _is_float(array: Array) -> bool:
    return np.asarray(array).dtype.kind == "f"


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:160]
