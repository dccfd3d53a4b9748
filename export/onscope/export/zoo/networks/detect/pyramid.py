"""Feature pyramid: maps of one width at strides of 4 to 64, coarse ones told to fine ones.

T.-Y. Lin et al., "Feature pyramid networks for object detection", CVPR 2017, arXiv:1612.03144.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

STRIDES = (4, 8, 16, 32, 64)


class FeaturePyramid(nn.Module):
    """Maps of the four stages of a ResNet (`channels` of each) to five of `features` channels, at STRIDES."""

    def __init__(self, channels: Sequence[int], features: int = 256) -> None:
        super().__init__()
        self.side = nn.ModuleList(nn.Conv2d(own, features, 1) for own in channels)
        self.out = nn.ModuleList(nn.Conv2d(features, features, 3, padding=1) for _ in channels)
        for layer in (*self.side, *self.out):
            nn.init.kaiming_uniform_(layer.weight, a=1)
            nn.init.zeros_(layer.bias)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        merged = [side(one) for side, one in zip(self.side, maps, strict=True)]
        for number in range(len(merged) - 2, -1, -1):
            fine = merged[number]
            merged[number] = fine + functional.interpolate(merged[number + 1], size=fine.shape[2:], mode="nearest")
        found = [out(one) for out, one in zip(self.out, merged, strict=True)]
        return [*found, functional.max_pool2d(found[-1], 1, stride=2)]
