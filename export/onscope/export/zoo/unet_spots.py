"""Spots: a small U-Net that draws a heat map of point sources, and the reading of its peaks inside the graph.

The heat map with sub-pixel offsets follows X. Zhou, D. Wang, P. Kraehenbuehl, "Objects as points", arXiv:1904.07850
(2019); the stem that folds 2x2 pixels into channels is that of K. Zhang, W. Zuo, L. Zhang, "FFDNet", IEEE TIP 27, 4608
(2018); the U-Net that of O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._frames import level_and_noise, padded, to_float

CELL = 2
"""Pixels per side of one cell of the heat map."""

LOWEST_SCORE = 0.05
"""Peaks below it are no candidates and leave zeros."""


class UnetSpots(nn.Module):
    """uint16 counts (1, 1, y, x) of a denoised frame in, float32 (`most`, 3) out: y, x, score, best first.

    y and x are pixels of the frame (whole numbers are pixel centres), score is 0 to 1; rows that are no spot hold
    zeros. The heat map has one cell per 2x2 pixels, each with its own sub-pixel offset, so two spots in one cell and
    its neighbours become one.
    """

    def __init__(self, features: int = 16, most: int = 2048) -> None:
        super().__init__()
        f = features
        self.most = most
        self.stem = nn.Conv2d(1, f, 3 * CELL, stride=CELL, padding=CELL)
        self.down2 = _step(f, f)
        self.middle = nn.Sequential(_step(f, 2 * f), _step(2 * f, f))
        self.up2 = _step(2 * f, f)
        self.up1 = nn.Sequential(_step(2 * f, f), _step(f, f))
        self.last = nn.Conv2d(f, 3, 1)
        if self.last.bias is not None:
            nn.init.constant_(self.last.bias, -4.0)  # nearly all cells are empty

    def forward(self, counts: Tensor) -> Tensor:
        pixels = to_float(counts)
        maps = self.maps(pixels)
        heat = maps[:, :1]
        # Peaks are sought before the sigmoid, which makes equals of all bright neighbours.
        peak = (heat >= functional.max_pool2d(heat, 3, stride=1, padding=1)).to(torch.float32)
        score = (torch.sigmoid(heat) * peak).flatten()
        rows = torch.arange(maps.shape[2], device=maps.device) * float(CELL)
        columns = torch.arange(maps.shape[3], device=maps.device) * float(CELL)
        y, x = (maps[0, 1] + rows[:, None]).flatten(), (maps[0, 2] + columns).flatten()
        kept = (score > LOWEST_SCORE) & _within(y, counts.shape[2]) & _within(x, counts.shape[3])
        score = score * kept.to(torch.float32)
        spare = (0, self.most)  # even the smallest frame has `most` candidates
        best, index = torch.topk(functional.pad(score, spare), self.most)
        y, x = functional.pad(y, spare)[index], functional.pad(x, spare)[index]
        spots = torch.stack((y, x, best), dim=1)
        return spots * (best > 0).to(torch.float32)[:, None]

    def maps(self, pixels: Tensor) -> Tensor:
        """Float32 (b, 3, y / 2, x / 2): score before the sigmoid, then offsets y and x from each cell's first pixel."""
        level, noise = level_and_noise(pixels)
        filtered = functional.relu(self.stem(padded((pixels - level) / noise, 4 * CELL)))
        fine = torch.log(filtered + 1)  # so that dim and bright spots look alike, on any background
        coarse = self.down2(functional.max_pool2d(fine, 2))
        x = self.middle(functional.max_pool2d(coarse, 2))
        x = self.up2(torch.cat((_doubled(x), coarse), dim=1))
        x = self.up1(torch.cat((_doubled(x), fine), dim=1))
        return self.last(x)  # type: ignore[no-any-return]


def _within(position: Tensor, size: int) -> Tensor:
    return (position >= -0.5) & (position <= size - 0.5)


def _step(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True))


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
