"""Proof that an export is equal to its network: both run on the same pixels, and the numbers are compared.

For an image (or any tensor), the error of an element is |export - network|, given relative to the range (maximum -
minimum) of the network's own output over that tensor (its largest magnitude where the output is constant, 1 where it
is zero). Reported are the largest and the 99.9th percentile. Float outputs pass when both are within the limits.
Integer outputs pass when no element is off by more than 1 count, and the share of differing elements is no larger than
float errors within the limits can flip when they are rounded: 0.1 % + 2 * limit * range.

A list of points (rows of numbers, one of them the score) is compared above the threshold: each row of the network is
paired with a row of the export, so that the sum of distances is smallest (equal scores have no order); the errors
are then relative to each column's own range. Rows without a partner fail, unless their score is within the limit of
the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from onscope.runtime.package import pair_points

from .._agreement import span
from .._original import Array

MAX_LIMIT = 2e-4
"""Largest error that passes, relative to the output's range; honest exports have 1e-7 to 5e-5."""
P999_LIMIT = 1e-4
"""99.9th percentile of the error that passes, relative to the output's range."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How one output of the export compares with the network's, on one input of `size` (y, x) pixels."""

    output: str
    where: str
    size: tuple[int, int]
    kind: str
    passed: bool
    range: float
    max_abs: float
    max_relative: float
    p999_relative: float
    differing: float | None = None
    """Share of elements that differ at all (integer outputs)."""
    rows: int | None = None
    """Points above the threshold in the network's own list."""
    unpaired: int | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values, sizes in pixels; None for a number that there is not."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


def compare(
    expected: Array,
    found: Array,
    *,
    output: str,
    where: str,
    size: tuple[int, int],
    settings: Mapping[str, Any],
    max_limit: float = MAX_LIMIT,
    p999_limit: float = P999_LIMIT,
) -> Parity:
    """Compare what the export gave (`found`) with what the network gives (`expected`), as the module says."""
    points = settings.get("decode") == "points" and expected.ndim >= 2
    kind = "points" if points else str(expected.dtype)
    wrong = _wrong_form(expected, found)
    if wrong:
        nan = float("nan")
        return Parity(output, where, size, kind, False, nan, nan, nan, nan, reason=wrong)
    if points:
        return _compare_points(expected, found, output, where, size, settings, max_limit, p999_limit)
    return _compare_pixels(expected, found, output, where, size, max_limit, p999_limit)


def flips(width: float, p999_limit: float = P999_LIMIT) -> float:
    """Share of whole numbers with that range that float errors within the limits may round the other way."""
    return min(1.0, 1e-3 + 2 * p999_limit * width)


def _wrong_form(expected: Array, found: Array) -> str:
    if expected.shape != found.shape or expected.dtype != found.dtype:
        return f"{expected.shape} {expected.dtype} became {found.shape} {found.dtype}"
    if expected.dtype.kind == "f":
        if not np.isfinite(expected).all():
            return "the network's own output holds NaN or infinite values"
        if not np.isfinite(found).all():
            return "the export's output holds NaN or infinite values"
    return ""


def _compare_pixels(
    expected: Array, found: Array, output: str, where: str, size: tuple[int, int], max_limit: float, p999_limit: float
) -> Parity:
    error = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    width = span(expected)
    largest = float(error.max(initial=0.0))
    p999 = float(np.percentile(error, 99.9)) if error.size else 0.0
    differing = None
    if expected.dtype.kind == "f":
        passed = largest <= max_limit * width and p999 <= p999_limit * width
    else:
        differing = float(np.mean(error > 0)) if error.size else 0.0
        passed = largest <= 1 and differing <= flips(width, p999_limit)
    reason = "" if passed else "the errors are above the limits"
    return Parity(
        output, where, size, str(expected.dtype), passed, width, largest, largest / width, p999 / width, differing,
        reason=reason,
    )  # fmt: skip


def _compare_points(
    expected: Array,
    found: Array,
    output: str,
    where: str,
    size: tuple[int, int],
    settings: Mapping[str, Any],
    max_limit: float,
    p999_limit: float,
) -> Parity:
    threshold = settings.get("threshold")
    pairs = pair_points(expected, found, settings["columns"], threshold)
    spans = np.array([span(column) for column in pairs.expected.T])
    error = np.abs(pairs.found - pairs.expected)
    relative = error / spans
    lonely = np.abs(pairs.lonely[:, pairs.score] - (threshold or 0.0))
    unpaired = int(np.sum(lonely > max_limit * spans[pairs.score]))
    largest = float(relative.max(initial=0.0))
    p999 = float(np.percentile(relative, 99.9)) if relative.size else 0.0
    passed = unpaired == 0 and largest <= max_limit and p999 <= p999_limit
    reason = "" if passed else f"{unpaired} points have no partner" if unpaired else "the errors are above the limits"
    return Parity(
        output, where, size, "points", passed, float(spans.max()), float(error.max(initial=0.0)), largest, p999,
        rows=len(pairs.expected), unpaired=unpaired, reason=reason,
    )  # fmt: skip
