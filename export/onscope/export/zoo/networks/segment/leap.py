"""LEAP: heat maps of key points by a plain network that is fast because it is small.

T. D. Pereira et al., "Fast animal pose estimation using deep neural networks", Nature Methods 16, 117 (2019),
doi:10.1038/s41592-018-0234-5. Layers are those of the authors' code.
"""

from __future__ import annotations

from torch import Tensor, nn


class Leap(nn.Module):
    """float32 (b, inputs, y, x) in, float32 heat maps (b, points, y, x) out; y and x multiples of 4.

    A heat map has a Gaussian of height 1 at its key point. The paper's: 1 input, 32 points (of a fly), 64 features at
    full size, 192x192 pixels. 15 layers, two of which are pooling.
    """

    def __init__(self, inputs: int = 1, points: int = 32, features: int = 64) -> None:
        super().__init__()
        f = features
        self.down = nn.Sequential(
            *_steps(inputs, f, 3), nn.MaxPool2d(2), *_steps(f, 2 * f, 3), nn.MaxPool2d(2), *_steps(2 * f, 4 * f, 3)
        )
        self.up = nn.ConvTranspose2d(4 * f, 2 * f, 3, stride=2)
        self.middle = nn.Sequential(nn.ReLU(inplace=True), *_steps(2 * f, 2 * f, 2))
        self.last = nn.ConvTranspose2d(2 * f, points, 3, stride=2)

    def forward(self, frame: Tensor) -> Tensor:
        # Of 2n + 1 pixels the authors' framework leaves out the last one.
        x = self.middle(self.up(self.down(frame))[:, :, :-1, :-1])
        return self.last(x)[:, :, :-1, :-1]  # type: ignore[no-any-return]


def _steps(inputs: int, outputs: int, count: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for number in range(count):
        layers += [nn.Conv2d(outputs if number else inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
    return layers
