"""The training of DL-SIM."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ._cells_task import LEAST
from ._shots import exposed
from ._striped import SCALE, training

Array = npt.NDArray[Any]
SPECIMENS = 100
LOW, HIGH = 3.0, 99.8
"""Percentiles of all raw images together that become 0 and 1: how they differ stays as it is."""


class DlSimTask:
    """Windows of raw phases to the noise-free image that their stripes can show at most.

    The loss is the logarithm of each crop's mean squared error. `light` are raw images (n, 9, y, x) and their fine ones
    (n, 2y, 2x), from 0 to about 1; none: those of the recipe. Crops keep their directions: angles come in order.
    Percentiles are those of fields of `field` x `field` pixels, of which `side` x `side` are learned from.
    """

    def __init__(
        self,
        network: nn.Module,
        batch: int = 8,
        side: int = 32,
        field: int = 96,
        light: tuple[Array, Array] | None = None,
    ) -> None:
        self.network, self.batch, self.side, self.field = network, batch, side, field
        self.raw, self.fine = training(SPECIMENS) if light is None else light

    def loss(self, rng: np.random.Generator) -> Tensor:
        frames, truth = self.examples(rng)
        error = ((self.network(frames) - truth) ** 2).mean(dim=(1, 2, 3))
        return torch.log(error + LEAST).mean()

    def examples(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A batch: (batch, 9, side, side) and its truth (batch, 1, 2 * side, 2 * side), float32."""
        pairs = [self._pair(rng) for _ in range(self.batch)]
        frames, truth = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        return frames, truth[:, None]

    def _pair(self, rng: np.random.Generator) -> tuple[Array, ...]:
        at = rng.integers(len(self.raw))
        y, x = (int(start) for start in rng.integers(self.raw.shape[-1] - self.field + 1, size=2))
        raw = _cut(self.raw[at], y, x, self.field).astype(np.float32)
        fine = _cut(self.fine[at], SCALE * y, SCALE * x, SCALE * self.field).astype(np.float32)
        shots = exposed(raw, fine, rng)
        low, high = np.percentile(shots.counts, (LOW, HIGH))
        span = max(float(high - low), 1e-6)
        y, x = (int(start) for start in rng.integers(self.field - self.side + 1, size=2))
        parts = _cut(shots.counts, y, x, self.side), _cut(shots.truth, SCALE * y, SCALE * x, SCALE * self.side)
        return tuple(np.asarray((part - low) / span, np.float32) for part in parts)


def _cut(images: Array, y: int, x: int, side: int) -> Array:
    return images[..., y : y + side, x : x + side]
