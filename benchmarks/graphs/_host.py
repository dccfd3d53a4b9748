"""Host cost per frame: all that a frame takes beside the network's own kernels, on a network of one convolution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from onscope.runtime import Package
from onscope.runtime._frame import Pixels
from onscope.runtime.graph import Normalise

from .._material import images
from .._rows import Row, at_most, spread
from ._ours import CompiledGraph, request, square
from ._packages import one_convolution
from ._peers import Core, Script
from ._plan import Plan
from ._profiled import Profiled
from ._turns import Play, medians, ratio, spreads, take_turns

FROZEN_FRAMES = 10
WARM_UP = FROZEN_FRAMES + 3
"""Frames before the first that counts: frozen statistics are ready by then."""
WAYS: dict[Normalise, str] = {"frozen": "frozen", "running": "running", "per_frame": "exact per frame"}
PEERS = {"script": "today's script", "bioimageio.core": "bioimageio.core's pipeline"}
CORE_BUDGET = 1 / 10


def script_budget(normalise: Normalise, size: int) -> float:
    """The part of today's script's host cost that ours may have."""
    if normalise != "per_frame":
        return 1 / 8
    return 1 / 4 if size <= 512 else 1 / 6


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """Compiled graphs by way of normalising, the script and bioimageio.core's pipeline, all in turns."""
    package = one_convolution(folder / "one")
    for size in plan.host_sizes:
        yield from _compare(plan, folder, package, images(size, plan.host_turn + 1), "", tuple(WAYS))
        # A histogram costs what its occupied range costs.
        spread_out = [frame.astype(np.uint16) for frame in _wide(size, plan.host_turn + 1)]
        yield from _compare(plan, folder, package, spread_out, ", counts over 16 bit", ("per_frame",))


def _compare(
    plan: Plan, folder: Path, package: Package, frames: list[Pixels], words: str, ways: tuple[Normalise, ...]
) -> Iterator[Row]:
    raw = square(frames[0].shape[-1])
    graphs = {
        way: CompiledGraph([request(package, normalise=way)], raw, folder / "cache", profile=folder) for way in ways
    }
    networks = {peer: Profiled(package.weights, folder) for peer in PEERS}
    script, core = Script(networks["script"]), Core(package, networks["bioimageio.core"])
    players: dict[str, Play] = {way: _plays(graph, frames) for way, graph in graphs.items()}
    players["script"] = lambda number: script.run(frames[number % len(frames)])
    players["bioimageio.core"] = lambda number: core.run(frames[number % len(frames)])
    times = take_turns(players, plan.host_rounds, plan.host_turn, WARM_UP)
    kernels: dict[str, list[list[float]]] = {
        way: _rounds(graph.profiled.end(), plan.host_turn) for way, graph in graphs.items() if graph.profiled
    }
    kernels |= {peer: _rounds(network.end(), plan.host_turn) for peer, network in networks.items()}
    host = {name: medians(_less(rounds, kernels[name])) for name, rounds in times.items()}
    detail = {
        "ms": spreads(times),
        "kernels_ms": spreads(kernels),
        "host_ms": {name: spread(values, 4) for name, values in host.items()},
        # Frozen and running statistics are those of other frames too.
        "largest_difference_counts": int(_difference(graphs["per_frame"].run(frames[0])[0], script.run(frames[0]))),
    }
    for peer, named in PEERS.items():
        for way in ways:
            yield at_most(
                f"host cost, one convolution, {raw.shape[0]}x{raw.shape[1]}{words}, normalisation {WAYS[way]}, against "
                f"{named}",
                f"{np.median(host[way]):.3f} ms",
                f"{np.median(host[peer]):.3f} ms",
                ratio(host[way], host[peer]),
                script_budget(way, raw.shape[0]) if peer == "script" else CORE_BUDGET,
                detail,
            )


def _less(times: list[list[float]], kernels: list[list[float]]) -> list[list[float]]:
    """Each frame's time less what its own kernels took."""
    return [[a - b for a, b in zip(*rounds, strict=True)] for rounds in zip(times, kernels, strict=True)]


def _wide(size: int, count: int) -> list[Pixels]:
    """Images whose brightness goes up to what uint16 holds, as a 16 bit camera gives of a bright specimen."""
    random = np.random.default_rng(1)
    return [random.gamma(2, 5000, (size, size)).clip(0, 65535) for _ in range(count)]


def _difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.reshape(other.shape).astype(np.float64) - other).max())


def _plays(graph: CompiledGraph, frames: list[np.ndarray]) -> Play:
    return lambda number: graph.run(frames[number % len(frames)])


def _rounds(runs: list[float], turn: int) -> list[list[float]]:
    """A profile's runs as `take_turns` counts them: without the warm-up, and without the first of each turn."""
    counted = runs[WARM_UP:]
    return [counted[start + 1 : start + turn + 1] for start in range(0, len(counted), turn + 1)]
