"""VDSR: twenty convolutions that predict what an interpolated image lacks.

J. Kim, J. K. Lee, K. M. Lee, "Accurate image super-resolution using very deep convolutional networks", CVPR 2016,
arXiv:1511.04587.

What differs: the bicubic interpolation before the network is part of it.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ._enlarge import enlarged


class Vdsr(nn.Module):
    """float32 (b, 1, y, x) to (b, 1, `scale` * y, `scale` * x); a `scale` of 1 takes what is interpolated already.

    `depth` 3x3 convolutions with `features` between them; what the last one gives is added to the interpolated image.
    """

    def __init__(self, features: int = 64, depth: int = 20, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale
        widths = [1, *[features] * (depth - 1), 1]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):  # as in the paper; the usual start fades over so many layers
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, pixels: Tensor) -> Tensor:
        large = enlarged(pixels, self.scale)
        return large + self.layers(large)  # type: ignore[no-any-return]
