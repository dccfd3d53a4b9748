"""CARE on cells: the published network at eight features, with its probabilistic head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime import Pipeline

from ..._metrics import best_gaussian, best_median, psnr
from ..._texts import Words
from ...recipes import Part
from .._classical import best_nl_means, ssim
from .._live_path import answers, movie
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._structures import KINDS, behind_a_camera, held_out
from .._system import Live, Measured, System, Training

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "care-cells"
FEATURES = 8
LOW, HIGH = 3.0, 99.8
"""Percentiles of a frame that become 0 and 1, as in the paper."""
PEAKS = (5.0, 20.0, 100.0)
"""Photons of the brightest pixels of held-out frames."""
PIPELINE = """schema: 1
stages:
  denoise: {package: "{package}", decode: {answer: median}}
"""


def _network() -> nn.Module:
    from ...networks.restore import Care

    return Care(FEATURES, probabilistic=True)


def _task() -> Task:
    from ._care_task import CareTask

    return CareTask(_network())


def _choices() -> Choices:
    frames = [_frame(place, 100 + place, 30.0).counts for place in range(len(KINDS))]
    return Choices(
        example=np.ascontiguousarray(frames[0][:64, :96])[None, None],
        pre=(percentiles(LOW, HIGH, ("y", "x")), cast("float32")),
        output_names=("mean", "scale"),
        minimum=16,
        step=4,
        sizes=[(16, 20), (64, 100), (132, 76)],
        frames=frames[1:],
        settings={"denormalise": {"mean": "values", "scale": "spread"}},
    )


def _frame(kind: int, number: int, peak: float) -> Any:
    """A held-out field behind a camera of its own."""
    return behind_a_camera(held_out(kind, number), np.random.default_rng((number, kind)), peak)


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    pipeline = Pipeline.load_text(PIPELINE.replace("{package}", str(folder)))
    for kind, (scenario, channel) in enumerate(KINDS):
        for peak in PEAKS:
            frames = [_frame(kind, number, peak) for number in range(seeds)]
            restored = [one["denoise"] for one in answers(pipeline, movie([frame.counts for frame in frames]))]
            rows = [
                {
                    "network": psnr(answer, frame.truth),
                    "raw": psnr(frame.counts, frame.truth),
                    "Gaussian": best_gaussian(frame.counts, frame.truth),
                    "median": best_median(frame.counts, frame.truth),
                    "non-local means": best_nl_means(frame.counts, frame.truth, psnr),
                }
                for frame, answer in zip(frames, restored, strict=True)
            ]
            found.append(over_seeds(f"{scenario} {channel}, {peak:g} photons", "PSNR", "dB", rows))
    return found
