"""What viewers cost: the same run with them and without, in rounds whose order alternates."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from onscope.view import View

from .._rows import Row, at_least, spread
from ._bench import Camera, camera
from ._plan import Plan
from ._viewers import Seen, viewers

ALL, SPARE = "all cores", "a core free"
BUDGETS = {ALL: 0.90, SPARE: 0.97}
"""Of the frames per second without viewers, what is left with the most of them."""


def throughput(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """Frames per second with viewers over those without, where the networks have all cores, and where one is free."""
    cores = os.cpu_count() or 1
    ways: dict[str, int | None] = {ALL: None}
    if cores > 1:
        ways[SPARE] = cores - 1
    return [row for way, threads in ways.items() for row in _way(plan, told, way, threads)]


def _way(plan: Plan, told: Callable[[str], object], way: str, threads: int | None) -> list[Row]:
    told(f"throughput, {way}: {plan.rounds} rounds with 0, {', '.join(map(str, plan.viewers))} viewers")
    numbers = (0, *plan.viewers)
    fps: dict[int, list[float]] = {number: [] for number in numbers}
    seen: dict[int, list[Seen]] = {number: [] for number in numbers}
    with camera(plan.size, threads) as (runtime, source, pipeline, named), View(runtime) as view:
        image = pipeline.stages[0].name
        for turn in range(plan.rounds):
            for number in numbers if turn % 2 else numbers[::-1]:
                slow = min(plan.slow, number // 2)
                told_fps, what = _looked_at(view, source, plan, number, slow, image)
                fps[number].append(told_fps)
                seen[number].append(what)
    rows = []
    for number in plan.viewers:
        ratios = [a / b for a, b in zip(fps[number], fps[0], strict=True)]
        slow = min(plan.slow, number // 2)
        detail = {
            "ratios": spread(ratios, 3),
            "with": spread(fps[number]),
            "without": spread(fps[0]),
            "slow": slow,
            "updates_per_s": [round(each.updates / plan.seconds / (number - slow), 1) for each in seen[number]],
            "threads": threads,
            "pipeline": named,
        }
        title = f"{named}, {plan.size}x{plan.size}, {way}: frames/s with {number} viewer{'s' * (number > 1)}"
        title += f", {slow} of them slow" if slow else ""
        ours, against = (f"{np.median(fps[each]):.1f}/s" for each in (number, 0))
        budget = BUDGETS[way]
        rows.append(at_least(title, ours, f"{against} without", float(np.median(ratios)), budget, detail))
    return rows


def _looked_at(view: View, source: Camera, plan: Plan, number: int, slow: int, image: str) -> tuple[float, Seen]:
    if not number:
        return source.per_second(plan.seconds), Seen()
    with viewers(view.port, number, plan.shown, image, slow) as seen:
        fps = source.per_second(plan.seconds)
    return fps, seen
