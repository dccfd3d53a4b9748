"""ANNA-PALM's network behind the localisation of its molecules."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...networks.superresolve import AnnaPalm
from ._localising import Localisations

FEW = 0.5
"""Molecules of a fine pixel that come out halfway between none and endlessly many."""


class LocalisingAnnaPalm(nn.Module):
    """float32 counts (b, n, y, x) to the density of molecules, 0 to 1, (b, 1, 4y, 4x); y and x multiples of 8.

    The network sees the histogram of the localisations and the mean of the frames, both brought to -1 to 1.
    """

    def __init__(self, features: int, depth: int, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.localise = Localisations(scale)
        self.draw = AnnaPalm(features, depth)

    def forward(self, frames: Tensor) -> Tensor:
        return cast(Tensor, (self.draw(self.seen(frames)) + 1) / 2)

    def seen(self, frames: Tensor) -> Tensor:
        """What the network draws from: histogram and wide field (b, 2, 4y, 4x)."""
        histogram = self.localise(frames)
        mean = frames.mean(dim=1, keepdim=True)
        level, spread = mean.mean(dim=(2, 3), keepdim=True), mean.std(dim=(2, 3), keepdim=True)
        wide = torch.tanh((mean - level) / (2 * spread + 1e-6))
        large = functional.interpolate(wide, scale_factor=float(self.scale), mode="bilinear", align_corners=False)
        return torch.cat((2 * histogram / (histogram + FEW) - 1, large), dim=1)
