"""How old a picture is when a viewer has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onscope.view import View

from .._rows import Row, spread
from ._bench import camera
from ._plan import Plan
from ._viewers import viewers

BUDGET_MS = 100.0
"""For the half of the pictures: what the eye takes for at once."""


def age(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """Milliseconds from a frame's receipt to its picture at one viewer, and at each of ten."""
    rows = []
    for number in sorted({1, plan.viewers}):
        told(f"age: {plan.aged} frames at {plan.fps:g} frames/s, {number} viewers")
        with (
            camera(plan.size) as (runtime, source),
            View(runtime) as view,
            viewers(view.port, number, plan.shown) as seen,
        ):
            source.give(plan.aged, plan.fps)
        if not seen.ages_ms:
            raise RuntimeError(f"no picture of {plan.aged} frames came to any of {number} viewers: look at the server")
        middle, late = (float(np.percentile(seen.ages_ms, q)) for q in (50, 95))
        share = len(seen.ages_ms) / number / plan.aged
        what = f"age of pictures at {plan.fps:g} frames/s, {number} viewer{'s' * (number > 1)}"
        ours = f"p50 {middle:.0f} ms, p95 {late:.0f} ms"
        detail = {"age_ms": spread(seen.ages_ms), "shown": round(share, 3)}
        budget = f"p50 at most {BUDGET_MS:g} ms"
        rows.append(Row(what, ours, f"{share:.0%} of frames shown", None, budget, middle <= BUDGET_MS, detail))
    return rows
