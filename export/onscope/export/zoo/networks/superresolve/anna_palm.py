"""ANNA-PALM: a conditional GAN that draws a super-resolved image from few localisations and a wide-field image.

W. Ouyang et al., "Deep learning massively accelerates super-resolution localization microscopy", Nature Biotechnology
36, 460 (2018), doi:10.1038/nbt.4106. Layers and widths are those of the paper's first public code, which are those of
P. Isola et al., "Image-to-image translation with conditional adversarial networks", CVPR 2017, arXiv:1611.07004:
4x4 convolutions of stride 2 down to one pixel and up again, concatenated skips, a discriminator that judges patches.

What differs: the wide-field image comes in the pixels of the localisation image, as a second channel; the switch
between kinds of structures and the comparison of the answer with the wide-field image, a loss, are left out. Batch
norms keep running statistics, where the code measures each image anew.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

SLOPE = 0.2
MOST = 8
"""Times the first width, which no layer is wider than."""


class AnnaPalm(nn.Module):
    """float32 images (b, `inputs`, y, x), from -1 to 1, to (b, 1, y, x), from -1 to 1.

    The inputs are the histogram of the localisations and the wide-field image. y and x are multiples of 2 ** `depth`:
    256 with the paper's depth.
    """

    def __init__(self, features: int = 64, depth: int = 8, inputs: int = 2, outputs: int = 1) -> None:
        super().__init__()
        widths = [features * min(2**level, MOST) for level in range(depth)]
        self.first = _conv(inputs, widths[0], 2)
        self.down = nn.ModuleList(
            nn.Sequential(nn.LeakyReLU(SLOPE), _conv(a, b, 2), nn.BatchNorm2d(b)) for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList()
        for level in range(depth - 1, 0, -1):
            width = widths[level] * (1 if level == depth - 1 else 2)  # beside the skip
            layers = [nn.ReLU(), _larger(width, widths[level - 1]), nn.BatchNorm2d(widths[level - 1])]
            dropped = level >= depth - 3 and level > 1  # the three coarsest of the paper's
            self.up.append(nn.Sequential(*layers, *([nn.Dropout(0.5)] if dropped else [])))
        self.last = nn.Sequential(nn.ReLU(), _larger(2 * widths[0], outputs), nn.Tanh())

    def forward(self, images: Tensor) -> Tensor:
        skips = [self.first(images)]
        for level in self.down:
            skips.append(level(skips[-1]))
        x = skips.pop()
        for level in self.up:
            x = torch.cat((level(x), skips.pop()), dim=1)
        return cast(Tensor, self.last(x))


class AnnaPalmDiscriminator(nn.Module):
    """float32 inputs (b, `inputs`, y, x) beside an image (b, `outputs`, y, x) to (b, 1, y / 8 - 2, x / 8 - 2).

    Each value judges a patch of 70 pixels: 1 is real, 0 is drawn (least squares). Needed for training alone.
    """

    def __init__(self, features: int = 64, layers: int = 3, inputs: int = 2, outputs: int = 1) -> None:
        super().__init__()
        widths = [features * min(2**level, MOST) for level in range(layers + 1)]
        steps: list[nn.Module] = [_conv(inputs + outputs, widths[0], 2), nn.LeakyReLU(SLOPE)]
        for level in range(1, layers + 1):
            stride = 1 if level == layers else 2
            steps += [_conv(widths[level - 1], widths[level], stride), nn.BatchNorm2d(widths[level])]
            steps.append(nn.LeakyReLU(SLOPE))
        self.layers = nn.Sequential(*steps, _conv(widths[-1], 1, 1))

    def forward(self, inputs: Tensor, image: Tensor) -> Tensor:
        return cast(Tensor, self.layers(torch.cat((inputs, image), dim=1)))


def _conv(inputs: int, outputs: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1, bias=False)


def _larger(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
