"""A frame cut into tiles against the whole frame: what the halos cost, and how far the answers are apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .._material import images
from .._rows import Row
from ._ours import CompiledGraph, request, square
from ._packages import unet
from ._plan import Plan
from ._turns import medians, ratio, spreads, take_turns


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """Tiles of every size of the plan, in turns with the whole frame; float32 answers, compared as they are."""
    chosen = plan.tiled
    package = unet(folder / "unet-floats", chosen.features, counts=False)
    frames = images(chosen.size, plan.unet_turn + 1)
    raw = square(chosen.size)
    graphs = {tile: CompiledGraph([request(package, tile=tile)], raw, folder / "cache") for tile in (None, *plan.tiles)}
    players = {
        str(tile): lambda number, graph=graph: graph.run(frames[number % len(frames)]) for tile, graph in graphs.items()
    }
    times = take_turns(players, plan.unet_rounds, plan.unet_turn)
    whole = medians(times["None"])
    expected = graphs[None].run(frames[0])[0].astype(np.float64)
    for tile in plan.tiles:
        tiling = graphs[tile].compiled.tiling
        if tiling is None:
            raise RuntimeError(f"found a graph of whole frames, expected tiles of {tile} pixels")
        own = medians(times[str(tile)])
        error = float(np.abs(graphs[tile].run(frames[0])[0] - expected).max() / np.ptp(expected))
        kind = "exact" if tiling.exact else "not exact"
        yield Row(
            f"U-Net of {chosen.features} features, {chosen.size}x{chosen.size}, in tiles of {tiling.tile[0]} with a "
            f"halo of {tiling.halo[0]} ({kind}), against the whole frame; largest difference {error:.1e} of the range",
            f"{np.median(own):.1f} ms",
            f"{np.median(whole):.1f} ms",
            round(ratio(own, whole), 3),
            detail={
                "ms": spreads(times),
                "error_of_range": error,
                "tiling": repr(tiling),
                "memory_mb": {str(size): graph.compiled.memory_mb for size, graph in graphs.items()},
            },
        )
