"""SRResNet, which is the generator of SRGAN, and SRGAN's discriminator.

C. Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", CVPR 2017,
arXiv:1609.04802: sixteen residual blocks with batch norm and parametric ReLU, and a shuffle of channels into pixels for
each doubling.

What differs: one channel by default, where the paper has three colours; and the discriminator says how real an image
is before the sigmoid, which belongs to its loss.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

SLOPE = 0.2
"""Of the discriminator's leaky ReLU."""


class SrResNet(nn.Module):
    """float32 (b, `channels`, y, x) to (b, `channels`, `scale` * y, `scale` * x); `scale` is 1, 2, 4, ..."""

    def __init__(self, features: int = 64, blocks: int = 16, scale: int = 4, channels: int = 1) -> None:
        super().__init__()
        doublings = int(math.log2(scale))
        if 2**doublings != scale:
            raise ValueError(f"found a scale of {scale}, expected a power of 2: this network doubles images")
        self.first = nn.Sequential(nn.Conv2d(channels, features, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(
            *(Residual(features) for _ in range(blocks)),
            nn.Conv2d(features, features, 3, padding=1),
            nn.BatchNorm2d(features),
        )
        ups = (
            nn.Sequential(nn.Conv2d(features, 4 * features, 3, padding=1), nn.PixelShuffle(2), nn.PReLU())
            for _ in range(doublings)
        )
        self.up = nn.Sequential(*ups)
        self.last = nn.Conv2d(features, channels, 9, padding=4)

    def forward(self, pixels: Tensor) -> Tensor:
        first = self.first(pixels)
        return self.last(self.up(first + self.body(first)))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """Two convolutions whose answer is added to their input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1),
            nn.BatchNorm2d(features),
            nn.PReLU(),
            nn.Conv2d(features, features, 3, padding=1),
            nn.BatchNorm2d(features),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)  # type: ignore[no-any-return]


class SrganDiscriminator(nn.Module):
    """float32 (b, `channels`, `side`, `side`) to (b, 1): log odds that the image is a real one.

    Eight convolutions, each second one of stride 2, and two dense layers. Needed for training alone.
    """

    def __init__(self, features: int = 64, side: int = 96, channels: int = 1, dense: int = 1024) -> None:
        super().__init__()
        widths = [features * 2**level for level in range(4)]
        layers: list[nn.Module] = [nn.Conv2d(channels, features, 3, padding=1), nn.LeakyReLU(SLOPE)]
        inputs = features
        for stride, outputs in [(2, widths[0]), *((stride, width) for width in widths[1:] for stride in (1, 2))]:
            layers += [
                nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1),
                nn.BatchNorm2d(outputs),
                nn.LeakyReLU(SLOPE),
            ]
            inputs = outputs
        cells = (side // 16) ** 2
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(inputs * cells, dense), nn.LeakyReLU(SLOPE), nn.Linear(dense, 1)
        )

    def forward(self, pixels: Tensor) -> Tensor:
        return self.layers(pixels)  # type: ignore[no-any-return]
