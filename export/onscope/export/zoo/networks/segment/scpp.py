"""SCPP-Net: a plain encoder, a pyramid of dilated separable convolutions, and scores of three sizes that are added.

A. K. Chanchal, A. Kumar, S. Lal, J. Kini, "Efficient and robust deep learning architecture for segmentation of kidney
and breast histopathology images", Computers & Electrical Engineering 92, 107177 (2021),
doi:10.1016/j.compeleceng.2021.107177.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

RATES = (6, 12, 18, 24)
COUNTS = (2, 2, 3, 3)
"""Convolutions of the encoder's stages."""


class ScppNet(nn.Module):
    """float32 (b, inputs, y, x) in, float32 probabilities (b, 1, y, x) out; y and x multiples of 16.

    Layers are those of the authors' code: 3 inputs, 32 features at full size and twice as many per stage, 16 times as
    many in each branch of the pyramid, 8 times behind it, 2 per score, no normalisation.
    """

    def __init__(self, inputs: int = 3, width: int = 32, scores: int = 2) -> None:
        super().__init__()
        channels = [width << number for number in range(4)]
        self.stages = nn.ModuleList(
            nn.Sequential(*(_step(own if number else before, own) for number in range(count)))
            for before, own, count in zip((inputs, *channels[:-1]), channels, COUNTS, strict=True)
        )
        wide = 16 * width
        self.pyramid = nn.ModuleList(
            nn.Sequential(_separable(channels[-1], wide, 3, rate), _separable(wide, wide, 1), _separable(wide, wide, 1))
            for rate in RATES
        )
        self.merge = _separable(len(RATES) * wide, channels[-1], 1)
        self.scores = nn.ModuleList(
            nn.Sequential(_step(own, scores), nn.Conv2d(scores, scores, 1), nn.ReLU(inplace=True))
            for own in (channels[2], channels[3], channels[3])
        )
        self.last = nn.Conv2d(scores, 1, 1)

    def forward(self, frame: Tensor) -> Tensor:
        x, maps = frame, []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.merge(torch.cat([branch(x) for branch in self.pyramid], dim=1))
        fine, middle, coarse = (
            score(functional.interpolate(one, scale_factor=float(factor), mode="nearest"))
            for score, one, factor in zip(self.scores, (maps[2], maps[3], x), (4, 8, 16), strict=True)
        )
        return torch.sigmoid(self.last(fine + middle + coarse))


def _step(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True))


def _separable(inputs: int, outputs: int, kernel: int, rate: int = 1) -> nn.Sequential:
    """A convolution of each channel by itself, then one of all channels, and a rectifier."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, kernel, padding=rate * (kernel // 2), dilation=rate, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1),
        nn.ReLU(inplace=True),
    )
