"""Consecutive stages in one graph against one graph each, with every image back on the host between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tests.models import plus_one

from onscope.runtime import Package
from onscope.runtime._frame import Pixels
from onscope.runtime.graph import Raw

from .._material import chosen_pipeline, images
from .._rows import Row
from ._ours import CompiledGraph, request, square
from ._plan import Plan
from ._turns import medians, ratio, spreads, take_turns

Stages = Sequence[tuple[str, str, Package]]
"""Name, what it reads, and the package."""


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """The demo's three networks, and three that add 1."""
    pipeline, named = chosen_pipeline(folder / "demo")
    trivial = [(f"plus{n}", f"plus{n - 1}" if n else "frame", plus_one(folder / f"plus{n}")) for n in range(3)]
    demo = [(stage.name, stage.reads, stage.package) for stage in pipeline.networks]
    for what, stages in ((named, demo), ("three that add 1", trivial)):
        frames = images(plan.merged_size, plan.merged_turn + 1)
        merged = CompiledGraph(
            [request(package, name, reads) for name, reads, package in stages],
            square(plan.merged_size),
            folder / "cache",
        )
        separate = _Separate(stages, frames[0], folder / "cache")
        times = take_turns(
            {
                "merged": lambda number: merged.run(frames[number % len(frames)]),  # noqa: B023
                "separate": lambda number: separate.run(frames[number % len(frames)]),  # noqa: B023
            },
            plan.merged_rounds,
            plan.merged_turn,
        )
        one, several = medians(times["merged"]), medians(times["separate"])
        differences = [
            float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())
            for a, b in zip(merged.run(frames[0]), separate.run(frames[0]), strict=True)
        ]
        yield Row(
            f"{what} in one graph, {plan.merged_size}x{plan.merged_size}, against a graph each",
            f"{np.median(one):.3f} ms",
            f"{np.median(several):.3f} ms",
            round(ratio(one, several), 3),
            detail={
                "ms": spreads(times),
                "saved_per_hop_us": round(
                    1e3 * float(np.median(np.subtract(several, one))) / max(1, len(stages) - 1), 1
                ),
                "largest_differences": differences,
            },
        )


class _Separate:
    """A graph per stage; each takes the image of the stage that it reads."""

    def __init__(self, stages: Stages, frame: Pixels, cache: Path) -> None:
        self._graphs: list[tuple[str, str, CompiledGraph]] = []
        known = {"frame": frame}
        for name, reads, package in stages:
            image = known[reads]
            graph = CompiledGraph([request(package, name)], Raw(image.shape, image.dtype.name), cache)
            known[name] = _plane(graph.run(image)[0])
            self._graphs.append((name, reads, graph))

    def run(self, frame: Pixels) -> list[Pixels]:
        known, answers = {"frame": frame}, []
        for name, reads, graph in self._graphs:
            answers.append(graph.run(known[reads])[0])
            known[name] = _plane(answers[-1])
        return answers


def _plane(answer: Pixels) -> Pixels:
    """The (y, x) image of an answer; a table as it is."""
    return answer.reshape(answer.shape[-2:])
