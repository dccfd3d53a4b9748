"""DRCN: one convolution that is applied sixteen times, each time with an answer of its own.

J. Kim, J. K. Lee, K. M. Lee, "Deeply-recursive convolutional network for image super-resolution", CVPR 2016,
arXiv:1511.04491: an embedding net, the recursion with shared weights, and a reconstruction net that all recursions
share; their answers, with the input added, are averaged with weights that are learnt.

What differs: the bicubic interpolation before the network is part of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._enlarge import enlarged


class Drcn(nn.Module):
    """float32 (b, 1, y, x) to (b, 1, `scale` * y, `scale` * x); a `scale` of 1 takes what is interpolated already."""

    def __init__(self, features: int = 256, recursions: int = 16, scale: int = 2) -> None:
        super().__init__()
        self.scale, self.recursions = scale, recursions
        self.embedding = nn.Sequential(_step(1, features), _step(features, features))
        self.inference = _step(features, features)
        self.reconstruction = nn.Sequential(_step(features, features), nn.Conv2d(features, 1, 3, padding=1))
        self.shares = nn.Parameter(torch.full((recursions,), 1 / recursions))
        with torch.no_grad():  # the paper starts from an identity, so that the recursion neither fades nor explodes
            nn.init.dirac_(self.inference[0].weight)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        """The weighted mean of the answers."""
        answers = torch.cat(self.answers(pixels), dim=1)
        return (answers * self.shares[:, None, None]).sum(dim=1, keepdim=True)

    def answers(self, pixels: Tensor) -> list[Tensor]:
        """Each recursion's own answer, which training supervises too."""
        large = enlarged(pixels, self.scale)
        x = self.embedding(large)
        found = []
        for _ in range(self.recursions):
            x = self.inference(x)
            found.append(large + self.reconstruction(x))
        return found


def _step(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU())
