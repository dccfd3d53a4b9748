"""Whether the mounted specimen keeps up with its camera: `python -m benchmarks.specimen`, about three minutes.

Cells under a wide field in a real Micro-Manager core, in real time: a sequence of the mounted camera, whose frames are
popped from the core's buffer as they come. The budget is 50 frames/s at 512x512 with 100 cells and 5 at 2048x2048 on
two cores. "live" is one field at the budget's rate; "live, four times as fast" asks for more than the budget, to see
what there is; "live, nothing ahead" is without the second thread's foresight. In "time lapse" the sample lives 10 s
from frame to frame, a step of the cells, so that every frame shows all of them anew. "stage moving" sends the stage
some um on whenever a frame has come. A frame is late by the time from its exposure's end until it was popped; an
exposure is skipped when the camera fell behind by more than its memory holds. CPU time is of the whole process.
"""

from __future__ import annotations

import argparse
import json
import math
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onscope.drivers import specimen
from onscope.specimen import View
from onscope.specimen.sample import Cells, CellSettings

from ._report import conditions

CELLS_PER_UM2 = 1 / 270
"""About 100 in 512x512 pixels of 0.325 um."""


@dataclass(frozen=True)
class Way:
    """A row: `size` squared images at `rate` per second; `lapse_s` of the sample's life from frame to frame (0: real
    time); `budget` in frames/s (0: none)."""

    name: str
    size: int
    rate: float
    lapse_s: float = 0.0
    moving: bool = False
    ahead: bool = True
    budget: float = 0.0


@dataclass(frozen=True)
class Found:
    """`cells` in the image; `frames` that came, `skipped` exposures, lateness and CPU time of a frame in ms."""

    name: str
    size: int
    cells: int
    frames: int
    skipped: int
    frames_per_s: float
    late_p50_ms: float
    late_p99_ms: float
    cpu_ms: float
    budget: float


class Blind:
    """A scene that foresees nothing."""

    def __init__(self, scene: specimen.Living) -> None:
        self.extent_um, self.expose, self.illuminate = scene.extent_um, scene.expose, scene.illuminate


def _ways(size: int, rate: float) -> tuple[Way, ...]:
    return (
        Way("live", size, rate, budget=rate),
        Way("live, nothing ahead", size, rate, ahead=False),
        Way("live, four times as fast", size, 4 * rate),
        Way("time lapse", size, rate, lapse_s=10.0),
        Way("stage moving", size, rate, moving=True),
    )


WAYS = (*_ways(512, 50.0), *_ways(2048, 5.0))


def measured(way: Way, seconds: float) -> Found:
    """Frames of `seconds` of real time, after three that nothing is kept for yet."""
    pixel_um = 6.5 / 20
    side_um = 1.5 * way.size * pixel_um
    count = max(round(side_um**2 * CELLS_PER_UM2), 1)
    sample = Cells(CellSettings(count=count, extent_um=(side_um, side_um), touch=0.8), seed=1)
    sample.advance(5.0)  # in the middle of a step of 10 s
    scene = specimen.Living(sample, seed=1)
    hardware = specimen.Hardware(
        camera=specimen.CameraModel(shape=(way.size, way.size)),
        slm=specimen.SlmModel(relay=1.4),
        start_objective="Plan Apo 20x 0.75",
        start_channel="TRITC",
    )
    mmc = specimen.mount(
        scene if way.ahead else Blind(scene),
        hardware=hardware,
        lapse=way.lapse_s * way.rate or 1.0,
        buffer_mb=512,
    )
    mmc.setPosition(3.0)
    mmc.setExposure(1e3 / way.rate)
    mmc.waitForSystem()
    _taken(mmc, way, side_um, frames=3)
    begin = time.process_time()
    late_ms, elapsed_s = _taken(mmc, way, side_um, seconds=seconds)
    cpu = (time.process_time() - begin) * 1e3 / len(late_ms)
    skipped = int(mmc.getProperty("Camera", "SkippedExposures"))
    mmc.unloadAllDevices()
    view = View((side_um / 2, side_um / 2), (way.size, way.size), pixel_um)
    p50, p99 = np.percentile(late_ms, (50, 99))
    return Found(
        name=way.name,
        size=way.size,
        cells=len(scene.sample.truth(view).objects),
        frames=len(late_ms),
        skipped=skipped,
        frames_per_s=round(len(late_ms) / elapsed_s, 2),
        late_p50_ms=round(float(p50), 1),
        late_p99_ms=round(float(p99), 1),
        cpu_ms=round(cpu, 1),
        budget=way.budget,
    )


def _taken(
    mmc: specimen.SpecimenCore, way: Way, side_um: float, *, seconds: float = math.inf, frames: int = 0
) -> tuple[list[float], float]:
    """By how many ms each frame of a sequence was late, and how many seconds it lasted."""
    pause, clock = threading.Event(), mmc.bench.clock
    begins: dict[str, float] = {}
    late_ms: list[float] = []
    mmc.startContinuousSequenceAcquisition(0)
    started = clock.now_s()
    while (not late_ms or clock.now_s() < started + seconds) and not (frames and len(late_ms) >= frames):
        if not mmc.getRemainingImageCount():
            pause.wait(0.0005)
            continue
        _, tags = mmc.pop_with_tags()
        now = clock.now_s()
        begins |= _begins(mmc.bench.journal[-20:])
        late_ms.append((now - begins[tags["SpecimenExposure"]]) * 1e3 - float(tags["Exposure-ms"]))
        if way.moving:
            turn = len(late_ms)
            mmc.setXYPosition(side_um / 2 + 5 * math.sin(turn), side_um / 2 + 5 * math.cos(turn))
    elapsed_s = clock.now_s() - started
    mmc.stopSequenceAcquisition()
    return late_ms, elapsed_s


def _begins(journal: tuple[Any, ...]) -> dict[str, float]:
    return {str(one.value): one.at_s for one in journal if one.verb == "expose"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the time")
    parser.add_argument("--out", type=Path, help="JSON to write")
    chosen = parser.parse_args()
    around = conditions()
    print(f"load before: {around['load_before']}\n")
    heads = (
        "image",
        "cells",
        "frames",
        "frames/s",
        "skipped",
        "late p50, ms",
        "p99, ms",
        "CPU per frame, ms",
        "budget",
    )
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    rows = []
    for way in WAYS:
        found = measured(way, 4.0 if chosen.quick else 20.0)
        rows.append(asdict(found))
        print(
            f"| {way.name} {way.size}x{way.size} | {found.cells} | {found.frames} | {found.frames_per_s} | "
            f"{found.skipped} | {found.late_p50_ms} | {found.late_p99_ms} | {found.cpu_ms} | {found.budget:g} |",
            flush=True,
        )
    if chosen.out:
        chosen.out.write_text(json.dumps({"schema": 1, **around, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
