"""ANNA-PALM on microtubules: localised inside the graph, drawn by the published network at ten features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from onscope.export import Choices
from onscope.export._steps import cast
from onscope.runtime.drawing import Look

from ..._metrics import psnr
from ..._texts import Words
from .._classical import ssim
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._blinking import SCALE, held_out
from ._enlarging import correlation, fitted

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "anna-palm-microtubules"
WINDOW, FEATURES, DEPTH = 40, 10, 5
WIDTHS = (0.0, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
"""Gaussian widths (sigma) in fine pixels."""
PIPELINE = """schema: 1
stages:
  draw: {package: "{package}"}
window: {length: 40, along: t}
"""


def _network() -> nn.Module:
    from ._anna_palm_network import LocalisingAnnaPalm

    return LocalisingAnnaPalm(FEATURES, DEPTH)


def _task() -> Task:
    from ._anna_palm_network import LocalisingAnnaPalm
    from ._anna_palm_task import AnnaPalmTask

    return AnnaPalmTask(LocalisingAnnaPalm(FEATURES, DEPTH), WINDOW)


def _choices() -> Choices:
    windows = [_window(100 + n)[0] for n in range(2)]
    return Choices(
        example=np.ascontiguousarray(windows[0][None, :, :48, :64]),
        axes="btyx",
        output_axes=("bcyx",),
        pre=(cast("float32"),),
        output_names=("density",),
        minimum=16,
        step=2**DEPTH // SCALE,
        sizes=[(32, 40), (64, 96)],
        frames=[np.ascontiguousarray(windows[1][None, :, :64, :64])],
        settings={"scale": SCALE},
    )


def _window(number: int) -> tuple[Array, Array]:
    """The first frames (WINDOW, 128, 128) of a held-out movie, and the truth (512, 512)."""
    frames, density = held_out(number)
    return frames[:WINDOW], np.minimum(density, 1)


def _drawn(folder: Path, windows: Sequence[Array]) -> list[Array]:
    frames = [frame for window in windows for frame in window]
    return [np.asarray(one["draw"]).squeeze() for one in answers(pipeline_of(PIPELINE, folder), movie(frames))]


def _beside(window: Array, truth: Array) -> dict[str, Array]:
    """The localisations' histogram, the same blurred, and the mean of the frames, brought to the truth's brightness."""
    histogram = _histogram(window.tobytes(), window.shape)
    mean = np.kron(window.mean(axis=0), np.ones((SCALE, SCALE)))
    blurred = [fitted(gaussian_filter(histogram, width), truth) for width in WIDTHS]
    return {
        "histogram": fitted(histogram, truth),
        "histogram, Gaussian": max(blurred, key=lambda image: psnr(image, truth)),
        "mean of the frames": fitted(mean, truth),
    }


@lru_cache(maxsize=16)
def _histogram(counts: bytes, shape: tuple[int, ...]) -> Array:
    """What the network's own localisation gives, by the same code."""
    import torch

    from ._localising import Localisations

    window = np.frombuffer(counts, np.uint16).reshape(shape).astype(np.float32)
    with torch.no_grad():
        return np.asarray(Localisations(SCALE)(torch.from_numpy(window)[None])[0, 0].numpy())


def _scores(folder: Path, seeds: int) -> list[Score]:
    pairs = [_window(number) for number in range(seeds)]
    drawn = _drawn(folder, [window for window, _ in pairs])
    images = [
        ({"network": own, **_beside(window, truth)}, truth) for own, (window, truth) in zip(drawn, pairs, strict=True)
    ]
    found = []
    for metric, unit, measure in (("PSNR", "dB", psnr), ("SSIM", "", ssim), ("correlation", "", correlation)):
        rows = [{name: measure(image, truth) for name, image in named.items()} for named, truth in images]
        found.append(over_seeds(f"microtubules, {WINDOW} frames", metric, unit, rows))
    return found


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for number in range(3):
        window, truth = _window(number)
        beside, part, look = _beside(window, truth), slice(128, 384), Look.of(np.array([[0.0, 0.9]]), glow=True)
        tiles = [
            Tile("mean of 40 frames", window.mean(axis=0)[32:96, 32:96]),
            Tile("their localisations", beside["histogram, Gaussian"][part, part], "at the best blur"),
            Tile("ANNA-PALM", _drawn(folder, [window])[0][part, part], "", look),
            Tile("all molecules", truth[part, part], "", look),
        ]
        rows.append(tiles)
    sheet("ANNA-PALM on held-out microtubules, from 1.2 s of blinking", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="ANNA-PALM: microtubules on pixels of a quarter of the size from 40 frames of blinking molecules",
        takes_and_gives=(
            "A window of 40 uint16 frames (1, 40, y, x) of blinking molecules, y and x of at least 16 and multiples of "
            "8 (onscope pads others). Inside the graph molecules are localised, counted on pixels of a quarter of the "
            "size, and given to the network beside the mean of the frames. The answer is float32 (1, 1, 4y, 4x), 0 to "
            "1: the density of molecules, 1 for 60 per um of a filament and more."
        ),
        recipe=(
            "Movies of the specimen's scenario spots (TIRF 100x/1.49, EMCCD, pixels of 130 nm, 30 ms), 60 specimens "
            "of 128x128 pixels and 60 frames, of which 40 that follow one another are taken; half to 1.8 times the "
            "scenario's filaments, molecules 0.6 to 1.8 times as bright and dark 0.6 to 2 times as long; turned and "
            "mirrored. The truth is the density of all molecules, blurred to 40 nm, those above 350 nm left out. Loss: "
            "the logarithm of the squared error, and after 1500 batches 0.05 times the conditional discriminator's "
            "least squares (eight features). The paper compares the answer with the wide-field image too, and learns "
            "from dense images of thousands of frames."
        ),
        limits=(
            "It draws microtubules whatever it sees: other structures come out as filaments, gaps are closed that may "
            "be real, and two filaments closer than about 100 nm become one. Faint ones, farther from the coverslip, "
            "come out in pieces or not at all. The density is no count of molecules. "
            "Localisations belong to isolated spots a little more than a pixel wide (sigma): where spots overlap, in "
            "dense blinking, they are wrong. The sample must stand still for the 40 frames."
        ),
        cite=(
            {
                "text": "W. Ouyang et al., Deep learning massively accelerates super-resolution localization "
                "microscopy, Nature Biotechnology 36, 460 (2018)",
                "doi": "10.1038/nbt.4106",
            },
        ),
        tags=("super-resolution", "localisation", "palm", "fluorescence", "2d", "anna-palm", "microtubules"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:spots@emitters,size=128", frames=120),
    training=Training(_task, steps=3000, learning_rate=1e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on windows of 40 frames of specimens that training never saw; mean and "
            "standard deviation over the seeds. PSNR over the span of the truth. The histogram holds the same "
            "localisations that the network draws from; it, its blur of the best width, and the mean of the frames are "
            "brought to the truth's brightness by least squares, the truth known."
        ),
        seeds=8,
    ),
    cost_shape=(128, 128),
    window=WINDOW,
)
