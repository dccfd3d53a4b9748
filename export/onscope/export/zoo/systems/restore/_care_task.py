"""The training of CARE's probabilistic network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..._scenes import random_sensor
from ...networks.restore import Care
from ...recipes import Part
from .._augment import crop, turned
from .._first_weights import begin
from .._structures import BACKGROUND_PHOTONS, exposed, structures

Array = npt.NDArray[Any]
PEAK_PHOTONS = (2.5, 400.0)
"""Photons of the brightest pixels: from below what is measured, so that the darkest frames are no edge of the range."""
SPECIMENS = 30
"""Of each kind of structure, two fields each."""
LOW, HIGH = 3.0, 99.8
WHOLE = 0.6
"""Share of the crops that are normalised by the percentiles of the field that they are cut from."""
THINNED = 5
"""Every so many pixels of a field stand for all of it when its percentiles are taken."""


class CareTask:
    """Percentile-normalised frames to their noise-free selves.

    The mean is held against the truth in dB, so that every light level counts alike; the scale by the Laplacian's
    negative log likelihood around that mean, each pixel weighted by its scale as in M. Seitzer et al., ICLR 2022. The
    likelihood alone, as in the paper, is nearly all about the darkest pixels of the brightest frames, and training by
    it was not stable at this width.
    """

    def __init__(self, network: Care, light: Array | None = None, batch: int = 6, side: int = 96) -> None:
        self.network, self.batch, self.side = network, batch, side
        begin(network, network.mean, but=[layer for layer in [network.scale] if layer is not None])
        self.light = structures(Part.TRAINING, SPECIMENS) if light is None else light

    def loss(self, rng: np.random.Generator) -> Tensor:
        pairs = [self._pair(rng) for _ in range(self.batch)]
        frames, truth = (torch.from_numpy(np.stack(part))[:, None] for part in zip(*pairs, strict=True))
        mean, scale = self.network(frames)
        return _decibels(mean, frames, truth) + _misjudged(scale, (mean.detach() - truth).abs())

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        field = self.light[rng.integers(len(self.light))].astype(np.float32)
        light = turned(crop(field, self.side, rng), int(rng.integers(8)))
        peak, background = (np.exp(rng.uniform(*np.log(ends))) for ends in (PEAK_PHOTONS, BACKGROUND_PHOTONS))
        camera = random_sensor(rng)
        frame = exposed(light * peak + background, rng, camera)
        seen = frame.counts
        if rng.random() < WHOLE:
            seen = exposed(field[::THINNED, ::THINNED] * peak + background, rng, camera).counts
        low, high = np.percentile(seen, (LOW, HIGH))
        span = max(float(high - low), 1e-6)
        return tuple(np.asarray((part - low) / span, np.float32) for part in (frame.counts, frame.truth))  # type: ignore[return-value]


def _decibels(mean: Tensor, frames: Tensor, truth: Tensor) -> Tensor:
    """Squared error in dB relative to that of the frames (b, 1, y, x), the mean over them."""
    left, before = (((image - truth) ** 2).mean(dim=(1, 2, 3)) for image in (mean, frames))
    return 10 * torch.log10((left + 1e-8) / (before + 1e-8)).mean()


def _misjudged(scale: Tensor, error: Tensor) -> Tensor:
    """Negative log likelihood of the errors, weighted by the scales, relative to each frame's mean scale."""
    weight = scale.detach() / scale.detach().mean(dim=(1, 2, 3), keepdim=True)
    return (weight * (error / scale + torch.log(scale))).mean()
