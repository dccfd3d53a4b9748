"""Engines side by side on one compiled U-Net: how fast, and how far from the numbers of ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from onscope.runtime import ProviderError

from .._material import images
from .._rows import Row
from ._ours import CompiledGraph, request, square
from ._packages import unet
from ._plan import Plan
from ._turns import Play, medians, ratio, spreads, take_turns

PROVIDERS = ("cpu", "openvino", "openvino:bf16", "openvino:f16")


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """All providers that open here, in turns; the others are named with what they said."""
    chosen = plan.engines
    what = f"U-Net of {chosen.features} features, {chosen.size}x{chosen.size}"
    package = unet(folder / "unet-floats", chosen.features, counts=False)
    frames = images(chosen.size, plan.unet_turn + 1)
    graphs: dict[str, CompiledGraph] = {}
    for provider in PROVIDERS:
        try:
            graphs[provider] = CompiledGraph([request(package)], square(chosen.size), folder / "cache", provider)
        except ProviderError as refusal:
            yield Row(f"{what} on {provider}", "does not run here", detail={"because": str(refusal)})
    players: dict[str, Play] = {name: _plays(graph, frames) for name, graph in graphs.items()}
    times = take_turns(players, plan.unet_rounds, plan.unet_turn)
    expected = graphs["cpu"].run(frames[0])[0].astype(np.float64)
    reference = medians(times["cpu"])
    for name, graph in graphs.items():
        own = medians(times[name])
        error = float(np.abs(graph.run(frames[0])[0] - expected).max() / np.ptp(expected))
        yield Row(
            f"{what} on {name}; the largest difference is {error:.1e} of the answer's range",
            f"{np.median(own):.1f} ms",
            f"{np.median(reference):.1f} ms on cpu",
            round(ratio(own, reference), 3),
            detail={"ms": spreads({name: times[name]}), "error_of_range": error},
        )


def _plays(graph: CompiledGraph, frames: list[np.ndarray]) -> Play:
    return lambda number: graph.run(frames[number % len(frames)])
