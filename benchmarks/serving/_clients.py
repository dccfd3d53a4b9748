"""Several microscopes and one server: what each has of it, and what priorities change when it has not enough."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .._rows import Row, spread
from ._plan import Plan
from ._server import Served, serving

Told = Callable[[str], object]
TOO_FAST = 12.0
"""Times the usual rate: more than one server on two cores can do for all."""


def clients(plan: Plan, served: Served, told: Told) -> Iterator[Row]:
    """Each is a program of its own, with a worker process, at the same rate; then too fast, one before the others."""
    side = plan.sides[0]
    alone: list[float] = []
    for number in plan.scopes:
        told(f"{number} microscopes at {plan.fps:g} frames/s")
        found = _run(served, side, plan, plan.fps, [0] * number)
        ages = [age for each in found for age in each["latencies_ms"]]
        alone = alone or ages
        counts = [each["counts"] for each in found]
        ratio = round(float(np.median(ages) / np.median(alone)), 2)
        detail = {"ms": spread(ages), "counts": counts}
        yield Row(
            f"{number} at once, {plan.fps:g} frames/s each",
            _told(ages, counts),
            f"alone {_ms(alone)}",
            ratio,
            detail=detail,
        )
    told("two that ask for more than there is, one before the other")
    with serving(plan, priorities=2) as classes:
        for priorities in ((0, 0), (1, 2)):
            found = _run(classes, side, plan, plan.fps * TOO_FAST, priorities)
            for priority, each in zip(priorities, found, strict=True):
                ages, counts = each["latencies_ms"], [each["counts"]]
                what = f"two at {plan.fps * TOO_FAST:g} frames/s, {f'priority {priority}' if priority else 'alike'}"
                yield Row(what, _told(ages, counts), detail={"ms": spread(ages), "counts": counts})


def _run(served: Served, side: int, plan: Plan, fps: float, priorities: Sequence[int]) -> list[dict[str, Any]]:
    package = str(served.pipeline.networks[0].package.folder)
    scopes = []
    for priority in priorities:
        worker = f"{served.server.worker}?priority={priority}"
        command = [
            sys.executable,
            "-m",
            "benchmarks.serving.scope",
            package,
            worker,
            str(side),
            str(fps),
            str(plan.seconds),
        ]
        scopes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    for each in scopes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in scopes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    return [json.loads(each.communicate()[0]) for each in scopes]


def _told(ages: Sequence[float], counts: Sequence[dict[str, int]]) -> str:
    frames = sum(sum(each.values()) for each in counts)
    done = sum(each["done"] for each in counts)
    return f"{_ms(ages)}, {100 * done / frames:.0f} % of frames run"


def _ms(ages: Sequence[float]) -> str:
    return f"{np.percentile(ages, 50):.1f} ms (p99 {np.percentile(ages, 99):.0f})"
