"""Pre- and postprocessing steps of BioImage.IO 0.5 with all their arguments, and what they make of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from onscope.runtime import ExportError, PackageError
from onscope.runtime.package import Step, make_step, processed

from ._original import Array

EPS = 1e-6
AXES = {"b": "batch", "c": "channel", "t": "time", "z": "z", "y": "y", "x": "x", "i": "index"}
"""Ids of axes by their letters."""


def cast(dtype: str) -> Step:
    """x as `dtype`, fractions cut off."""
    return make_step("ensure_dtype", {"dtype": dtype})


def percentiles(low: float, high: float, axes: Sequence[str] | None = None, eps: float = EPS) -> Step:
    """(x - p_low) / (p_high - p_low + eps); over `axes` (ids; None: all)."""
    arguments = {"min_percentile": low, "max_percentile": high, "axes": axes, "eps": eps, "reference_tensor": None}
    return make_step("scale_range", arguments)


def standardised(axes: Sequence[str] | None = None, eps: float = EPS) -> Step:
    """(x - mean) / (std + eps), of the tensor's own; over `axes` (ids; None: all)."""
    return make_step("zero_mean_unit_variance", {"axes": axes, "eps": eps})


def standardised_by(mean: float | Sequence[float], std: float | Sequence[float], axis: str | None = None) -> Step:
    """(x - mean) / (std + 1e-6), with known numbers: one, or one per entry of `axis`."""
    arguments = {"mean": mean, "std": std, **({"axis": axis} if axis else {})}
    return make_step("fixed_zero_mean_unit_variance", arguments)


def linear(gain: float | Sequence[float], offset: float | Sequence[float], axis: str | None = None) -> Step:
    """x * gain + offset."""
    return make_step("scale_linear", {"gain": gain, "offset": offset, **({"axis": axis} if axis else {})})


def clipped(low: float | None, high: float | None) -> Step:
    """x between two numbers."""
    nothing = {"min_percentile": None, "max_percentile": None, "axes": None}
    return make_step("clip", {"min": low, "max": high, **nothing})


def parse_normalise(words: str) -> tuple[Step, ...]:
    """The steps of "percentiles:1,99.8", "mean-std", "mean-std:120,14", "scale:0.004" or "none"; raises ExportError."""
    kind, _, after = words.partition(":")
    try:
        numbers = [float(word) for word in after.split(",")] if after else []
    except ValueError:
        numbers = [float("nan")]
    match kind, numbers:
        case "none", []:
            return ()
        case "percentiles", [low, high] if 0 <= low < high <= 100:
            return percentiles(low, high), cast("float32")
        case "mean-std", []:
            return standardised(), cast("float32")
        case "mean-std", [mean, std] if std > 0 and isfinite(mean):
            return standardised_by(mean, std), cast("float32")
        case "scale", [factor] if isfinite(factor) and factor != 0:
            return linear(factor, 0.0), cast("float32")
    raise ExportError(
        f"found {words!r} as normalisation, expected percentiles:LOW,HIGH (0 to 100), mean-std, mean-std:MEAN,STD, "
        "scale:FACTOR or none"
    )


def apply(steps: Sequence[Step], array: Array, axes: str, inputs: Mapping[str, tuple[Array, str]]) -> Array:
    """What the steps make of an array with the axes' letters; `inputs` are frames that steps may refer to, by tensor.

    Raises ExportError for what NumPy cannot carry out.
    """
    named = {name: (frame, ids(letters)) for name, (frame, letters) in inputs.items()}
    try:
        return processed(steps, array, ids(axes), named)
    except PackageError as error:
        raise ExportError(str(error)) from error


def ids(axes: str) -> tuple[str, ...]:
    """Ids of the axes that letters stand for."""
    return tuple(AXES[letter] for letter in axes)


def described(step: Step) -> dict[str, Any]:
    """The step as a description has it."""
    given = {name: _plain(value) for name, value in step.arguments.items() if value is not None}
    return {"id": step.id, **({"kwargs": given} if given else {})}


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
