"""When two images agree: floats within a share of the range, integers within a count, thresholds but for few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
RELATIVE, INSTANCE_NORM, FLIPPED, COUNTS, LAST_PLACES = 1e-5, 5e-5, 1e-5, 1, 4


def compare(
    found: Array,
    expected: Array,
    steps: Sequence[str] = (),
    *,
    tolerance: float = RELATIVE,
    near: Array | None = None,
    rounding: float = 0.0,
) -> str:
    """Why the two do not agree; empty when they do. `steps` are the ids of the output's postprocessing.

    Floats may differ by `tolerance` of the range (maximum - minimum) of `expected`, or by four units in their last
    place (a saturated sigmoid ranges over a few dozen of them), or by `rounding`; integers by one count. After a
    threshold at most 1e-5 of the pixels may be flipped; pixels of `near`, where the value before the threshold is no
    further from it than floats may differ, are not counted.
    """
    if found.shape != expected.shape:
        return f"shape {found.shape}, expected {expected.shape}"
    if found.dtype != expected.dtype and "binarize" not in steps:
        return f"dtype {found.dtype}, expected {expected.dtype}"
    if "binarize" in steps or expected.dtype == bool:
        flipped = (found != 0) != (expected != 0)
        excused = 0 if near is None else int(np.sum(flipped & near))
        share = (int(flipped.sum()) - excused) / max(flipped.size, 1)
        if share <= FLIPPED:
            return ""
        told = f" ({excused} more at the threshold)" if excused else ""
        return f"{share:.2e} of the pixels are flipped{told}, expected at most {FLIPPED:.0e}"
    error = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    largest = float(error.max(initial=0.0)) if np.isfinite(error).all() else np.inf
    where = np.unravel_index(int(np.nanargmax(error)), error.shape) if error.size and not np.isnan(error).all() else ()
    at = f"at {tuple(map(int, where))}: {found[where]}, expected {expected[where]}" if where else ""
    if np.issubdtype(expected.dtype, np.integer):
        return "" if largest <= COUNTS else f"off by {largest:g} counts {at}, expected at most {COUNTS}"
    span = float(np.ptp(expected.astype(np.float64))) or float(np.abs(expected).max(initial=0.0)) or 1.0
    last = np.spacing(np.abs(expected)).astype(np.float64)
    off = ~(error <= np.maximum(max(tolerance * span, rounding), LAST_PLACES * last))
    if not off.any():
        return ""
    share = f"{off.mean():.1%} of all are"
    return f"off by {largest / span:.2e} of the range {span:.4g} {at}; {share}, expected {tolerance:.0e}"


def near_threshold(values: Array, threshold: Array | float, tolerance: float = RELATIVE) -> Array:
    """Where `values`, those before a threshold, are so near to it that a float's error may flip them."""
    span = float(np.ptp(values.astype(np.float64))) or 1.0
    return np.asarray(np.abs(values.astype(np.float64) - threshold) <= tolerance * span)
