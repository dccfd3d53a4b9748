"""Mitosis: a small residual network that tells from a crop around a nucleus which phase the cell is in, or its death.

Residual blocks: K. He, X. Zhang, S. Ren, J. Sun, CVPR 2016. Blocks begin as the identity, which stands in for
normalisation layers: S. De, S. L. Smith, NeurIPS 2020. One weight per place and channel in place of the mean over the
last map: S. Chen, Y. Liu, X. Gao, Z. Han, MobileFaceNets, CCBR 2018. The temperature: C. Guo, G. Pleiss, Y. Sun,
K. Q. Weinberger, ICML 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._crops import NAMES, SIDE

CENTRE_PX = 8.0
"""Standard deviation in pixels of the Gaussian that says which nucleus is meant: 4 um, a nucleus' half axis."""
LEAST_COUNTS = 0.5
"""Brightness over the background, in counts, below which a crop is taken to be empty."""
DROPPED = 0.2


class Mitosis(nn.Module):
    """uint16 counts (b, 1, SIDE, SIDE) in, float32 probabilities (b, classes) in the order of `NAMES` out.

    Gain and offset of the camera do not matter: a crop is measured from its darkest patch, in units of the brightness
    in its middle. Probabilities are for classes that are equally frequent, as in the training.
    """

    centre: Tensor
    temperature: Tensor

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 80)) -> None:
        super().__init__()
        first, second, third = widths
        off = torch.arange(SIDE) - (SIDE - 1) / 2
        bell = torch.exp(-((off / CENTRE_PX) ** 2) / 2)
        self.register_buffer("centre", (bell[:, None] * bell / (bell.sum() ** 2))[None, None], persistent=False)
        self.register_buffer("temperature", torch.ones(()))
        self.stem = nn.Conv2d(2, first, 5, stride=2, padding=2)
        self.body = nn.Sequential(
            _Block(first),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            _Block(second),
            nn.Conv2d(second, third, 3, stride=2, padding=1),
            _Block(third),
        )
        self.places = nn.Conv2d(third, 2 * third, SIDE // 8, groups=third)
        self.hidden = nn.Linear(2 * third, third)
        self.last = nn.Linear(third, len(NAMES))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.last.weight, std=0.01)

    def forward(self, counts: Tensor) -> Tensor:
        return torch.softmax(self.scores(counts.to(torch.float32)) / self.temperature, dim=1)

    def scores(self, pixels: Tensor) -> Tensor:
        """Logarithms of the classes' odds before the temperature, float32 (b, classes), of float32 counts."""
        return self.judged(self.relative(pixels))

    def relative(self, pixels: Tensor) -> Tensor:
        """Brightness over the background in units of the middle's, as asinh: neighbours may be ten times as bright."""
        background = -functional.max_pool2d(-functional.avg_pool2d(pixels, 4), SIDE // 4)
        over = pixels - background
        middle = (over * self.centre).sum(dim=(2, 3), keepdim=True)
        return torch.asinh(over / middle.clamp(min=LEAST_COUNTS))

    def judged(self, relative: Tensor) -> Tensor:
        """The scores of what `relative` gives."""
        where = (self.centre / self.centre.max()).expand(relative.shape[0], -1, -1, -1)
        x = functional.relu(self.stem(torch.cat((relative, where), dim=1)))
        x = functional.relu(self.places(self.body(x))).flatten(1)
        x = functional.relu(self.hidden(functional.dropout(x, DROPPED, self.training)))
        return self.last(functional.dropout(x, DROPPED, self.training))  # type: ignore[no-any-return]


class _Block(nn.Module):
    """Two convolutions beside the identity, and a rectifier before each."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.second = nn.Conv2d(features, features, 3, padding=1)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(functional.relu(self.first(functional.relu(x))))
        return x + self.share * change
