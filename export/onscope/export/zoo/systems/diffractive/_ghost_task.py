"""Ghost imaging of a frame in the graph, and what its refinement learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...networks.restore import GhostImagingFromSeries
from ...recipes import Part
from .._augment import crop, turned
from .._structures import behind_a_camera, structures

Array = npt.NDArray[Any]
SPECIMENS = 30
"""Of each kind of structure: those that other systems learn from too."""
BUCKET_NOISE = (0.003, 0.1)
"""Noise of the detector, in standard deviations of its series; drawn on a logarithmic scale."""
_PATTERNS = 0x6057


def light_patterns(count: int, side: int) -> Tensor:
    """Random patterns of a mirror device, 0 or 1, float32 (count, side, side); always the same."""
    random = np.random.default_rng(_PATTERNS)
    return torch.from_numpy(random.integers(0, 2, (count, side, side)).astype(np.float32))


class SingleDetector(nn.Module):
    """Frames (b, 1, y, x) as a detector without pixels sees them, and the image that is made of its series.

    y and x are multiples of `side`; each part of (side, side) is measured and imaged for itself. The part is what is
    lit: of each pattern of light only the sum over it is used, and the sum of all of it. Mean and contrast of the
    answer, in the frame's counts, are estimated from the sums as well.
    """

    def __init__(self, count: int, side: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.side = side
        self.ghost = GhostImagingFromSeries(light_patterns(count, side), hidden, layers)

    def forward(self, frame: Tensor) -> Tensor:
        batch, _, height, width = frame.shape
        rows, columns = height // self.side, width // self.side
        parts = functional.pixel_unshuffle(frame, self.side).permute(0, 2, 3, 1)  # (b, rows, columns, side * side)
        series, mean = self.measured(parts.reshape(-1, 1, self.side, self.side))
        image: Tensor = self.ghost(series)
        image = mean[:, None, None] + self.spread(series)[:, None, None] * image
        images = image.reshape(batch, rows, columns, -1).permute(0, 3, 1, 2)
        return functional.pixel_shuffle(images, self.side)

    def measured(self, parts: Tensor) -> tuple[Tensor, Tensor]:
        """Of parts (n, 1, side, side) the series (n, 1, 1, k), less what even light of their mean would give, and the
        mean (n, 1)."""
        rows = parts.flatten(1)
        mean = rows.mean(dim=1, keepdim=True)
        # `linear`, since `@` of the transposed patterns would stand in the package as a second copy of them.
        return functional.linear(rows - mean, self.ghost.patterns)[:, None, None], mean

    def spread(self, series: Tensor) -> Tensor:
        """Standard deviation of the parts (n, 1), which that of the series is in proportion to."""
        power = self.ghost.patterns.square().sum(dim=1).mean()
        rows = series.flatten(1)
        spread = (rows - rows.mean(dim=1, keepdim=True)).square().mean(dim=1, keepdim=True)
        # The sum over a pattern's pixels has the variance of one pixel times the pattern's power.
        return (spread / power).clamp(min=1e-12).sqrt()


class GhostTask:
    """Series of noisy frames to the frames without noise, in units of the estimated spread: mean squared error."""

    def __init__(self, network: SingleDetector, side: int, light: Array | None = None, batch: int = 48) -> None:
        self.network, self.side, self.batch = network, side, batch
        self.light = structures(Part.TRAINING, SPECIMENS) if light is None else light

    def loss(self, rng: np.random.Generator) -> Tensor:
        pairs = [self._pair(rng) for _ in range(self.batch)]
        frames, truth = (torch.from_numpy(np.stack(part))[:, None] for part in zip(*pairs, strict=True))
        series, mean = self.network.measured(frames)
        spread = self.network.spread(series)
        low, high = np.log(BUCKET_NOISE)
        noise = np.exp(rng.uniform(low, high, (self.batch, 1))) * rng.standard_normal(tuple(series.flatten(1).shape))
        scale = series.flatten(1).std(dim=1, keepdim=True)
        noisy = series + (torch.from_numpy(noise.astype(np.float32)) * scale)[:, None, None]
        wanted = (truth - mean[:, None, None]) / spread[:, None, None].clamp(min=1e-3)
        return (self.network.ghost(noisy) - wanted).square().mean()  # type: ignore[no-any-return]

    def _pair(self, rng: np.random.Generator) -> tuple[Array, Array]:
        zoom = int(rng.choice([1, 2, 4]))
        light = crop(self.light[rng.integers(len(self.light))], self.side * zoom, rng).astype(np.float32)
        light = light.reshape(self.side, zoom, self.side, zoom).mean(axis=(1, 3))
        frame = behind_a_camera(turned(light, int(rng.integers(8))), rng)
        return frame.counts.astype(np.float32), frame.truth
