"""Nuclei: a small U-Net that answers, for every second pixel, how central it is in a nucleus and where the outline is.

The answers are those of U. Schmidt, M. Weigert, C. Broaddus, G. Myers, "Cell detection with star-convex polygons",
MICCAI 2018; the U-Net is that of O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015, with skips that are added instead of
concatenated (A. Chaurasia, E. Culurciello, "LinkNet", VCIP 2017), which takes half the weights.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._frames import padded
from ._stars import GRID, RAYS

WIDTHS = (24, 40, 56, 72, 56)
"""Channels at full size over 2, 4, 8, 16 and 32: 0.37 million weights, which see 250 pixels far."""
HEAD = 48
TYPICAL_PX, LARGEST_PX = 12.0, 400.0
"""Distances that an untrained network answers, and that it answers at most."""


class StarsNuclei(nn.Module):
    """float32 (b, 1, y, x), normalised to its percentiles 1 and 99.8, to float32 (b, 1 + `RAYS`, y / 2, x / 2).

    The first channel is the object probability, the others are distances in pixels of the frame to the outline, along
    angles from x towards y. Any y and x of at least 32; odd ones are rounded up.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = WIDTHS
        self.stem = nn.Conv2d(1, a, 3 * GRID, stride=GRID, padding=GRID)
        self.down1 = _pair(a, a)
        self.down2 = _pair(a, b)
        self.down3 = _pair(b, c)
        self.down4 = _pair(c, d)
        self.middle = nn.Sequential(_step(d, e), _step(e, d))
        self.up4, self.to3 = _step(d, d), nn.Conv2d(d, c, 1)
        self.up3, self.to2 = _step(c, c), nn.Conv2d(c, b, 1)
        self.up2, self.to1 = _pair(b, b), nn.Conv2d(b, a, 1)
        self.up1 = nn.Sequential(_step(a, a), _step(a, HEAD))
        self.last = nn.Conv2d(HEAD, 1 + RAYS, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer is not self.last:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        assert self.last.bias is not None
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.last.bias[0] = -2.0
            self.last.bias[1:] = math.log(TYPICAL_PX)

    def forward(self, frame: Tensor) -> Tensor:
        maps = self.maps(frame)
        return torch.cat((torch.sigmoid(maps[:, :1]), distances(maps)), dim=1)

    def maps(self, frame: Tensor) -> Tensor:
        """Float32 (b, 1 + `RAYS`, y / 2, x / 2): log odds, then the logarithms of the distances."""
        return self.last(self.features(frame))  # type: ignore[no-any-return]

    def features(self, frame: Tensor) -> Tensor:
        """What `maps` are read from, (b, `HEAD`, y / 2, x / 2)."""
        rows, columns = (frame.shape[2] + GRID - 1) // GRID, (frame.shape[3] + GRID - 1) // GRID
        one = self.down1(functional.relu(self.stem(padded(frame, GRID * 16))))
        two = self.down2(functional.max_pool2d(one, 2))
        three = self.down3(functional.max_pool2d(two, 2))
        four = self.down4(functional.max_pool2d(three, 2))
        x = self.up4(four + _doubled(self.middle(functional.max_pool2d(four, 2))))
        x = self.up3(three + _doubled(self.to3(x)))
        x = self.up2(two + _doubled(self.to2(x)))
        x = self.up1(one + _doubled(self.to1(x)))
        return x[:, :, :rows, :columns]  # type: ignore[no-any-return]


def distances(maps: Tensor) -> Tensor:
    """In pixels of the frame, from the network's maps: (b, `RAYS`, rows, columns)."""
    return torch.exp(maps[:, 1:].clamp(max=math.log(LARGEST_PX)))


def _step(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True))


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_step(inputs, outputs), _step(outputs, outputs))


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
