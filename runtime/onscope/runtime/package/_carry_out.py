"""A package's answer, slowly and obviously: its steps in NumPy, its network on any engine.

Nothing that runs live is used, so that it can be held against what does. As bioimageio.core 0.11 has it, statistics
are taken of tensors as they come, before any step of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PackageError
from ..engines import Session
from ._denormalise import STEP
from ._description import Step, TensorDescription
from ._package import Package

Array = npt.NDArray[Any]
Named = tuple[Array, tuple[str, ...]]
"""An array and the ids of its axes."""
FIXED_EPS = 1e-6
"""What bioimageio.core adds to a fixed standard deviation."""
DECODERS = frozenset(("stardist_postprocessing", "cellpose_flow_dynamics"))
"""Steps that make objects of an output; no arithmetic on tensors."""


def carry_out(package: Package, session: Session, inputs: Sequence[Array]) -> list[Array]:
    """The answers to `inputs`, before all steps, in the order of `package.inputs`; in the order of `package.outputs`.

    `session` is the bare network. Steps from the first decoder on are left out. Raises PackageError for steps that are
    code of the package, ProviderError.
    """
    raw = _named(package, inputs)
    given = session.run(fed(package, inputs, session))
    made = {port.name: array for port, array in zip(session.outputs, given, strict=True)}
    return [processed(tensor.steps, made[tensor.graph_name], tensor.axes, raw) for tensor in package.outputs]


def fed(package: Package, inputs: Sequence[Array], session: Session) -> list[Array]:
    """What the bare network takes, in the order of its inputs: `inputs` after their steps."""
    raw = _named(package, inputs)
    ready = {tensor.graph_name: processed(tensor.steps, *raw[tensor.name], raw) for tensor in package.inputs}
    return [np.ascontiguousarray(ready[port.name]) for port in session.inputs]


def _named(package: Package, inputs: Sequence[Array]) -> dict[str, Named]:
    return {tensor.name: (array, tensor.axes) for tensor, array in zip(package.inputs, inputs, strict=True)}


def decoded(tensor: TensorDescription) -> str:
    """The decoder among a tensor's steps; "" where there is none."""
    return next((step.id for step in tensor.steps if step.id in DECODERS), "")


def processed(steps: Sequence[Step], as_it_comes: Array, axes: tuple[str, ...], inputs: Mapping[str, Named]) -> Array:
    """What the steps make of a tensor with these axes (ids), up to the first decoder; float64 where nothing casts.

    `inputs` are the tensors that a step may refer to, by name, before any step. Raises PackageError for steps that are
    no arithmetic of the format.
    """
    value = as_it_comes
    for step in steps:
        if step.id in DECODERS:
            break
        if step.id not in _DO:
            raise PackageError(
                f"found the step {step.id}, expected a step of the format itself: onscope runs no code of a package, "
                "so export it as part of the network"
            )
        value = _DO[step.id](value, step.arguments, axes, Measured((as_it_comes, axes), inputs))
    return value


class Measured:
    """Statistics of a tensor as it comes, or of an input that a step refers to."""

    def __init__(self, own: Named, inputs: Mapping[str, Named]) -> None:
        self._own, self._inputs = own, inputs

    def of(self, take: Callable[..., Any], axes: Sequence[str] | None, reference: str | None = None, **how: Any) -> Any:
        """`take`n over `axes` (None: all), so that it broadcasts against the tensor."""
        array, names = self._own if reference is None else self._inputs[reference]
        over = None if axes is None else tuple(place for place, axis in enumerate(names) if axis in axes)
        found = np.asarray(take(array.astype(np.float64), axis=over, keepdims=True, **how))
        if found.size == 1:
            return found.reshape(())
        if names != self._own[1]:
            raise PackageError(
                f"found a step that refers to {reference!r} with the axes {', '.join(names)}, expected those of its "
                f"own tensor, {', '.join(self._own[1])}: correct the package"
            )
        return found


Arguments = Mapping[str, Any]


