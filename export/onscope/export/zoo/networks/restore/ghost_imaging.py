"""Deep ghost imaging: a fully connected network that refines the image of a single-pixel detector.

M. Lyu et al., "Deep-learning-based ghost imaging", Scientific Reports 7, 17865 (2017), doi:10.1038/s41598-017-18171-7:
the crude image, which is the correlation of the detector's series with the patterns of light, is read as one row of
numbers and goes through hidden layers with ReLU.

What differs: the number and the widths of the hidden layers are parameters, and their defaults (three layers, each as
wide as the image has pixels) are not stated by the paper in a form that could be checked. With `patterns` the
correlation is the network's first layer, so that it takes the detector's series.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn


class GhostImaging(nn.Module):
    """float32 crude images (b, 1, `side`, `side`) to refined ones of the same shape, of that one size alone."""

    def __init__(self, side: int = 32, hidden: int | None = None, layers: int = 3) -> None:
        super().__init__()
        self.side = side
        pixels = side * side
        widths = [pixels, *[hidden or pixels] * layers, pixels]
        steps: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            steps += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*steps[:-1])

    def forward(self, crude: Tensor) -> Tensor:
        return self.layers(crude.flatten(1)).reshape(-1, 1, self.side, self.side)  # type: ignore[no-any-return]


class GhostImagingFromSeries(nn.Module):
    """float32 series of a bucket detector (b, 1, 1, n) to images (b, 1, side, side), by correlation and refinement.

    `patterns` (n, side, side) are the intensities of the light that the series was measured with.
    """

    def __init__(self, patterns: Tensor, hidden: int | None = None, layers: int = 3) -> None:
        super().__init__()
        self.refine = GhostImaging(patterns.shape[-1], hidden, layers)
        self.register_buffer("patterns", (patterns - patterns.mean(0)).flatten(1).to(torch.float32))
        self.patterns: Tensor

    def forward(self, series: Tensor) -> Tensor:
        return self.refine(self.correlated(series))  # type: ignore[no-any-return]

    def correlated(self, series: Tensor) -> Tensor:
        """The crude image: covariance of the series with each pixel's light, in standard deviations over the image."""
        rows = series.flatten(1)
        crude = (rows - rows.mean(1, keepdim=True)) @ self.patterns / rows.shape[1]
        crude = crude - crude.mean(1, keepdim=True)
        crude = crude / crude.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
        side = math.isqrt(crude.shape[1])
        return crude.reshape(-1, 1, side, side)
