"""All values of one frame and its answer."""

from __future__ import annotations

import numpy as np

from ._error_map import scaled_error
from ._patches import Float
from ._reference import VALUES, Reference
from ._residual import noise_of, residual_values
from ._statistics import input_statistics

SUSPICION = "suspicion"
"""Name of the value that says how far the worst of the others is from what is usual."""


def values_of(
    raw: Float,
    restored: Float,
    reference: Reference | None = None,
    *,
    counts: bool = True,
    disagreement: float | None = None,
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The values of patches of a raw frame and its answer, in the order of `VALUES`, and which of them are suspect.

    `counts` says whether the answer is in the frame's counts. With a reference `distance` is there, and `suspicion`:
    how far the worst value is from what is usual, above 1 beyond its limit. Nothing is said of a frame of one value, or
    of one without any noise.
    """
    noise = noise_of(raw)
    statistics = input_statistics(raw, noise)
    if statistics is None or not noise > 0:
        return {}, ()
    found = {**residual_values(raw, restored, noise, counts=counts), **scaled_error(raw, restored, noise)}
    if reference is not None:
        found["distance"] = reference.distance(statistics)
    if disagreement is not None:
        found["disagreement"] = disagreement
    known = {name: found[name] for name in VALUES if name in found and np.isfinite(found[name])}
    if reference is None or not reference.limits:
        return known, ()
    suspicion, suspect = reference.judge(known)
    return {**known, SUSPICION: suspicion}, suspect
