"""Does a package give its own test outputs here, on this engine? The numbers, by the package's own tolerances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._errors import PackageError
from ..engines import Session
from ._carry_out import carry_out, decoded, normalised_again
from ._package import Array, Package
from ._points import pair_points
from ._test_tensors import described_dtype
from ._tolerance import Tolerance


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
    unchecked: str = ""
    """The step that makes objects of the output; the test output cannot be compared then, and nothing is said of it."""

    @property
    def passed(self) -> bool:
        """Whether the output is the stated one, within what the package allows; True for those not checked."""
        return (
            not self.reason and self.unpaired == 0 and self.off * 1e6 <= self.tolerance.off_per_million * self.elements
        )

    @property
    def words(self) -> str:
        """The numbers, or why there are none."""
        if self.reason or self.unchecked:
            return self.reason or f"not compared: {self.unchecked} makes objects of it, which a decoder does"
        unpaired = f", {self.unpaired} points without a partner" if self.unpaired else ""
        return (
            f"largest error {self.max_abs:.3g} ({self.max_relative:.1e} of the range), {self.off} of {self.elements} "
            f"values off by more than {self.tolerance.absolute:.3g} + {self.tolerance.relative:.3g} * value{unpaired}"
        )


def prove(package: Package, session: Session) -> tuple[Agreement, ...]:
    """Run a package's test inputs through its steps and its network, and compare with its test outputs, in their order.

    `session` is the bare network; the steps are carried out in NumPy, as bioimageio.core has it. Empty when the package
    has no test tensors. Raises PackageError (tensors that cannot be read), ProviderError.
    """
    expected = package.load_test_outputs()
    if not expected or not package.test_inputs:
        return ()
    found = carry_out(package, session, package.load_test_inputs())
    return held_against(package, {tensor.name: array for tensor, array in zip(package.outputs, found, strict=True)})


def held_against(package: Package, found: Mapping[str, Array]) -> tuple[Agreement, ...]:
    """Answers, by the names of outputs, against the package's test outputs; those that are missing are left out.

    Those outputs are as other readers have them, without `config.onscope.denormalise`.
    """
    pairs = enumerate(zip(package.outputs, package.load_test_outputs(), strict=False))
    tests = zip(package.inputs, package.load_test_inputs(), strict=False)
    inputs = {tensor.name: (array, tensor.axes) for tensor, array in tests}
    return tuple(
        _agree(
            package,
            index,
            want,
            normalised_again(tensor, found[tensor.name], inputs, described_dtype(tensor, "output")),
        )
        for index, (tensor, want) in pairs
        if tensor.name in found
    )


def check_reproduces(package: Package, session: Session, force: bool = False) -> tuple[Agreement, ...]:
    """`prove`, and `refuse_mismatch` unless `force` says that the package is to be used all the same."""
    proof = prove(package, session)
    if not force:
        refuse_mismatch(package, proof, session.provider)
    return proof


def refuse_mismatch(package: Package, proof: Sequence[Agreement], provider: str) -> None:
    """Raise PackageError with the numbers when an output is not the stated one."""
    failed = [one for one in proof if not one.passed]
    if failed:
        raise PackageError(
            f"found that {package.name} does not give its own test outputs on {provider}: {failed[0].words} in "
            f"{failed[0].output!r}, expected them: fetch the package again (--force: use it all the same)"
        )


def _agree(package: Package, index: int, expected: Array, found: Array) -> Agreement:
    tensor, tolerance = package.outputs[index], package.tolerances[index]
    if step := decoded(tensor):
        return Agreement(tensor.name, tolerance, expected.size, 0, 0.0, 0.0, unchecked=step)
    settings = package.settings
    if {"y", "x"} <= set(tensor.axes):  # an image, whatever the other outputs are
        settings = {**settings, "decode": "image"}
    return agree(tensor.name, expected, described_dtype(tensor, "output"), found, tolerance, settings)


def agree(
    name: str, expected: Array, dtype: str, found: Array, tolerance: Tolerance, settings: Mapping[str, Any]
) -> Agreement:
    """One output against what is stated of it, of `dtype`; `settings` say whether its rows are points."""
    if expected.shape != found.shape or found.dtype != dtype:
        pairs = ((found.shape, found.dtype), (expected.shape, dtype))
        shapes = [f"{'x'.join(map(str, shape))} {kind}" for shape, kind in pairs]
        reason = f"found {shapes[0]}, expected {shapes[1]}"
        return Agreement(name, tolerance, expected.size, expected.size, np.inf, np.inf, reason=reason)
    unpaired = 0
    if settings["decode"] == "points":
        points = pair_points(expected, found, settings["columns"], settings.get("threshold"))
        near = tolerance.absolute + tolerance.relative
        # A score at the threshold may fall to either side of it; that is no error.
        unpaired = int(np.sum(np.abs(points.lonely[:, points.score] - settings.get("threshold", 0.0)) > near))
        expected, found = points.expected, points.found
    want, have = expected.astype(np.float64), found.astype(np.float64)
    error = np.abs(have - want)
    within = error <= tolerance.absolute + tolerance.relative * np.abs(want)  # False for NaN
    largest = float(error.max(initial=0.0))
    span = float(want.max() - want.min()) if want.size else 1.0
    return Agreement(name, tolerance, error.size, int(np.sum(~within)), largest, largest / (span or 1.0), unpaired)
