"""The training of networks that enlarge frames of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...recipes import Part
from .._augment import crop, turned
from .._structures import structures
from ._fine import HIGH, LOW, behind_coarse_pixels

Array = npt.NDArray[Any]
SPECIMENS = 30
"""Of each kind of structure, two fields each."""
BRIGHTER = (0.5, 4.0)
"""How many times brighter than the percentiles say examples are, drawn on a logarithmic scale: where few pixels are
bright, frames go far above 1."""
LEAST = 1e-6
"""Mean squared error in squares of the frame's span below which nothing is gained: -60 dB."""


class EnlargeCellsTask:
    """Percentile-normalised frames to the noise-free image on pixels of half the size; percentiles are those of
    frames of `field` x `field` pixels, of which `side` x `side` are learned from. `brighter` is how many times
    brighter than their percentiles say examples are at least and at most; none: as they say.

    The loss is the mean squared error of each crop on a logarithmic scale, so that dim and bright ones count alike:
    lower by 1 is PSNR higher by 4.3 dB. `light` are structures (n, y, x) from 0 to 1, or (n, 2, y, x): what is seen and
    what shall be made of it; none: those of the recipes.
    """

    def __init__(
        self,
        network: nn.Module,
        batch: int = 8,
        side: int = 32,
        field: int = 96,
        light: Array | None = None,
        brighter: tuple[float, float] | None = BRIGHTER,
    ) -> None:
        self.network, self.batch, self.side, self.field, self.brighter = network, batch, side, field, brighter
        self.light = structures(Part.TRAINING, SPECIMENS) if light is None else light

    def loss(self, rng: np.random.Generator) -> Tensor:
        frames, truth = self.examples(rng)
        error = ((self.network(frames) - truth) ** 2).mean(dim=(1, 2, 3))
        return torch.log(error + LEAST).mean()

    def examples(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A batch: frames (batch, 1, side, side) and their truth (batch, 1, 2 * side, 2 * side), float32."""
        pairs = [self._pair(rng) for _ in range(self.batch)]
        frames, truth = (torch.from_numpy(np.stack(part))[:, None] for part in zip(*pairs, strict=True))
        return frames, truth

    def _pair(self, rng: np.random.Generator) -> tuple[Array, ...]:
        light = turned(crop(self.light[rng.integers(len(self.light))], 2 * self.field, rng), int(rng.integers(8)))
        seen, sharp = light if light.ndim == 3 else (light, light)
        frame = behind_coarse_pixels(seen.astype(np.float32), rng, sharp=sharp.astype(np.float32))
        low, high = np.percentile(frame.counts, (LOW, HIGH))
        span = max(float(high - low), 1e-6)
        if self.brighter is not None:
            span /= float(np.exp(rng.uniform(*np.log(self.brighter))))
        y, x = (int(start) for start in rng.integers(self.field - self.side + 1, size=2))
        counts = frame.counts[y : y + self.side, x : x + self.side]
        truth = frame.truth[2 * y : 2 * (y + self.side), 2 * x : 2 * (x + self.side)]
        return tuple(np.asarray((part - low) / span, np.float32) for part in (counts, truth))


@torch.no_grad()
def as_bicubic(layers: nn.Sequential, below: float = 1.0) -> None:
    """Let the first channel of a chain of convolutions and ReLUs carry its input to the end, beside the random rest.

    A network without a skip then begins with what it is given: from random weights it comes near it only slowly.
    Values below -`below` in units of the frame's span are cut off. What the other channels add is a tenth of before.
    """
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    for place, layer in enumerate(convolutions):
        assert layer.bias is not None
        middle = layer.kernel_size[0] // 2
        if place == len(convolutions) - 1:
            layer.weight *= 0.1
            layer.bias[0] = -below
        else:
            layer.bias[0] = below if place == 0 else 0
        layer.weight[0] = layer.weight[0] if place == len(convolutions) - 1 else 0
        layer.weight[0, 0] = 0
        layer.weight[0, 0, middle, middle] = 1
