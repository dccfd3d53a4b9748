"""How many frames per second the specimen gives: `python -m benchmarks.specimen`, about two minutes.

Cells under a wide field, photographed one after the other: image, noise and booked light, without labels. The budget is
50 frames/s at 512x512 with 100 cells and 5 at 2048x2048 on two cores. "live" follows the clock of a camera at the
budget's rate (between two steps of the cells, 10 s, only bleaching changes the image); "lapse" lets 60 s go by between
frames, so that every frame shows all cells anew; "still" is transmitted light, which changes nothing and whose image
is kept. CPU time is of all threads; frames/s are the inverse of the median wall time, which other processes lengthen.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from onscope.specimen import Channel, Specimen
from onscope.specimen.optics import OBJECTIVES, Condenser, Illumination, Microscope
from onscope.specimen.sample import Cells, CellSettings

from ._report import conditions


@dataclass(frozen=True)
class Way:
    """A row: `size` squared images, `step_s` between frames, through `channel`; `budget` in frames/s (0: none)."""

    name: str
    size: int
    step_s: float
    channel: str
    budget: float


@dataclass(frozen=True)
class Found:
    """`cells` in the image; wall and CPU times of a frame in ms."""

    name: str
    size: int
    cells: int
    frames: int
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    frames_per_s: float
    budget: float


WAYS = tuple(
    Way(name, size, step_s, channel, budget if name == "live" else 0.0)
    for size, budget in ((512, 50.0), (2048, 5.0))
    for name, step_s, channel in (
        ("live", 1 / budget, "nuclei"),
        ("lapse", 60.0, "nuclei"),
        ("still", 0.0, "phase"),
    )
)
CELLS_PER_UM2 = 1 / 270
"""About 100 in 512x512 pixels of 0.325 um."""


def specimen(size: int) -> Specimen:
    """Cells on a plate that is half as large again as the image, at 20x."""
    scope = Microscope(OBJECTIVES["20x/0.75"], condenser=Condenser("phase"))
    side = 1.5 * size * scope.pixel_um
    culture = Cells(CellSettings(count=round(side**2 * CELLS_PER_UM2), extent_um=(side, side), touch=0.8), seed=1)
    channels = {
        "nuclei": Channel("nucleus", Illumination(561, 8, 700), (590, 660), exposure_s=0.01),
        "phase": Channel(None, Illumination(546, 0.001, 700), exposure_s=0.01),
    }
    return Specimen(culture, scope, channels, seed=1)


def measured(way: Way, frames: int) -> Found:
    """Times of `frames` frames after two that nothing is kept for yet."""
    scene = specimen(way.size)
    middle = (scene.sample.extent_um[0] / 2, scene.sample.extent_um[1] / 2)
    wall, begin = [], 0.0
    for n in range(frames + 2):
        if n == 2:
            begin = time.process_time()
        started = time.perf_counter_ns()
        scene.advance(n * way.step_s)
        scene.snap(middle, way.channel, shape=(way.size, way.size), truth=False)
        wall.append((time.perf_counter_ns() - started) / 1e6)
    cpu = (time.process_time() - begin) * 1e3 / frames
    p50, p99 = np.percentile(wall[2:], (50, 99))
    truth = scene.snap(middle, way.channel, shape=(way.size, way.size)).truth
    cells = 0 if truth is None else len(truth.objects)
    return Found(
        name=way.name,
        size=way.size,
        cells=cells,
        frames=frames,
        p50_ms=round(float(p50), 2),
        p99_ms=round(float(p99), 2),
        cpu_ms=round(cpu, 2),
        frames_per_s=round(1e3 / float(p50), 1),
        budget=way.budget,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the frames")
    parser.add_argument("--out", type=Path, help="JSON to write")
    chosen = parser.parse_args()
    around = conditions()
    print(f"load before: {around['load_before']}\n")
    heads = ("image", "cells", "frames", "p50, ms", "p99, ms", "CPU, ms", "frames/s", "budget")
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    rows = []
    for way in WAYS:
        found = measured(way, max(2, (500 if way.size == 512 else 60) // (10 if chosen.quick else 1)))
        rows.append(asdict(found))
        print(
            f"| {way.name} {way.size}x{way.size} | {found.cells} | {found.frames} | {found.p50_ms} | {found.p99_ms} | "
            f"{found.cpu_ms} | {found.frames_per_s} | {found.budget:g} |",
            flush=True,
        )
    if chosen.out:
        chosen.out.write_text(json.dumps({"schema": 1, **around, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
