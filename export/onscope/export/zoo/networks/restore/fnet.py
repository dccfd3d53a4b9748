"""FNet: a 3D U-Net that predicts fluorescence stacks from stacks of transmitted light.

C. Ounkomol et al., "Label-free prediction of three-dimensional fluorescence images from transmitted-light microscopy",
Nature Methods 15, 917 (2018), doi:10.1038/s41592-018-0111-2. Layers and widths are those of the paper's public code
(pytorch_fnet): strided convolutions go down, transposed ones go up, a batch norm and a ReLU follow every one of them.

What differs: nothing in the layers. Stacks are not padded here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FNet(nn.Module):
    """float32 stacks (b, z, y, x) to stacks (b, z, y, x) of one label; all sides are multiples of 2 ** `depth`."""

    def __init__(self, features: int = 32, depth: int = 4) -> None:
        super().__init__()
        self.levels = Level(1, features, depth)
        self.last = nn.Conv3d(features, 1, 3, padding=1)

    def forward(self, stack: Tensor) -> Tensor:
        return self.last(self.levels(stack.unsqueeze(1))).squeeze(1)  # type: ignore[no-any-return]


class Level(nn.Module):
    """Two convolutions; with a `depth`, the coarser levels below them and two convolutions on what both found."""

    def __init__(self, inputs: int, features: int, depth: int) -> None:
        super().__init__()
        self.fine = _pair(inputs, features)
        self.coarse: nn.Sequential | None = None
        if depth > 0:
            self.coarse = nn.Sequential(
                nn.Conv3d(features, features, 2, stride=2),
                nn.BatchNorm3d(features),
                nn.ReLU(),
                Level(features, 2 * features, depth - 1),
                nn.ConvTranspose3d(2 * features, features, 2, stride=2),
                nn.BatchNorm3d(features),
                nn.ReLU(),
            )
            self.both = _pair(2 * features, features)

    def forward(self, x: Tensor) -> Tensor:
        fine: Tensor = self.fine(x)
        if self.coarse is None:
            return fine
        return self.both(torch.cat((fine, self.coarse(fine)), dim=1))  # type: ignore[no-any-return]


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv3d(width, outputs, 3, padding=1), nn.BatchNorm3d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)
