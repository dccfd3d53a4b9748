"""CARE on cells: the published network at eight features and a halving more, with its probabilistic head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.drawing import Look

from ..._metrics import psnr
from ..._texts import Words
from .._classical import best_filters, ssim
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._structures import KINDS, Frame, behind_a_camera, held_out
from .._system import Live, Measured, System, Training

if TYPE_CHECKING:
    from ..._tasks import Task
    from ...networks.restore import Care

Array = npt.NDArray[Any]
KEY = "care-cells"
FEATURES, DEPTH = 8, 2
LOW, HIGH = 3.0, 99.8
"""Percentiles of a frame that become 0 and 1, as in the paper."""
PEAKS = (5.0, 20.0, 100.0)
"""Photons of the brightest pixels of held-out frames."""
FIRST = 1000
"""The first held-out specimen that is measured: recipes were compared on some of those before it."""
PIPELINE = """schema: 1
stages:
  denoise: {package: "{package}", decode: {answer: median}}
"""


def _network() -> Care:
    from ...networks.restore import Care

    return Care(FEATURES, DEPTH, probabilistic=True, shared=False, residual=False)


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
        step=8,
        sizes=[(16, 24), (64, 104), (136, 80)],
        frames=frames[1:],
        settings={"denormalise": {"mean": "values", "scale": "spread"}},
    )


def _frame(kind: int, number: int, peak: float) -> Frame:
    """A held-out field behind a camera of its own."""
    return behind_a_camera(held_out(kind, number), np.random.default_rng((number, kind)), peak)


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for kind, (scenario, channel) in enumerate(KINDS):
        for peak in PEAKS:
            frames = [_frame(kind, number, peak) for number in range(FIRST, FIRST + seeds)]
            quality = [_judged(frame, image) for frame, image in zip(frames, _restored(folder, frames), strict=True)]
            for metric, unit in (("PSNR", "dB"), ("SSIM", "")):
                rows = [one[metric] for one in quality]
                found.append(over_seeds(f"{scenario} {channel}, {peak:g} photons", metric, unit, rows))
    return found


def _restored(folder: Path, frames: Sequence[Frame]) -> list[Array]:
    results = answers(pipeline_of(PIPELINE, folder), movie([frame.counts for frame in frames]))
    return [np.asarray(one["denoise"]) for one in results]


def _judged(frame: Frame, restored: Array) -> dict[str, dict[str, float]]:
    """By metric, of the network and of the filters; their parameters are those that suit this frame's PSNR best."""
    images = {"network": restored, "raw": frame.counts, **best_filters(frame.counts, frame.truth)}
    return {
        "PSNR": {name: psnr(image, frame.truth) for name, image in images.items()},
        "SSIM": {name: ssim(image, frame.truth) for name, image in images.items()},
    }


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for kind, (scenario, channel) in enumerate(KINDS):
        frame = _frame(kind, FIRST, 20.0)
        look = Look.of(frame.truth, glow=True)
        raw, own = psnr(frame.counts, frame.truth), _restored(folder, [frame])[0]
        best = max(best_filters(frame.counts, frame.truth).items(), key=lambda one: psnr(one[1], frame.truth))
        rows.append(
            [
                Tile(f"{scenario}, {channel}", frame.counts, f"{raw:.1f} dB", look),
                Tile(best[0], best[1], f"{psnr(best[1], frame.truth):.1f} dB, parameter chosen by the truth", look),
                Tile("CARE", own, f"{psnr(own, frame.truth):.1f} dB", look),
                Tile("truth", frame.truth, "", look),
            ]
        )
    sheet("CARE on held-out cells, 20 photons in the brightest pixels", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="CARE with eight features: denoised fluorescence of cells, and how uncertain each pixel is",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) of nuclei, membranes or mitochondria, y and x of at least 16 and "
            "multiples of 8 (onscope pads others), normalised to its percentiles 3 and 99.8. Two float32 outputs of "
            "the same shape: the mean and the scale of a Laplacian at each pixel. onscope brings both back to the "
            "frame's counts and answers with the median and the spread (`decode: {answer: median}`: the image alone)."
        ),
        recipe=(
            "Nuclei, membranes and mitochondria of the specimen's scenarios dividing-cells and label-free: 40 to 130 "
            "% of their cells, pixels of 0.1 to 0.33 um, focus off by 0.7 um (standard deviation), 240 fields of "
            "256x256 turned and mirrored, 2.5 to 400 photons in the brightest pixels over a background of 0.5 to 30, "
            "behind sCMOS sensors of many kinds; noise is drawn anew for every batch. Loss: of the mean the squared "
            "error in dB relative to the raw frame's, of the scale the Laplacian's negative log likelihood around "
            "that mean, which changes the scale alone, where the paper has the likelihood for both. The network "
            "answers the image, where the paper's answers what to add to the frame: in the faintest light it would "
            "have to cancel the noise exactly. 8 features, where the paper has 32."
        ),
        limits=(
            "Trained on simulated cells alone; what it was not shown it may smooth away or invent. The answer is the "
            "mean of what may have been there: texture below the noise is gone, counts are no measurement without a "
            "control. Percentiles are the whole frame's, so that a cut-out is not treated as in the full frame, and "
            "a frame with very few bright pixels is scaled by its noise. On real structures under simulated light and "
            "cameras (docs/real-recordings.md) it is ahead of the best Gaussian on nuclei of 24 pixels and on whole "
            "cells, by 1 to 4 dB, and behind it on nuclei of 10 pixels, by up to 2 dB: nothing as small and as dense "
            "was in its training. Bright field was not either."
        ),
        cite=(
            {
                "text": "M. Weigert et al., Content-aware image restoration: pushing the limits of fluorescence "
                "microscopy, Nature Methods 15, 1090 (2018)",
                "doi": "10.1038/s41592-018-0216-7",
            },
        ),
        tags=("denoising", "fluorescence", "2d", "care", "cells"),
        settings={"decode": "distribution", "family": "laplace", "width_output": "scale"},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@membranes"),
    training=Training(_task, steps=8000, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on fields of specimens that training never saw, each behind a camera of "
            "its own; mean and standard deviation over the seeds. PSNR over the span of the truth. Filters have the "
            "parameter that suits each frame best, the truth known."
        ),
    ),
)
