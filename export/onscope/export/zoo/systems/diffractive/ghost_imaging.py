"""Deep ghost imaging: each part of a frame as a detector without pixels sees it, and what a network makes of that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast
from onscope.runtime.drawing import Look

from ..._texts import Words
from .._classical import ssim
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._structures import KINDS, Frame, behind_a_camera, held_out
from .._system import Live, Measured, System, Training

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "ghost-imaging"
SIDE, COUNT, HIDDEN, LAYERS = 32, 205, 128, 2
PIPELINE = """schema: 1
stages:
  ghost: {package: "{package}"}
"""
PHOTONS = 200.0
ZOOM = 2
"""Pixels of the structures per pixel of the held-out frames."""
SIGMAS_PX = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


def _network() -> nn.Module:
    from ._ghost_task import SingleDetector

    return SingleDetector(COUNT, SIDE, HIDDEN, LAYERS)


def _task() -> Task:
    from ._ghost_task import GhostTask, SingleDetector

    return GhostTask(SingleDetector(COUNT, SIDE, HIDDEN, LAYERS), SIDE)


def _choices() -> Choices:
    frames = [np.ascontiguousarray(_frame(kind, 200 + kind).counts[:SIDE, :SIDE]) for kind in range(3)]
    return Choices(
        example=frames[0][None, None],
        pre=(cast("float32"),),
        output_names=("image",),
        minimum=SIDE,
        step=SIDE,
        sizes=[(SIDE, 2 * SIDE), (3 * SIDE, 2 * SIDE)],
        frames=frames[1:],
    )


def _frame(kind: int, number: int) -> Frame:
    """Structures of a held-out specimen behind a camera of its own, one tile of (SIDE, SIDE) in the middle."""
    light = held_out(kind, number)
    first = (light.shape[0] - SIDE * ZOOM) // 2
    part = light[first : first + SIDE * ZOOM, first : first + SIDE * ZOOM]
    part = part.reshape(SIDE, ZOOM, SIDE, ZOOM).mean(axis=(1, 3))
    return behind_a_camera(part, np.random.default_rng((number, kind)), PHOTONS)


def classical(frame: Array) -> dict[str, Array]:
    """What the same series of a tile (SIDE, SIDE) gives without a network, in any units: correlation, least squares."""
    from ._ghost_task import light_patterns

    patterns = light_patterns(COUNT, SIDE).numpy().reshape(COUNT, -1).astype(np.float64)
    patterns -= patterns.mean(axis=0)
    series = patterns @ (frame.ravel() - frame.mean())
    series -= series.mean()
    ways = {"correlation": series @ patterns / COUNT, "least squares": np.linalg.pinv(patterns, rcond=1e-6) @ series}
    return {name: image.reshape(SIDE, SIDE) for name, image in ways.items()}


def smoothed(image: Array, truth: Array) -> Array:
    """The image behind the Gaussian filter that brings it closest to the truth, which no user could choose."""
    return max((cv2.GaussianBlur(image, (0, 0), sigma) for sigma in SIGMAS_PX), key=lambda one: _alike(one, truth))


def _classical(frame: Frame) -> dict[str, Array]:
    found = classical(frame.counts)
    return {**found, "smoothed": smoothed(found["least squares"], frame.truth)}


def fitted(image: Array, truth: Array) -> Array:
    """The image in the truth's units: gain and offset by least squares."""
    gain, offset = np.polyfit(image.ravel().astype(np.float64), truth.ravel().astype(np.float64), 1)
    return np.asarray(gain * image + offset, np.float32)


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for kind, (scenario, channel) in enumerate(KINDS):
        frames = [_frame(kind, number) for number in range(seeds)]
        quality = [_judged(frame, image) for frame, image in zip(frames, _imaged(folder, frames), strict=True)]
        for metric in ("correlation with the truth", "SSIM"):
            found.append(over_seeds(f"{scenario} {channel}", metric, "", [one[metric] for one in quality]))
    return found


