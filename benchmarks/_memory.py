"""Whether memory stays what it was."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from onscope.runtime import Pipeline, Runtime, block

from ._material import ListSource, images
from ._plan import Plan
from ._rows import Row

POINTS = 10


def measure(plan: Plan, pipeline: Pipeline, named: str) -> Iterator[Row]:
    """Resident memory of both processes over a run; the first tenth is left to caches and allocators."""
    source = ListSource(images(plan.memory_size, 8))
    with Runtime(pipeline, admission=block(2)) as runtime:
        runtime.prepare(source.spec())
        processes = {"acquisition": psutil.Process(), "worker": psutil.Process(runtime.worker_pid)}
        seen: dict[str, list[float]] = {name: [] for name in processes}
        step = max(1, plan.memory_frames // POINTS)
        for number, _ in enumerate(runtime.stream(source, plan.memory_frames), start=1):
            if number % step == 0:
                for name, process in processes.items():
                    seen[name].append(round(process.memory_info().rss / 1e6, 2))
    for name, points in seen.items():
        frames = plan.memory_frames * 9 // 10
        kb = (points[-1] - points[0]) * 1e3 / frames
        yield Row(
            f"memory of the {name} process, {frames} frames of {plan.memory_size}x{plan.memory_size}, {named}",
            f"{points[-1]:.1f} MB",
            f"{points[0]:.1f} MB after a tenth",
            round(points[-1] / points[0], 3),
            "constant",
            None,
            {"rss_mb": points, "kb_per_frame": round(kb, 3)},
        )
