"""What viewers cost: the same frames with them and without, in pairs whose order alternates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onscope.view import View

from .._rows import Row, at_least, spread
from ._bench import Camera, camera
from ._plan import Plan
from ._viewers import viewers

BUDGET = 0.95
"""Of the frames per second without viewers, what is left with them."""


def throughput(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """Frames per second with viewers over those without."""
    told(f"throughput: {plan.pairs} pairs, {plan.viewers} viewers")
    with_them, without, seen = [], [], 0
    with camera(plan.size) as (runtime, source), View(runtime) as view:
        for pair in range(plan.pairs):
            for looked_at in (True, False) if pair % 2 else (False, True):
                if looked_at:
                    fps, updates = _looked_at(view, source, plan)
                    with_them.append(fps)
                    seen += updates
                else:
                    without.append(plan.frames / source.give(plan.frames))
    ratios = [a / b for a, b in zip(with_them, without, strict=True)]
    detail = {"ratios": spread(ratios, 3), "with": spread(with_them), "without": spread(without), "updates": seen}
    what = f"frames/s with {plan.viewers} viewers, {plan.size} x {plan.size}"
    ours, against = (f"{np.median(each):.0f} frames/s" for each in (with_them, without))
    return [at_least(what, ours, f"{against} without", float(np.median(ratios)), BUDGET, detail)]


def _looked_at(view: View, source: Camera, plan: Plan) -> tuple[float, int]:
    with viewers(view.port, plan.viewers, plan.shown) as seen:
        fps = plan.frames / source.give(plan.frames)
    return fps, len(seen.ages_ms)
