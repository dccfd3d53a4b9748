"""How old a picture is when a viewer has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onscope.view import View

from .._rows import Row, spread
from ._bench import camera
from ._plan import Plan
from ._viewers import viewers

BUDGET_MS = 150.0
"""For 99 of 100 pictures."""


def age(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """Milliseconds from a frame's receipt to its picture, decoded, at one viewer and at each of several."""
    rows = []
    for number in plan.viewers:
        told(f"age: {plan.aged} frames at {plan.fps:g} frames/s, {number} viewers")
        with (
            camera(plan.aged_size) as (runtime, source, pipeline, named),
            View(runtime) as view,
            viewers(view.port, number, plan.shown, pipeline.stages[0].name) as seen,
        ):
            source.at_pace(plan.aged, plan.fps)
            latency = runtime.ledger.counts["done"]
        if not seen.ages_ms:
            raise RuntimeError(f"no picture of {plan.aged} frames came to any of {number} viewers: look at the server")
        middle, most, late = (float(np.percentile(seen.ages_ms, q)) for q in (50, 95, 99))
        share = seen.updates / number / plan.aged
        what = f"{named}, {plan.aged_size}x{plan.aged_size}, {plan.fps:g} frames/s: age of pictures at "
        what += f"{number} viewer{'s' * (number > 1)}"
        ours = f"p50 {middle:.0f}, p95 {most:.0f}, p99 {late:.0f} ms"
        detail = {"age_ms": spread(seen.ages_ms), "p95": round(most, 2), "shown": round(share, 3), "done": latency}
        budget = f"p99 at most {BUDGET_MS:g} ms"
        rows.append(Row(what, ours, f"{share:.0%} of frames shown", None, budget, late <= BUDGET_MS, detail))
    return rows
