"""Steps that normalise with statistics of a tensor as it comes: of an input before its first step, of an output as the
network gives it.

bioimageio.core 0.11 takes all statistics before its preprocessing, when there are no outputs yet: of a postprocessing
step it can take those of a reference tensor only, and ends with a KeyError where the format asks for the output's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from ..._errors import PackageError
from ...package import Step
from .._draft import Draft, Value
from .._types import Statistic
from ._dtype import working

Ask = Callable[[Statistic], str]
Measures = tuple[tuple[Statistic, ...], tuple[int, ...]]
"""Statistics that a step uses, and the numbers of those among them whose `rest` it uses too."""

COUNTS = ("uint8", "uint16")
DEQUANTISES = 21
"""The opset from which on DequantizeLinear takes both."""
LEAST_EPS = 1e-30
"""Smaller ones would divide by nothing in float32; a constant frame must become 0, not NaN."""


def scale_range(draft: Draft, value: Value, step: Step, statistic: Ask) -> Value:
    """(x - lower) / (upper - lower + eps), with percentiles (method `linear`) of the tensor or of a reference.

    `eps` is the package's; bioimageio.core 0.11 reads it and takes 1e-6.
    """
    (lower, upper), _ = _range_measures(step, value.axes)
    numbers = _Numbers(draft, value := working(draft, value), statistic)
    low, high, low_rest, high_rest = (
        *numbers.value(lower, upper), numbers.rest(lower), numbers.rest(upper)
    )  # fmt: skip
    span = numbers.of("Sub", high, low)
    span = numbers.of("Sub", numbers.of("Add", span, high_rest), low_rest)
    return numbers.scaled(low, low_rest, numbers.inverse(span, step), not lower.keeps)


def inverse_scale_range(draft: Draft, value: Value, step: Step, statistic: Ask) -> Value:
    """x * (upper - lower + eps) + lower, without the last for a `spread`: what undoes scale_range of a reference."""
    (lower, upper), _ = _range_measures(step, value.axes)
    numbers = _Numbers(draft, working(draft, value), statistic)
    low, high, low_rest, high_rest = *numbers.value(lower, upper), numbers.rest(lower), numbers.rest(upper)
    span = numbers.of("Sub", numbers.of("Add", numbers.of("Sub", high, low), high_rest), low_rest)
    scaled = numbers.of_value("Mul", numbers.of("Add", span, numbers.constant(_eps(step))))
    if step.arguments["kind"] == "spread":
        return scaled
    return replace(scaled, name=numbers.of("Add", numbers.of("Add", scaled.name, low_rest), low))


def zero_mean_unit_variance(draft: Draft, value: Value, step: Step, statistic: Ask) -> Value:
    """(x - mean) / (std + eps), with the tensor's own mean and standard deviation (of all pixels: ddof 0).

    `eps` is the package's; bioimageio.core 0.11 reads it and takes 1e-6.
    """
    (mean, std), _ = _moment_measures(step, value.axes)
    numbers = _Numbers(draft, working(draft, value), statistic)
    middle, spread = numbers.value(mean, std)
    return numbers.scaled(middle, numbers.rest(mean), numbers.inverse(spread, step), not mean.keeps)


def scale_mean_variance(draft: Draft, value: Value, step: Step, statistic: Ask) -> Value:
    """(x - mean) / (std + eps) * (reference's std + eps) + reference's mean."""
    (mean, std, ref_mean, ref_std), _ = _match_measures(step, value.axes)
    numbers = _Numbers(draft, working(draft, value), statistic)
    middle, spread, to_middle, to_spread = numbers.value(mean, std, ref_mean, ref_std)
    wide = numbers.of("Add", to_spread, numbers.constant(_eps(step)))
    factor = numbers.of("Mul", wide, numbers.inverse(spread, step))
    scaled = numbers.scaled(middle, numbers.rest(mean), factor, not mean.keeps)
    return Value(draft.node("Add", [scaled.name, to_middle]), scaled.dtype, scaled.axes, scaled.shape)


def clip(draft: Draft, value: Value, step: Step, statistic: Ask) -> Value:
    """min(max(x, lower), upper), with numbers or percentiles; each may be missing.

    Percentiles are `inverted_cdf`, except where `axes` are missing or hold the batch: bioimageio.core 0.11 takes those
    for statistics of a data set, and these are `linear` (`of_all` says it of a
    step whose axes were changed for crops). It clips by percentiles first, by numbers then.
    """
    wanted = list(_clip_measures(step, value.axes)[0])
    numbers = _Numbers(draft, working(draft, value), statistic)
    measured: list[tuple[str, str]] = []
    fixed: list[tuple[str, str]] = []
    for side, kind in (("min", "Max"), ("max", "Min")):
        if (number := step.arguments.get(side)) is not None:
            fixed.append((kind, numbers.constant(float(number))))
        elif step.arguments.get(f"{side}_percentile") is not None:
            measured.append((kind, numbers.value(wanted.pop(0))[0]))
    if not measured and not fixed:
        raise PackageError("found the step clip without a bound, expected min, max or percentiles: correct the package")
    for kind, bound in (*measured, *fixed):
        numbers = _Numbers(draft, numbers.of_value(kind, bound), statistic)
    return numbers.held


class _Numbers:
    """A value and its statistics, all in the value's dtype."""

    def __init__(self, draft: Draft, value: Value, ask: Ask) -> None:
        self.draft, self.held, self._ask = draft, value, ask

    def value(self, *wanted: Statistic) -> list[str]:
        return [self._cast(self._ask(each)) for each in wanted]

    def rest(self, of: Statistic) -> str:
        """What the float32 of it left out."""
        return self._cast(self._ask(replace(of, part="rest")))

    def constant(self, number: float) -> str:
        return self.draft.constant(number, self.held.dtype)

    def of(self, kind: str, *names: str) -> str:
        return str(self.draft.node(kind, names))

    def of_value(self, kind: str, *names: str) -> Value:
        return replace(self.held, name=self.draft.node(kind, [self.held.name, *names]))

    def inverse(self, spread: str, step: Step) -> str:
        """1 / (spread + eps), worked out once instead of for every pixel."""
        return self.of("Reciprocal", self.of("Add", spread, self.constant(_eps(step))))

    def scaled(self, middle: str, rest: str, factor: str, single: bool) -> Value:
        """(x - middle - rest) * factor; `single`: each of them is one number.

        The difference of the near ones is exact, the rest is then as small as it is. Of whole counts, cast and
        difference and product are one operation with a whole number near `middle`: two passes over a frame, not four.
        """
        counts = self.draft.before_cast(self.held)
        if not single or counts.dtype not in COUNTS or self.draft.opset < DEQUANTISES:
            near = self.of("Sub", self.of("Sub", self.held.name, middle), rest)
            return replace(self.held, name=self.of("Mul", near, factor))
        number = Value(self.of("Squeeze", middle), self.held.dtype, (), ())
        within = self.of("Clip", number.name, self.constant(0), self.constant(np.iinfo(counts.dtype).max))
        whole = self.draft.cast(replace(number, name=within), counts.dtype)
        fraction = self.of("Add", self.of("Sub", number.name, self.draft.cast(whole, number.dtype).name), rest)
        near = self.of("DequantizeLinear", counts.name, self.of("Squeeze", factor), whole.name)
        return replace(self.held, name=self.of("Sub", near, self.of("Mul", fraction, factor)))

    def _cast(self, name: str) -> str:
        return self.draft.cast(Value(name, "float32", (), ()), self.held.dtype).name


def _eps(step: Step) -> float:
    return max(float(step.arguments.get("eps") or 1e-6), LEAST_EPS)


def _range_measures(step: Step, axes: Sequence[str]) -> Measures:
    low, high = float(step.arguments.get("min_percentile", 0.0)), float(step.arguments.get("max_percentile", 100.0))
    keeps, tensor = _keeps(step, axes), _reference(step)
    return tuple(Statistic("percentile", each, "linear", keeps, tensor) for each in (low, high)), (0, 1)


def _moment_measures(step: Step, axes: Sequence[str]) -> Measures:
    keeps = _keeps(step, axes)
    return (Statistic("mean", keeps=keeps), Statistic("std", keeps=keeps)), (0,)


def _match_measures(step: Step, axes: Sequence[str]) -> Measures:
    own, _ = _moment_measures(step, axes)
    return (*own, *(replace(each, tensor=_reference(step)) for each in own)), (0,)


def _clip_measures(step: Step, axes: Sequence[str]) -> Measures:
    given: Any = step.arguments.get("axes")
    of_all = step.arguments.get("of_all", given is None or "batch" in given)
    method: Literal["linear", "inverted_cdf"] = "linear" if of_all else "inverted_cdf"
    keeps = _keeps(step, axes)
    bounds = [step.arguments.get(name) for name in ("min_percentile", "max_percentile")]
    fixed = [step.arguments.get(name) for name in ("min", "max")]
    return tuple(
        Statistic("percentile", float(bound), method, keeps)
        for bound, number in zip(bounds, fixed, strict=True)
        if bound is not None and number is None
    ), ()


MEASURES: Mapping[str, Callable[[Step, Sequence[str]], Measures]] = {
    "clip": _clip_measures,
    "inverse_scale_range": _range_measures,
    "scale_mean_variance": _match_measures,
    "scale_range": _range_measures,
    "zero_mean_unit_variance": _moment_measures,
}


def _keeps(step: Step, axes: Sequence[str]) -> tuple[str, ...]:
    """The tensor's axes that are not reduced; none where no `axes` are given (the format's default)."""
    given: Any = step.arguments.get("axes")
    if given is None:
        return ()
    if missing := [each for each in given if each not in axes and each != "batch"]:
        raise PackageError(
            f"found {step.id} over {', '.join(missing)}, expected axes among {', '.join(axes)}: correct the package"
        )
    return tuple(each for each in axes if each not in given)


def _reference(step: Step) -> str:
    return str(step.arguments.get("reference_tensor") or "")
