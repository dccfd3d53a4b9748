"""What each value costs beside the inference of care-beads, on one thread, in turns.

Times are those of the processor for this thread: what else runs on the machine does not count as a cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

from onscope.export.zoo._scenes import draw_demo
from onscope.runtime import FrameSpec, Package, Pipeline, Stage
from onscope.runtime.trust import (
    OFF,
    Patches,
    disagreement,
    error_map,
    input_statistics,
    noise_of,
    residual_values,
    scaled_error,
    values_of,
)
from onscope.runtime.trust._choice import EVERY
from onscope.runtime.worker import Chain

from .._rows import Row, spread
from ._plan import Plan

LIMIT = 0.05


def cost(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """A row per value: the median of its time over that of the inference."""
    told("what the values cost")
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return _rows(plan)
    finally:
        cv2.setNumThreads(threads)


def _rows(plan: Plan) -> list[Row]:
    size = plan.cost_size
    package = Package.load("zoo/care-beads")
    assert package.trust is not None
    reference = package.trust
    frame = draw_demo(70_000_000, (size, size)).frame
    chain = Chain(Pipeline([Stage("denoise", package, trust=OFF)]).opening(FrameSpec((size, size), "uint16"), "cpu", 1))
    answer = np.array(chain.run([frame])[0][0])
    patches = Patches((size, size))
    raw, restored = patches.of(frame), patches.of(answer)
    noise = noise_of(raw)

    def statistics() -> None:
        found = input_statistics(raw, noise)
        assert found is not None
        reference.distance(found)

    timed: dict[str, tuple[Callable[[], object], float]] = {
        "inference": (lambda: chain.run([frame]), 1.0),
        "patches of frame and answer, noise": (lambda: (patches.of(frame), patches.of(answer), noise_of(raw)), 1.0),
        "bias, whiteness y and x, removed": (lambda: residual_values(raw, restored, noise), 1.0),
        "rse, rsp": (lambda: scaled_error(raw, restored, noise), 1.0),
        "distance": (statistics, 1.0),
        f"disagreement under a flip, on every {EVERY}th frame": (
            lambda: (chain.run([frame]), disagreement(raw, restored, patches.of(answer[:, ::-1]))),
            1 / EVERY,
        ),
        "all on every frame together": (
            lambda: values_of(patches.of(frame), patches.of(answer), reference),
            1.0,
        ),
        "error_map of the whole frame (not live)": (lambda: error_map(frame, answer), 1.0),
    }
    times: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(plan.rounds):
        for name, (run, _share) in timed.items():
            start = time.thread_time()
            run()
            times[name].append((time.thread_time() - start) * 1e3)
    base = times.pop("inference")
    rows = []
    for name, taken in times.items():
        share = timed[name][1]
        ratio = share * float(np.median(taken)) / float(np.median(base))
        each = "" if share == 1 else f" / {round(1 / share)}"
        ours = f"p50 {np.percentile(taken, 50):.2f}, p95 {np.percentile(taken, 95):.2f} ms{each}"
        promised = "together" not in name and "not live" not in name
        rows.append(
            Row(
                f"cost at {size}x{size}: {name}",
                ours,
                f"inference p50 {np.median(base):.1f} ms",
                round(ratio, 4),
                f"at most {LIMIT:g}" if promised else "",
                ratio <= LIMIT if promised else None,
                {"ms": spread(taken, 3), "inference_ms": spread(base, 3), "share_of_frames": share},
            )
        )
    return rows
