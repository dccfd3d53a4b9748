"""The cross-modality GAN: a U-Net of residual blocks that turns one microscope's image into that of a sharper one.

H. Wang et al., "Deep learning enables cross-modality super-resolution in fluorescence microscopy", Nature Methods 16,
103 (2019), doi:10.1038/s41592-018-0239-0: four blocks down, each of three convolutions with leaky ReLU whose answer is
added to their input (with channels of zeros where it has fewer), average pooling between them; four blocks up, each of
three convolutions on the enlarged image beside the skip; a discriminator of five blocks and two dense layers.

What differs: the paper's code is not public and its text leaves widths open, so that they are parameters: `features`
doubles from block to block. Images are enlarged by bilinear interpolation, borders are padded with zeros, and the
discriminator averages over the image before its dense layers, so that it takes any size.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.1


class CrossModality(nn.Module):
    """float32 images (b, 1, y, x) to images of the same shape; y and x are multiples of 2 ** `depth`."""

    def __init__(self, features: int = 64, depth: int = 4) -> None:
        super().__init__()
        widths = [features * 2**level for level in range(depth)]
        self.down = nn.ModuleList(Residual(a, b) for a, b in zip([1, *widths[:-1]], widths, strict=True))
        self.middle = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 3, padding=1), nn.LeakyReLU(SLOPE))
        falling = zip(widths[::-1], [*widths[-2::-1], features], strict=True)
        self.up = nn.ModuleList(_three(2 * a, b, b) for a, b in falling)
        self.last = nn.Conv2d(features, 1, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        x, skips = pixels, []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = functional.avg_pool2d(x, 2)
        x = self.middle(x)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            large = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = block(torch.cat((skip, large), dim=1))
        return cast(Tensor, self.last(x))


class Residual(nn.Module):
    """Three convolutions, added to their input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.missing = outputs - inputs
        self.layers = _three(inputs, outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, functional.pad(x, (0, 0, 0, 0, 0, self.missing)) + self.layers(x))


class CrossModalityDiscriminator(nn.Module):
    """float32 images (b, 1, y, x), of sides of at least 32, to (b, 1): log odds of a real one. For training alone."""

    def __init__(self, features: int = 64, blocks: int = 5) -> None:
        super().__init__()
        widths = [features * 2**level for level in range(blocks + 1)]
        layers: list[nn.Module] = [nn.Conv2d(1, features, 3, padding=1), nn.LeakyReLU(SLOPE)]
        for a, b in pairwise(widths):
            layers += [nn.Conv2d(a, a, 3, padding=1), nn.LeakyReLU(SLOPE)]
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        self.blocks = nn.Sequential(*layers)
        self.dense = nn.Sequential(nn.Linear(widths[-1], widths[-1]), nn.LeakyReLU(SLOPE), nn.Linear(widths[-1], 1))

    def forward(self, pixels: Tensor) -> Tensor:
        return cast(Tensor, self.dense(self.blocks(pixels).mean(dim=(2, 3))))


def _three(inputs: int, between: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in ((inputs, between), (between, between), (between, outputs)):
        layers += [nn.Conv2d(a, b, 3, padding=1), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)
