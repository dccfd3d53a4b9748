"""Several microscopes and one server: what each has of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .._rows import Row, spread
from ._plan import Plan
from ._server import Served

Told = Callable[[str], object]


def clients(plan: Plan, served: Served, told: Told) -> Iterator[Row]:
    """Each is a program of its own, with a worker process, at the same rate."""
    side = plan.sides[0]
    alone: list[float] = []
    for number in plan.scopes:
        told(f"{number} microscopes at {plan.fps:g} frames/s")
        found = _run(served, side, plan, number)
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


def _run(served: Served, side: int, plan: Plan, number: int) -> list[dict[str, Any]]:
    package = str(served.pipeline.networks[0].package.folder)
    scopes = []
    for _ in range(number):
        command = [
            sys.executable,
            "-m",
            "benchmarks.serving.scope",
            package,
            served.server.worker,
            str(side),
            str(plan.fps),
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
