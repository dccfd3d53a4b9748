"""Does a package give its own test outputs here, on this engine? The numbers, by the package's own tolerances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engines import Session
from ._package import Array, Package, Tolerance
from ._points import pair_points


@dataclass(frozen=True, slots=True)
class Agreement:
    """One output against its test tensor. `off` of `elements` are further away than `tolerance` allows.

    An element is off when |found - expected| > absolute + relative * |expected|. Points are paired first (equal scores
    have no order); `unpaired` ones above the threshold have no partner, and fail.
    """

    output: str
    tolerance: Tolerance
    elements: int
    off: int
    max_abs: float
    max_relative: float
    """Largest error, relative to the range (maximum - minimum) of the expected output."""
    unpaired: int = 0
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether the output is the stated one, within what the package allows."""
        return (
            not self.reason and self.unpaired == 0 and self.off * 1e6 <= self.tolerance.off_per_million * self.elements
        )


def prove(package: Package, session: Session) -> tuple[Agreement, ...]:
    """Run a package's test inputs and compare with its test outputs, each in the order of `package.outputs`.

    Empty when the package has no test tensors. Raises PackageError (tensors that cannot be read), ProviderError.
    """
    expected = package.load_test_outputs()
    if not expected or not package.test_inputs:
        return ()
    found = session.run(package.load_test_inputs())
    return tuple(
        _agree(package, index, want, have) for index, (want, have) in enumerate(zip(expected, found, strict=True))
    )


def _agree(package: Package, index: int, expected: Array, found: Array) -> Agreement:
    name, tolerance = package.outputs[index].name, package.tolerances[index]
    if expected.shape != found.shape or expected.dtype != found.dtype:
        shapes = [f"{'x'.join(map(str, array.shape))} {array.dtype}" for array in (found, expected)]
        reason = f"found {shapes[0]}, expected {shapes[1]}"
        return Agreement(name, tolerance, expected.size, expected.size, np.inf, np.inf, reason=reason)
    unpaired = 0
    if package.settings["decode"] == "points":
        pairs = pair_points(expected, found, package.settings["columns"], package.settings.get("threshold"))
        near = tolerance.absolute + tolerance.relative
        # A score at the threshold may fall to either side of it; that is no error.
        unpaired = int(np.sum(np.abs(pairs.lonely[:, pairs.score] - package.settings.get("threshold", 0.0)) > near))
        expected, found = pairs.expected, pairs.found
    want, have = expected.astype(np.float64), found.astype(np.float64)
    error = np.abs(have - want)
    within = error <= tolerance.absolute + tolerance.relative * np.abs(want)  # False for NaN
    largest = float(error.max(initial=0.0))
    span = float(want.max() - want.min()) if want.size else 1.0
    return Agreement(name, tolerance, error.size, int(np.sum(~within)), largest, largest / (span or 1.0), unpaired)
