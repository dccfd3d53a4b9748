"""DeepCAD-RT on movies, answering the newest frame: noise taken out with what the frames before it show."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..._texts import Words
from .._system import Live, Measured, System, Training
from ._movie_quality import ABOUT, MovieQuality, movie_choices
from ._movies import FRAMES, KINDS

if TYPE_CHECKING:
    from ..._tasks import Task
    from ...networks.restore import DeepCadRt

KEY = "deepcad-rt-movies"
FEATURES, WINDOW = 8, 8
PIPELINE = """schema: 1
stages:
  denoise: {package: "{package}"}
window: {length: 8, along: t, every: 1, on_gap: pad}
"""
QUALITY = MovieQuality("DeepCAD-RT", PIPELINE)


def _network() -> DeepCadRt:
    from ...networks.restore import DeepCadRt

    return DeepCadRt(FEATURES, causal=True)


def _task() -> Task:
    from ._movie_task import DeepCadTask

    return DeepCadTask(_network(), WINDOW)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=partial(movie_choices, WINDOW, 8),
    words=Words(
        name=KEY,
        folder=KEY,
        description="DeepCAD-RT with eight features, answering the newest frame: movies denoised as they come",
        takes_and_gives=(
            "Windows of 8 uint16 frames (1, 8, y, x) that follow one another, y and x of at least 16 and multiples "
            "of 8 (onscope pads others), normalised to the window's percentiles 3 and 99.8. The answer is the newest "
            "frame, float32 (1, 1, y, x), without waiting for later ones; onscope brings it back to the frame's "
            "counts. `window: {length: 8, along: t, every: 1, on_gap: pad}` slides frame by frame and answers from "
            "the first frame on."
        ),
        recipe=(
            f"Movies of {FRAMES} frames of {', '.join(kind.name for kind in KINDS)} of the specimen's scenarios, 19 "
            "or 20 of each, at speeds from still to several pixels per frame, the stage creeping in a half of them, 4 "
            "to 400 photons in the brightest pixels, few more often than many, over a background of 0.5 to 30, behind "
            "sCMOS sensors of many kinds and EMCCDs (15 %). Self-supervised as published: every second noisy frame "
            "goes in, and those that were left out are the targets; no noise-free frame takes part in the loss. What "
            "differs from the paper: the network answers the newest frame alone (causal), which counts as much as all "
            "others in training; 8 features in place of 16; the target lies before or after its frame, at random; the "
            "loss is the squared error in dB relative to that between the two frames (the paper: L1 and L2); noise is "
            "drawn anew for every window of the simulated movies, where the paper trains on the recording itself; "
            "percentiles in place of the mean."
        ),
        limits=(
            "It leans on the frames before. What appears in one frame and is gone in the next is taken for noise and "
            "dimmed; what switches on is shown late, and what moved leaves a trail (the table has what share of a "
            "sudden change is followed at once; 1 is all of it). Do not time single-frame events such as blinks or "
            "the onset of spikes on its answer, and localise no single molecules in it. In the first frames of a "
            "movie there is little to lean on, and more noise stays. In faint light it loses: with 5 photons in the "
            "brightest pixels the mean of frames, blurred as suits each movie best, is 2 to 5 dB ahead in all kinds "
            "of movies, and CARE of single frames by 1 to 2 dB. With 20 photons it has the best PSNR on molecules and "
            "beads, equals the best on membranes, and is up to 1.2 dB behind elsewhere. `fast-movies`, far smaller, "
            "is better in all of them and seventy times as fast. Trained on simulated movies alone."
        ),
        cite=(
            {
                "text": "X. Li et al., Real-time denoising enables high-sensitivity fluorescence time-lapse imaging "
                "beyond the shot-noise limit, Nature Biotechnology 41, 282 (2023)",
                "doi": "10.1038/s41587-022-01450-8",
            },
        ),
        tags=("denoising", "fluorescence", "time", "deepcad-rt", "self-supervised"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:spots@emitters"),
    training=Training(_task, steps=6500, learning_rate=3e-3),
    measured=Measured(QUALITY.scores, QUALITY.picture, about=ABOUT),
    cost_shape=(256, 256),
    window=WINDOW,
)
