"""The shipped networks on their task, in whichever weights: PSNR to the truth, F1 of spots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._metrics import match, psnr
from onscope.export.zoo._quality import THRESHOLD, Graphs, Sample, simulated
from onscope.export.zoo._scenes import draw, draw_demo
from onscope.export.zoo.evaluate import NOT_EMPTY, samples
from onscope.runtime.engines import open_session

Array = npt.NDArray[Any]
KINDS = ("demo-like", "wide")
"""Simulated scenes like the demonstration's, and from the whole range of the training."""
CALIBRATING_SEED = 30_000_000
"""Far from those of training and of `evaluate`."""
UNITS = {"care-beads": "dB", "espcn-beads": "dB", "spots-beads": "F1"}


def calibrating(package: str, count: int) -> list[Array]:
    """Frames (y, x) such as the package gets them: raw ones, or denoised by the float denoiser."""
    seeds = range(CALIBRATING_SEED, CALIBRATING_SEED + count)
    scenes = [simulated(draw_demo(seed)) for seed in seeds]
    scenes += [simulated(draw(np.random.default_rng(seed), (256, 256), NOT_EMPTY, fine=True)) for seed in seeds]
    return list(inputs(package, scenes))


def inputs(package: str, scenes: Sequence[Sample]) -> Iterator[Array]:
    """What the package's network takes of these scenes, cut to 256 x 256."""
    denoise = Graphs(PACKAGES).denoise
    for scene in scenes:
        frame = scene.frame if package == "care-beads" else denoise(scene.frame)
        yield np.ascontiguousarray(frame[:256, :256])


class Quality:
    """Samples of one kind with the float denoiser's answers, ready to be given to several weights of a package."""

    def __init__(self, package: str, kind: str, count: int) -> None:
        self._package = package
        self._samples = list(samples(kind, count))
        graphs = Graphs(PACKAGES)
        self._given = [
            one.frame if package == "care-beads" else np.ascontiguousarray(graphs.denoise(one.frame))
            for one in self._samples
        ]

    def of(self, weights: Path) -> float:
        """Mean PSNR in dB over the frames, or F1 over all of them together."""
        session = open_session(weights, "cpu")

        def run(frame: Array) -> Array:
            return session.run([frame[None, None]])[0]

        return self._spots(run) if self._package == "spots-beads" else self._psnr(run)

    def _psnr(self, run: Callable[[Array], Array]) -> float:
        values = []
        for given, sample in zip(self._given, self._samples, strict=True):
            truth = sample.truth if self._package == "care-beads" else sample.fine_truth
            assert truth is not None
            values.append(psnr(run(given)[0, 0], truth))
        return float(np.mean(values))

    def _spots(self, run: Callable[[Array], Array]) -> float:
        found = []
        for given, sample in zip(self._given, self._samples, strict=True):
            table = run(given)
            spots = table[table[:, 2] >= THRESHOLD][:, :2]
            shape = (given.shape[0], given.shape[1])
            found.append(match(spots, sample.spots, shape, faint=sample.faint))
        return reduce(add, found).f1
