"""Compiled graphs of a package's weights in turns, on the engines that are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from onscope.runtime import Package, ProviderError

from .._material import images
from .._rows import Row
from ..graphs._ours import CompiledGraph, request, square
from ..graphs._turns import Play, medians, ratio, spreads, take_turns
from ._plan import Plan

ENGINES = ("cpu", "openvino")


def measure(plan: Plan, name: str, package: Package, folder: Path) -> Iterator[Row]:
    """A row per variant and engine: time per frame against that of the float weights."""
    frames = images(plan.size, plan.turn + 1)
    for engine in ENGINES:
        graphs, refused = _open(package, engine, plan.size, folder)
        for precision, why in refused.items():
            yield Row(f"{name} in {precision} on {engine}", "does not run here", detail={"because": why})
        if "float32" not in graphs:
            continue
        players: dict[str, Play] = {each: _plays(graph, frames) for each, graph in graphs.items()}
        times = take_turns(players, plan.rounds, plan.turn)
        whole = medians(times["float32"])
        for precision in (each for each in graphs if each != "float32"):
            own = medians(times[precision])
            yield Row(
                f"{name} in {precision} on {engine}, {plan.size}x{plan.size}, time per frame",
                f"{np.median(own):.2f} ms",
                f"{np.median(whole):.2f} ms in float",
                round(ratio(own, whole), 3),
                detail={"ms": spreads({each: times[each] for each in ("float32", precision)})},
            )


def _open(package: Package, engine: str, size: int, folder: Path) -> tuple[dict[str, CompiledGraph], dict[str, str]]:
    """Graphs by precision, and why others do not open; variants that did not pass are timed all the same."""
    whole = request(package)
    asked: Mapping[str, tuple[Path, str]] = {"float32": (package.weights, package.weights_sha256)} | {
        each.precision: (each.weights, each.sha256) for each in package.variants.values()
    }
    graphs, refused = {}, {}
    for precision, (weights, sha256) in asked.items():
        wanted = replace(whole, weights=weights.resolve(), weights_sha256=sha256)
        try:
            graphs[precision] = CompiledGraph([wanted], square(size), folder / "cache", engine)
        except ProviderError as refusal:
            refused[precision] = str(refusal)
    return graphs, refused


def _plays(graph: CompiledGraph, frames: list[np.ndarray]) -> Play:
    return lambda number: graph.run(frames[number % len(frames)])