def _along(arguments: Arguments, name: str, axes: Sequence[str]) -> Any:
    """A number, or one per entry of the step's axis, ready to be broadcast."""
    numbers = np.asarray(arguments[name], np.float64)
    if numbers.ndim == 0:
        return numbers
    return numbers.reshape(-1, *[1] * (len(axes) - axes.index(arguments["axis"]) - 1))


def _ensure_dtype(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(x.astype(a["dtype"]))


def _binarize(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    return np.asarray(x > _along(a, "threshold", axes))


def _clip(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    # Over all axes, or the batch too, it is a statistic of a data set, which bioimageio.core interpolates.
    how = {"method": "linear" if a["axes"] is None or "batch" in a["axes"] else "inverted_cdf"}
    bounds = [
        a[end] if a[f"{end}_percentile"] is None else m.of(np.percentile, a["axes"], q=a[f"{end}_percentile"], **how)
        for end in ("min", "max")
    ]
    return np.asarray(np.clip(x.astype(np.float64), *bounds))


def _fixed(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    return np.asarray((x.astype(np.float64) - _along(a, "mean", axes)) / (_along(a, "std", axes) + FIXED_EPS))


def _scale_linear(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    return np.asarray(x.astype(np.float64) * _along(a, "gain", axes) + _along(a, "offset", axes))


def _scale_range(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    low, high = (
        m.of(np.percentile, a["axes"], a["reference_tensor"], q=a[f"{end}_percentile"]) for end in ("min", "max")
    )
    return np.asarray((x.astype(np.float64) - low) / (high - low + a["eps"]))


def _zero_mean(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    return np.asarray((x.astype(np.float64) - m.of(np.mean, a["axes"])) / (m.of(np.std, a["axes"]) + a["eps"]))


def _scale_mean(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    mean, std = (m.of(take, a["axes"]) for take in (np.mean, np.std))
    ref_mean, ref_std = (m.of(take, a["axes"], a["reference_tensor"]) for take in (np.mean, np.std))
    return np.asarray((x.astype(np.float64) - mean) / (std + a["eps"]) * (ref_std + a["eps"]) + ref_mean)


def _inverse_scale_range(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    low, high = (
        m.of(np.percentile, a["axes"], a["reference_tensor"], q=a[f"{end}_percentile"]) for end in ("min", "max")
    )
    return np.asarray(x.astype(np.float64) * (high - low + a["eps"]) + (low if a["kind"] == "values" else 0.0))


def normalised_again(tensor: TensorDescription, found: Array, inputs: Mapping[str, Named], dtype: str) -> Array:
    """An answer in the frame's own units as test outputs are: in units of the percentiles that it was normalised by.

    Of `dtype` then; other answers as they are.
    """
    if not tensor.steps or tensor.steps[-1].id != STEP:
        return found
    a = tensor.steps[-1].arguments
    ones, zeros = np.ones_like(found, np.float64), np.zeros_like(found, np.float64)
    measured = Measured((found, tensor.axes), inputs)
    offset = _inverse_scale_range(zeros, a, tensor.axes, measured)
    span = _inverse_scale_range(ones, a, tensor.axes, measured) - offset
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((found - offset) / span, dtype)


def _sigmoid(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x.astype(np.float64))))


def _softmax(x: Array, a: Arguments, axes: Sequence[str], m: Measured) -> Array:
    along = list(axes).index(a["axis"])
    raised = np.exp(x.astype(np.float64) - x.max(axis=along, keepdims=True))
    return np.asarray(raised / raised.sum(axis=along, keepdims=True))


_DO: Mapping[str, Callable[[Array, Arguments, Sequence[str], Measured], Array]] = {
    "binarize": _binarize,
    "clip": _clip,
    "ensure_dtype": _ensure_dtype,
    "fixed_zero_mean_unit_variance": _fixed,
    STEP: _inverse_scale_range,
    "scale_linear": _scale_linear,
    "scale_mean_variance": _scale_mean,
    "scale_range": _scale_range,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "zero_mean_unit_variance": _zero_mean,
}
