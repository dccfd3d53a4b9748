"""Positions in 3-D from one wide-field image, by classification: where a cell is by VGG-19, how deep by an axial CNN.

K. Liu et al., "Fast 3D cell tracking with wide-field fluorescence microscopy through deep learning" (2018),
arXiv:1805.05139. Two networks in cascade: the second looks at crops around what the first has found. That and VGG-19
are the paper's; how the networks end, and the axial one's layers, are chosen here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .vgg import CONVOLUTIONS, stages, widths

CELL = 8
"""Pixels per side of a cell of the lateral answer."""


class LateralVgg19(nn.Module):
    """float32 (b, 1, y, x) in, float32 probabilities (b, 1, y / 8, x / 8) out; y and x multiples of 8.

    Each cell of 8x8 pixels is a label of its own (the paper's multi-label classification of places). VGG-19's 16
    convolutions, `width` 64 in the first; pooling ends at the cells' size, and in place of VGG's layers on all that is
    left there are 1x1 convolutions, so that frames of any size are taken.
    """

    def __init__(self, inputs: int = 1, width: int = 64, hidden: int = 512) -> None:
        super().__init__()
        self.stages = stages(inputs, widths(width), CONVOLUTIONS[19])
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Sequential(nn.Conv2d(8 * width, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, 1, 1))
        _begin(self)

    def forward(self, frame: Tensor) -> Tensor:
        x = frame
        for number, stage in enumerate(self.stages):
            x = self.pool(stage(x)) if 2**number < CELL else stage(x)
        return torch.sigmoid(self.head(x))


class AxialCnn(nn.Module):
    """float32 crops (b, 1, side, side) around one cell each, to float32 probabilities (b, depths); side: see below.

    Each of `depths` classes is a slice of the axial range, from the bottom up. Stages of two 3x3 convolutions and
    pooling, `width` channels in the first, down to 4 pixels per side: `side` is 4 * 2 ** n (32 by default).
    """

    def __init__(self, depths: int = 32, side: int = 32, width: int = 32, hidden: int = 256) -> None:
        super().__init__()
        count = side.bit_length() - 3
        if side != 4 << count or count < 1:
            raise ValueError(f"found crops of {side} pixels, expected 8, 16, 32, ... (4 times a power of 2)")
        channels = tuple(width << number for number in range(count))
        self.stages = stages(1, channels, (2,) * count, norm=True)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * channels[-1], hidden), nn.ReLU(inplace=True), nn.Dropout(0.5),
            nn.Linear(hidden, depths),
        )  # fmt: skip
        _begin(self)

    def forward(self, crop: Tensor) -> Tensor:
        x = crop
        for stage in self.stages:
            x = self.pool(stage(x))
        return torch.softmax(self.head(x), dim=1)


def _begin(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
