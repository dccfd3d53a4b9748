"""The training of DeepCAD-RT: noisy movies whose every second frame is the target of the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...recipes import Part
from .._augment import crop, turned
from ._movies import filmed, movies

Array = npt.NDArray[Any]
SPECIMENS = 20
"""Of each kind of movie."""
LOW, HIGH = 3.0, 99.8
WINDOW, STEP = 8, 2
"""Frames that the network sees, and of how many only one is shown to it: the others are targets."""
BEGINNING = 0.1
"""Share of the windows whose first frames are copies of one, as at the beginning of a movie."""


class DeepCadTask:
    """Windows of every second noisy frame, to the noisy frame beside their newest one, before or after it at random.

    Noise is independent from frame to frame, so that the mean of what may come out is the signal; no noise-free frame
    takes part. The squared error is told in dB relative to that between the newest frame and the target: every light
    level counts alike, and -3 dB would be a perfect answer to a still scene.
    """

    def __init__(self, network: nn.Module, light: Array | None = None, batch: int = 4, side: int = 64) -> None:
        self.network, self.batch, self.side = network, batch, side
        self.light = movies(Part.TRAINING, SPECIMENS) if light is None else light

    def loss(self, rng: np.random.Generator) -> Tensor:
        pairs = [self._pair(rng) for _ in range(self.batch)]
        windows, targets = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        left, before = (
            ((image - targets) ** 2).mean(dim=(1, 2, 3)) for image in (self.network(windows), windows[:, -1:])
        )
        return 10 * torch.log10(left / (before + 1e-6)).mean()

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        light = self.light[rng.integers(len(self.light))]
        span = STEP * (WINDOW - 1) + 2
        first = int(rng.integers(len(light) - span + 1))
        light = turned(crop(light[first : first + span], self.side, rng), int(rng.integers(8)))
        counts = filmed(light.astype(np.float32), rng).counts.astype(np.float32)
        # The target lies after the newest frame shown, or in the gap before it.
        late = int(rng.integers(2))
        window, target = counts[1 - late :: STEP][:WINDOW], counts[-1:] if late else counts[-2:-1]
        return normalised(_begun(window, rng) if rng.random() < BEGINNING else window, target)


def normalised(window: Array, target: Array) -> tuple[Array, Array]:
    """Both in units of the window's percentiles, float32."""
    low, high = np.percentile(window, (LOW, HIGH))
    span = max(float(high - low), 1e-6)
    return np.asarray((window - low) / span, np.float32), np.asarray((target - low) / span, np.float32)


def _begun(window: Array, rng: np.random.Generator) -> Array:
    """With one frame in place of all before it."""
    first = int(rng.integers(1, len(window)))
    return np.concatenate((np.repeat(window[first : first + 1], first, axis=0), window[first:]))
