"""What is run for real, at a scale that a small machine can hold."""

from __future__ import annotations

from pathlib import Path

from onscope.runtime import Pipeline
from onscope.runtime.capacity import check

from ._shared import Case, Compared

PIPELINE = "schema: 1\nstages:\n  denoise: {package: zoo/care-beads}\n"
ALONE_MS = 20.0


def pipeline_in(folder: Path) -> Path:
    """A pipeline of one small shipped network; its graph runs once per worker, what follows is only waited for."""
    path = folder / "pipeline.yaml"
    path.write_text(PIPELINE)
    return path


def cases(ms: dict[int, float], instances: int) -> list[Case]:
    """2 to 4 microscopes before one server, below and beyond what it can do."""
    one, two = (1, 1, 1), (1, 1, 2, 2)

    def fps(load: float, n: int) -> float:
        return load * instances * 1e3 / ms[1] / n

    single = {1: ms[1]}
    found = [
        Case(f"3 share a server, load 0.6, {ms[1]:g} ms", fps(0.6, 3), one, single, instances),
        Case(f"3 share a server, load 0.9, {ms[1]:g} ms", fps(0.9, 3), one, single, instances),
        Case(f"3 share a server, load 1.5, {ms[1]:g} ms", fps(1.5, 3), one, single, instances),
        Case("4 share a server, load 1.5, two first, two second", fps(1.5, 4), two, single, instances),
        Case("3 share a server, load 1.5, keep_oldest:2", fps(1.5, 3), one, single, instances, 1, "keep_oldest"),
    ]
    if (largest := max(ms)) > 1:
        name = f"4 share a server, load 1.5, batches up to {largest} ({ms[largest]:g} ms)"
        found.append(Case(name, fps(1.5, 4), (1, 1, 1, 1), ms, instances, largest))
    return found


def compare_alone(pipeline: Path, seconds: float) -> list[Compared]:
    """2 microscopes with workers of their own: nothing is shared but the machine."""
    found = []
    for each in check(Pipeline.load(pipeline), f"null:{ALONE_MS:g}", ALONE_MS, seconds=seconds, threads=1):
        case = Case(f"2 with a worker each: {each.what}", 0.0, (1, 1), {1: ALONE_MS})
        found.append(Compared(case, each.load, {"all": each.predicted}, {"all": each.measured}))
    return found