def _imaged(folder: Path, frames: Sequence[Frame]) -> list[Array]:
    results = answers(pipeline_of(PIPELINE, folder), movie([frame.counts for frame in frames]))
    return [np.asarray(one["ghost"]) for one in results]


def _judged(frame: Frame, image: Array) -> dict[str, dict[str, float]]:
    ways = {"network": image, **_classical(frame)}
    return {
        "correlation with the truth": {name: _alike(one, frame.truth) for name, one in ways.items()},
        "SSIM": {name: ssim(fitted(one, frame.truth), frame.truth) for name, one in ways.items()},
    }


def _alike(image: Array, truth: Array) -> float:
    return float(np.corrcoef(image.ravel(), truth.ravel())[0, 1])


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for kind, (scenario, channel) in enumerate(KINDS):
        frame = _frame(kind, 0)
        image = _imaged(folder, [frame])[0]
        ways = {**_classical(frame), "network": image}
        tiles = [
            Tile(name, one, f"correlation with the truth {_alike(one, frame.truth):.2f}", Look.of(one, glow=False))
            for name, one in ways.items()
        ]
        rows.append([*tiles, Tile(f"truth: {scenario}, {channel}", frame.truth, look=Look.of(frame.truth, glow=False))])
    sheet(f"Ghost imaging of held-out cells: {SIDE}x{SIDE} pixels of {COUNT} sums", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description=f"Deep ghost imaging: {SIDE}x{SIDE} pixels of {COUNT} sums of a detector without pixels",
        takes_and_gives=(
            f"Frames (1, 1, y, x) uint16, y and x multiples of {SIDE} (onscope pads others), of which each tile of "
            f"{SIDE}x{SIDE} pixels stands for what is lit: the graph multiplies it with {COUNT} random patterns of "
            f"light and goes on with the sums alone, {COUNT / SIDE**2:.0%} as many numbers as pixels. One float32 "
            "output of the same shape in the frame's counts: the image that correlation and network make of each "
            "tile's series. For a real single-pixel detector export the network `GhostImagingFromSeries` with the "
            "patterns of the device; the frame is then its series."
        ),
        recipe=(
            "Nuclei, membranes and mitochondria of the specimen's scenarios dividing-cells and label-free at one,"
            " two and four times their pixels, turned and mirrored, 4 to 400 photons in the brightest pixels, "
            "sums with noise of 0.3 to 10 % of their spread. Mean squared error in units of the spread that the "
            f"sums tell. Two hidden layers of {HIDDEN}; the number and widths of the paper's are not known here "
            "for sure."
        ),
        limits=(
            "Trained on simulated cells and these patterns alone: other patterns need another training. What is finer "
            "than about five pixels blurs (filaments of mitochondria, thin membranes), and the rest is what cells of "
            "the training usually look like. The live run lights what a camera has seen already, which shows that it "
            "runs, and saves nobody a camera. A Gaussian filter behind the least squares, of the width that suits each "
            "image best, does as well on membranes and mitochondria: the network is ahead of it on nuclei, and in SSIM "
            "on mitochondria. Tiles are imaged one by one, and seams may show."
        ),
        cite=(
            {
                "text": "M. Lyu et al., Deep-learning-based ghost imaging, Scientific Reports 7, 17865 (2017)",
                "doi": "10.1038/s41598-017-18171-7",
            },
        ),
        tags=("ghost imaging", "single-pixel", "reconstruction", "2d"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei,size=256"),
    training=Training(_task, steps=4000, learning_rate=1e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on one tile of each of several specimens that training never saw, "
            f"{PHOTONS:g} photons in the brightest pixels; mean and standard deviation over the specimens. "
            "Correlation is the ghost image as the paper begins with, least squares the smallest image that "
            "explains all sums, and smoothed is that one behind the Gaussian filter (of seven) that suits each image "
            "best, the truth known. Pearson's correlation with the truth, and SSIM after gain and offset were fitted "
            "to the truth for every way."
        ),
    ),
    cost_shape=(256, 256),
)
