"""Steps whose numbers stand in the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import PackageError
from ...package import Step
from .._draft import Draft, Value
from .._types import Statistic
from ._dtype import working

Ask = Callable[[Statistic], str]
Numbers = npt.NDArray[np.float64]

CORE_EPS = 1e-6
"""What bioimageio.core 0.11 adds to a fixed standard deviation; the format itself says nothing of it."""
TELLING = 1e-6
"""The least that a float32 may leave out of a number to be subtracted, in the tensor's own units, to be made up for."""
FARTHEST = 2.0**24
"""Up to here float32 holds every count."""


def scale_linear(draft: Draft, value: Value, step: Step, _: Ask) -> Value:
    """x * gain + offset, as (x + offset / gain) * gain: counts of a large offset and a small spread keep their digits.

    Gain and offset are numbers, or one per entry of `axis`.
    """
    gain, offset = _numbers(value, step, "gain", 1.0), _numbers(value, step, "offset", 0.0)
    value = working(draft, value)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = -offset / gain
    if np.all(np.isfinite(shift)) and np.all(np.abs(shift) <= FARTHEST):
        return _shifted(draft, value, shift, gain)
    return _with(draft, "Add", _with(draft, "Mul", value, gain), offset)


def fixed_zero_mean_unit_variance(draft: Draft, value: Value, step: Step, _: Ask) -> Value:
    """(x - mean) / (std + 1e-6), with numbers or one of each per entry of `axis`; the epsilon as bioimageio.core's."""
    mean, std = _numbers(value, step, "mean"), _numbers(value, step, "std")
    if np.any(std + CORE_EPS <= 0):
        raise PackageError(f"found a standard deviation of {std.min():g} for {step.id}, expected one above 0")
    return _shifted(draft, working(draft, value), mean, 1.0 / (std + CORE_EPS))


def binarize(draft: Draft, value: Value, step: Step, _: Ask) -> Value:
    """x > threshold, as bool; a number or one per entry of `axis`.

    bioimageio.core 0.11 compares thresholds along an axis with the tensor's last axis, whichever is named: it is right
    for the last one only. Here they are compared along the named one, as the format says.
    """
    threshold = _numbers(value, step, "threshold")
    whole = np.dtype(value.dtype).kind in "iub"
    value = working(draft, value)
    if whole:  # nothing lies between two counts, and a float32 might round the threshold up to one
        threshold = np.floor(threshold)
    return Value(
        draft.node("Greater", [value.name, draft.constant(threshold, value.dtype)]), "bool", value.axes, value.shape
    )


def sigmoid(draft: Draft, value: Value, step: Step, _: Ask) -> Value:
    """1 / (1 + exp(-x))."""
    value = working(draft, value)
    return Value(draft.node("Sigmoid", [value.name]), value.dtype, value.axes, value.shape)


def softmax(draft: Draft, value: Value, step: Step, _: Ask) -> Value:
    """exp(x) / sum(exp(x)) along `axis`."""
    value = working(draft, value)
    at = _position(value, step, str(step.arguments.get("axis") or "channel"))
    return Value(draft.node("Softmax", [value.name], axis=at), value.dtype, value.axes, value.shape)


def _shifted(draft: Draft, value: Value, shift: Numbers, gain: Numbers) -> Value:
    """(x - shift) * gain: the difference first, since it is exact where x and shift are close (Sterbenz' lemma)."""
    near = shift.astype(value.dtype).astype(np.float64)
    rest = shift - near
    if np.any(near != 0):
        value = _with(draft, "Sub", value, near)
    if np.any(gain != 1):
        value = _with(draft, "Mul", value, gain)
    return _with(draft, "Sub", value, rest * gain) if np.any(np.abs(rest) > TELLING) else value


def _with(draft: Draft, kind: str, value: Value, numbers: Numbers) -> Value:
    name = draft.node(kind, [value.name, draft.constant(numbers, value.dtype)])
    return Value(name, value.dtype, value.axes, value.shape)


def _numbers(value: Value, step: Step, name: str, default: float | None = None) -> Numbers:
    """An argument as an array that broadcasts against the value."""
    given: Any = step.arguments.get(name, default)
    if given is None:
        raise PackageError(f"found the step {step.id} without {name}, expected a number: add it to the package")
    numbers = np.asarray(given, np.float64)
    if numbers.ndim == 0:
        return numbers
    axis = step.arguments.get("axis")
    if axis is None and numbers.size != 1:
        raise PackageError(f"found {numbers.size} values of {name} for {step.id} and no axis for them: name it")
    if axis is None:
        return numbers.reshape(())
    at = _position(value, step, str(axis))
    size = value.shape[at]
    if numbers.size not in (1, size) and size is not None:
        raise PackageError(
            f"found {numbers.size} values of {name} for {step.id} along {axis}, expected {size}, as many as it has"
        )
    return numbers.reshape(-1, *(1,) * (len(value.axes) - at - 1))


def _position(value: Value, step: Step, axis: str) -> int:
    if axis not in value.axes:
        raise PackageError(
            f"found {step.id} along the axis {axis!r}, expected one of {', '.join(value.axes)}: correct the package"
        )
    return value.axes.index(axis)
