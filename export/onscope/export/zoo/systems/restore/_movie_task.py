"""The training of what denoises movies: noisy movies whose every second frame is the target of the others."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...networks.restore import DeepCadRt, Fast
from ...recipes import Part
from .._augment import crop, turned
from .._first_weights import begin
from .._structures import PEAK_PHOTONS
from ._movies import HIGH, LOW, filmed, movies

Array = npt.NDArray[Any]
SPECIMENS = 20
"""Of each kind of movie."""
STEP = 2
"""Of how many frames only one is shown to the network: the others are targets."""
BEGINNING = 0.1
"""Share of the windows whose first frames are copies of one, as at the beginning of a movie."""


class MovieTask:
    """Windows of every second noisy frame, to the noisy frames that were left out, as in the paper of DeepCAD-RT.

    The mean of the window beside the network, as a first answer, was tried too: its noise has to be taken away again,
    which is learned far slower than an image is made anew.

    The target of a frame is the one after it or the one before it, in a whole window alike and at random. Noise is
    independent from frame to frame, so that the mean of what may come out is the signal; no noise-free frame takes
    part. The squared error is told in dB relative to that between the newest frame and the target: every light level
    counts alike, and -3 dB would be a perfect answer to a still scene.
    """

    def __init__(
        self, network: nn.Module, window: int, light: Array | None = None, batch: int = 4, side: int = 64
    ) -> None:
        self.network, self.window, self.batch, self.side = network, window, batch, side
        self.light = movies(Part.TRAINING, SPECIMENS) if light is None else light

    def loss(self, rng: np.random.Generator) -> Tensor:
        windows, targets = self.pairs(rng)
        return decibels(self.network(windows), windows[:, -1:], targets[:, -1:])

    def pairs(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Windows and the targets of their frames, (b, t, y, x) both."""
        pairs = [self._pair(rng) for _ in range(self.batch)]
        windows, targets = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        return windows, targets

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        light = self.light[rng.integers(len(self.light))]
        span = STEP * self.window
        first = int(rng.integers(len(light) - span + 1))
        light = turned(crop(light[first : first + span], self.side, rng), int(rng.integers(8)))
        # Dark movies more often: against noisy targets, what is still wrong with them hardly shows in the error.
        low, high = np.log(PEAK_PHOTONS)
        peak = float(np.exp(low + (high - low) * rng.random() ** 2))
        counts = filmed(light.astype(np.float32), rng, peak).counts.astype(np.float32)
        shown, left_out = counts[::STEP], counts[1::STEP]
        window, target = (shown, left_out) if rng.random() < 0.5 else (left_out, shown)
        return normalised(_begun(window, rng) if rng.random() < BEGINNING else window, target)


class FastTask(MovieTask):
    """FAST, which answers the newest frame alone."""

    def __init__(self, network: Fast, window: int, light: Array | None = None, batch: int = 12, side: int = 64) -> None:
        super().__init__(network, window, light, batch, side)
        begin(network, cast(nn.Conv2d, network.layers[-1]))


class DeepCadTask(MovieTask):
    """DeepCAD-RT, which in training answers all frames; the newest, alone answered live, counts as much as all."""

    def __init__(
        self, network: DeepCadRt, window: int, light: Array | None = None, batch: int = 4, side: int = 64
    ) -> None:
        super().__init__(network, window, light, batch, side)
        begin(network, network.last)
        for weights in network.parameters():  # nearly twice as fast on CPUs
            if weights.dim() == 5:
                weights.data = weights.data.contiguous(memory_format=torch.channels_last_3d)

    def loss(self, rng: np.random.Generator) -> Tensor:
        windows, targets = self.pairs(rng)
        answers = cast(DeepCadRt, self.network).whole(windows)
        return (decibels(answers[:, -1:], windows[:, -1:], targets[:, -1:]) + decibels(answers, windows, targets)) / 2


def decibels(answers: Tensor, frames: Tensor, targets: Tensor) -> Tensor:
    """Squared error in dB relative to that of the frames (b, t, y, x), the mean over them."""
    left, before = (((image - targets) ** 2).mean(dim=(1, 2, 3)) for image in (answers, frames))
    return 10 * torch.log10((left + 1e-6) / (before + 1e-6)).mean()


def normalised(window: Array, target: Array) -> tuple[Array, Array]:
    """Both in units of the window's percentiles, float32."""
    low, high = np.percentile(window, (LOW, HIGH))
    span = max(float(high - low), 1e-6)
    return np.asarray((window - low) / span, np.float32), np.asarray((target - low) / span, np.float32)


def _begun(window: Array, rng: np.random.Generator) -> Array:
    """With one frame in place of all before it."""
    first = int(rng.integers(1, len(window)))
    return np.concatenate((np.repeat(window[first : first + 1], first, axis=0), window[first:]))
