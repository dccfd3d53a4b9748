"""CARE, content-aware image restoration: a residual U-Net, with the probabilistic head of the paper.

M. Weigert et al., "Content-aware image restoration: pushing the limits of fluorescence microscopy", Nature Methods 15,
1090 (2018), doi:10.1038/s41592-018-0216-7. Layers and widths are those of the paper's public code (CSBDeep): two
convolutions per level, max pooling, nearest up-sampling, concatenated skips; the network predicts what to add to its
input. The paper normalises frames to their percentiles 3 and 99.8; that is a step of the package.

What differs: one channel in and out. Heights and widths are not padded here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_SCALE = 1e-3


class Care(nn.Module):
    """float32 frames (b, 1, y, x), or stacks (b, z, y, x) with 3 `dimensions`, to restored ones of the same shape.

    A `probabilistic` network answers two images: the mean and the scale of a Laplacian at each pixel, the scale in the
    units of the input and at least 1e-3. All sides are multiples of 2 ** `depth`. The paper's networks have a `kernel`
    of 5 for frames and of 3 for stacks. What the loss of the scale says reaches the layers below it only where
    `shared`, as in the paper: narrow ones learn the mean better without. A network that is not `residual` answers the
    image itself, as the public code does for other channels: what is added to a frame that is mostly noise must cancel
    it exactly, which takes long to learn.
    """

    def __init__(
        self,
        features: int = 32,
        depth: int = 2,
        kernel: int = 5,
        dimensions: int = 2,
        probabilistic: bool = False,
        shared: bool = True,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.dimensions, self.shared, self.residual = dimensions, shared, residual
        conv: Any = nn.Conv2d if dimensions == 2 else nn.Conv3d

        def pair(inputs: int, between: int, outputs: int) -> nn.Sequential:
            sizes = ((inputs, between), (between, outputs))
            first, second = (conv(*size, kernel, padding=kernel // 2) for size in sizes)
            return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())

        widths = [features * 2**level for level in range(depth + 1)]
        above = [features, *widths[:-1]]  # the width that a level hands upwards
        self.down = nn.ModuleList(pair(widths[n - 1] if n else 1, widths[n], widths[n]) for n in range(depth))
        self.middle = pair(above[depth] if depth else 1, widths[depth], above[depth])
        self.up = nn.ModuleList(pair(2 * widths[n], widths[n], above[n]) for n in reversed(range(depth)))
        self.mean = conv(features, 1, 1)
        self.scale = conv(features, 1, 1) if probabilistic else None

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """The restored image, or its mean and scale."""
        images = pixels if self.dimensions == 2 else pixels.unsqueeze(1)
        features = self._unet(images)
        mean = self.mean(features) + images if self.residual else self.mean(features)
        if self.scale is None:
            return self._shaped(mean)
        below = features if self.shared else features.detach()
        return self._shaped(mean), self._shaped(functional.softplus(self.scale(below)) + SMALLEST_SCALE)

    def _unet(self, x: Tensor) -> Tensor:
        pool = functional.max_pool2d if self.dimensions == 2 else functional.max_pool3d
        skips = []
        for level in self.down:
            x = level(x)
            skips.append(x)
            x = pool(x, 2)
        x = self.middle(x)
        for level, skip in zip(self.up, reversed(skips), strict=True):
            x = level(torch.cat((functional.interpolate(x, scale_factor=2.0, mode="nearest"), skip), dim=1))
        return x

    def _shaped(self, images: Tensor) -> Tensor:
        return images if self.dimensions == 2 else images.squeeze(1)
