"""CARE: a small residual U-Net that takes the noise out of a frame.

M. Weigert et al., "Content-aware image restoration: pushing the limits of fluorescence microscopy", Nature Methods 15,
1090 (2018); the U-Net is that of O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015. As in CSBDeep: two convolutions per
level, max pooling, nearest up-sampling, concatenated skips, and the network predicts what to add to its input.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._frames import level_and_noise, padded, to_counts, to_float

KEPT_NOISE = 0.04
"""Share of the noise that stays in the answer (28 dB below the raw frame's): a frame without any does not tell the
stages behind it how much to trust a faint blob, and they take the remains of noise for spots."""


class Care(nn.Module):
    """uint16 counts (1, 1, y, x) in, denoised uint16 counts of the same shape and scale out; y, x of at least 16.

    Depth 2, `features` at full size (8: 0.05 MB), 3x3 kernels. The frame is measured in standard deviations of its own
    noise, so that offset, gain and brightness of the camera do not matter.
    """

    def __init__(self, features: int = 8) -> None:
        super().__init__()
        f = features
        self.down1 = _pair(1, f, f)
        self.down2 = _pair(f, 2 * f, 2 * f)
        self.middle = _pair(2 * f, 4 * f, 2 * f)
        self.up2 = _pair(4 * f, 2 * f, f)
        self.up1 = _pair(2 * f, f, f)
        self.last = nn.Conv2d(f, 1, 1)

    def forward(self, counts: Tensor) -> Tensor:
        pixels = to_float(counts)
        restored = self.restore(pixels)
        return to_counts(restored + KEPT_NOISE * (pixels - restored))

    def restore(self, pixels: Tensor) -> Tensor:
        """Float32 pixels (b, 1, y, x) without their noise and without rounding: what training sees."""
        level, noise = level_and_noise(pixels)
        change = self._unet(padded((pixels - level) / noise, 4))[:, :, : pixels.shape[2], : pixels.shape[3]]
        return pixels + change * noise

    def _unet(self, x: Tensor) -> Tensor:
        fine = self.down1(x)
        coarse = self.down2(functional.max_pool2d(fine, 2))
        x = self.middle(functional.max_pool2d(coarse, 2))
        x = self.up2(torch.cat((_doubled(x), coarse), dim=1))
        x = self.up1(torch.cat((_doubled(x), fine), dim=1))
        return self.last(x)  # type: ignore[no-any-return]


def _pair(inputs: int, between: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, between, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(between, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
