"""What a source says comes out for its own test input, held against what the exported file gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from onscope.runtime import ProviderError
from onscope.runtime.package import agree

from ._choices import Settled
from ._original import Array, one_line
from ._plan import TensorPlan
from ._prove import answered, fed_all
from .proof import OWN, Parity, span


def prove_own(
    weights: Path, given: TensorPlan, plans: Sequence[TensorPlan], wanted: Settled, further: Sequence[TensorPlan] = ()
) -> tuple[Parity, ...]:
    """Each output behind its steps against the stated one, by the source's own tolerance; none where it states none."""
    from onscope.runtime.engines import open_session

    stated = wanted.stated
    if len(stated.answers) != len(plans) or len(stated.tolerances) != len(plans):
        return ()
    size = (wanted.example.shape[wanted.axes.index("y")], wanted.example.shape[wanted.axes.index("x")])
    try:
        outputs = open_session(weights, "cpu").run(fed_all((given, *further)))
    except ProviderError as error:
        nan = float("nan")
        why = f"it fails on the source's own test input ({one_line(error, 120)})"
        return tuple(Parity(plan.name, OWN, size, "none", False, nan, nan, nan, nan, reason=why) for plan in plans)
    proven = []
    for plan, array, expected, tolerance in zip(plans, outputs, stated.answers, stated.tolerances, strict=True):
        found = answered(replace(plan, example=array), (given, *further))
        if found.dtype.kind == expected.dtype.kind == "f":
            expected = expected.astype(found.dtype)
        held = agree(plan.name, expected, str(expected.dtype), found, tolerance, plan.settings(wanted.about.settings))
        proven.append(
            Parity(
                plan.name,
                OWN,
                size,
                str(expected.dtype),
                held.passed,
                span(expected),
                held.max_abs,
                held.max_relative,
                _p999(expected, found, held.max_relative),
                reason="" if held.passed else held.words,
            )
        )
    return tuple(proven)


def own_refusal(parity: Sequence[Parity]) -> str:
    """Why no package was written, where the export is equal to a network that does not give its own test output."""
    worst = next(one for one in parity if not one.passed)
    return (
        f"found that the source does not give its own test output {worst.output!r} ({worst.reason}), expected that: "
        "fetch it again, or export it all the same with --force"
    )


def _p999(expected: Array, found: Array, otherwise: float) -> float:
    if expected.shape != found.shape or not expected.size:
        return otherwise
    error = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    return min(otherwise, float(np.percentile(error, 99.9)) / span(expected))
