"""A compiled graph against the bare network on a real U-Net: what raw counts in and counts out cost there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .._material import images
from .._rows import Row, at_most
from ._ours import CompiledGraph, request, square
from ._packages import GAIN, unet
from ._peers import Network, normalised
from ._plan import Plan
from ._turns import medians, ratio, spreads, take_turns

BUDGET = 1.05


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """uint16 in and out with exact percentiles, against `session.run` on float32 that was normalised beforehand."""
    for chosen in plan.unets:
        package = unet(folder / f"unet{chosen.features}", chosen.features)
        frames = images(chosen.size, plan.unet_turn + 1)
        normal = [normalised(frame) for frame in frames]
        graph = CompiledGraph([request(package)], square(chosen.size), folder / "cache")
        network = Network(package)
        times = take_turns(
            {
                "compiled": lambda number: graph.run(frames[number % len(frames)]),  # noqa: B023
                "network": lambda number: network.run([normal[number % len(normal)]]),  # noqa: B023
            },
            plan.unet_rounds,
            plan.unet_turn,
        )
        ours, alone = medians(times["compiled"]), medians(times["network"])
        counts = np.clip(network.run([normal[0]])[0] * GAIN, 0, 65535)
        difference = np.abs(graph.run(frames[0])[0].reshape(counts.shape).astype(np.float64) - counts).max()
        yield at_most(
            f"compiled graph, U-Net of {chosen.features} features, {chosen.size}x{chosen.size}, against its network",
            f"{np.median(ours):.1f} ms",
            f"{np.median(alone):.1f} ms",
            ratio(ours, alone),
            BUDGET,
            {"ms": spreads(times), "largest_difference_counts": round(float(difference), 3)},
        )
