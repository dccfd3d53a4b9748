"""FAST on movies, answering the newest frame: a very small network over five frames."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..._texts import Words
from .._system import Live, Measured, System, Training
from ._movie_quality import ABOUT, MovieQuality, movie_choices
from ._movies import FRAMES, KINDS

if TYPE_CHECKING:
    from ..._tasks import Task
    from ...networks.restore import Fast

KEY = "fast-movies"
FEATURES, LAYERS, WINDOW = 16, 4, 5
PIPELINE = """schema: 1
stages:
  denoise: {package: "{package}"}
window: {length: 5, along: t, every: 1, on_gap: pad}
"""
QUALITY = MovieQuality("FAST", PIPELINE)


def _network() -> Fast:
    from ...networks.restore import Fast

    return Fast(WINDOW, FEATURES, LAYERS)


def _task() -> Task:
    from ._movie_task import FastTask

    return FastTask(_network(), WINDOW)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=partial(movie_choices, WINDOW, 2),
    words=Words(
        name=KEY,
        folder=KEY,
        description="FAST, a very small network that answers the newest of five frames: fast movies denoised",
        takes_and_gives=(
            "Windows of 5 uint16 frames (1, 5, y, x) that follow one another, y and x of at least 16 and even "
            "(onscope pads others), normalised to the window's percentiles 3 and 99.8. The answer is the newest "
            "frame, float32 (1, 1, y, x), without waiting for later ones; onscope brings it back to the frame's "
            "counts. `window: {length: 5, along: t, every: 1, on_gap: pad}` slides frame by frame and answers from "
            "the first frame on."
        ),
        recipe=(
            f"The movies of `deepcad-rt-movies`: {FRAMES} frames of {', '.join(kind.name for kind in KINDS)} of the "
            "specimen's scenarios, 19 or 20 movies of each, at speeds from still to several pixels per frame, the "
            "stage creeping in a half of them, 4 to 400 photons in the brightest pixels, few more often than many, "
            "over a background of 0.5 to 30, behind sCMOS sensors of many kinds and EMCCDs (15 %). Self-supervised: "
            "every second noisy frame goes in, and the one that was left out beside the newest, before or after it at"
            " random, is the target; no noise-free frame takes part in the loss, the squared error in dB relative to "
            "that between the two frames. What differs from the paper: there the pixels of a frame are divided "
            "between input and target, here the frames; the newest frame is answered; noise is drawn anew for every "
            "window. The paper's layers and window are not known here: frames folded to a quarter of their pixels, "
            "four 3x3 convolutions of 16 features and a last one were chosen."
        ),
        limits=(
            "It leans on the frames before. What appears in one frame and is gone in the next is taken for noise and "
            "dimmed; what switches on is shown late, and what moved leaves a trail (the table has what share of a "
            "sudden change is followed at once; 1 is all of it). Do not time single-frame events such as blinks or "
            "the onset of spikes on its answer, and localise no single molecules in it. In the first frames of a "
            "movie there is little to lean on, and more noise stays. It sees 10 pixels to each side: noise in wide "
            "even areas stays in part. In faint light it loses: with 5 photons in the brightest pixels the mean of "
            "frames, blurred as suits each movie best, is 1 to 4 dB ahead in all kinds of movies, and CARE of single "
            "frames by up to 1 dB. With 20 photons it has the best PSNR on membranes, bacteria, molecules and beads "
            "(by 0.4 to 2.6 dB) and is within 0.3 dB of the best on nuclei and mitochondria; its SSIM is the best on "
            "membranes and beads alone. Of sudden changes it follows less than CARE of single frames in most movies. "
            "Trained on simulated movies alone."
        ),
        cite=(
            {
                "text": "Y. Wang et al., Real-time self-supervised denoising for high-speed fluorescence neural "
                "imaging, Nature Communications 16 (2025)",
                "doi": "10.1038/s41467-025-64681-8",
            },
        ),
        tags=("denoising", "fluorescence", "time", "fast", "self-supervised"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:spots@emitters"),
    training=Training(_task, steps=20000, learning_rate=3e-3),
    measured=Measured(QUALITY.scores, QUALITY.picture, about=ABOUT),
    cost_shape=(256, 256),
    window=WINDOW,
)
