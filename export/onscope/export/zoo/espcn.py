"""ESPCN: twice the pixels per side, by convolutions at a small size and one shuffle of channels into pixels.

W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
network", CVPR 2016. As in K. Zhang, W. Zuo, L. Zhang, "FFDNet", IEEE TIP 27, 4608 (2018), the convolutions work on
cells of 2x2 pixels, which makes them four times cheaper and their view twice as wide; a cell becomes 4x4 pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._frames import level_and_noise, padded, to_counts, to_float

SCALE = 2
CELL = 2
PHASES = (SCALE * CELL) ** 2


class Espcn(nn.Module):
    """uint16 counts (1, 1, y, x) in, uint16 counts (1, 1, 2y, 2x) out, on the same scale of counts.

    The three published layers and one more between them, with `features` channels. What they find is added to a
    bicubic interpolation, which is a fixed convolution from the same cells here.
    """

    def __init__(self, features: int = 16) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, features, 3 * CELL, stride=CELL)
        self.second = nn.Conv2d(features, features, 3, padding=1)
        self.third = nn.Conv2d(features, features, 3, padding=1)
        self.last = nn.Conv2d(features, PHASES, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)
        self.register_buffer("bicubic", _bicubic_phases(), persistent=False)
        self.bicubic: Tensor

    def forward(self, counts: Tensor) -> Tensor:
        return to_counts(self.enlarge(to_float(counts)))

    def enlarge(self, pixels: Tensor) -> Tensor:
        """The same on float32 pixels (b, 1, y, x), without rounding: what training sees."""
        level, noise = level_and_noise(pixels)
        z = padded((pixels - level) / noise, CELL, margin=CELL)
        x = functional.relu(self.first(z))
        x = functional.relu(self.second(x))
        x = functional.relu(self.third(x))
        phases = self.last(x) + functional.conv2d(z, self.bicubic, stride=CELL)
        fine = functional.pixel_shuffle(phases, SCALE * CELL)
        return fine[:, :, : SCALE * pixels.shape[2], : SCALE * pixels.shape[3]] * noise + level


def _bicubic_phases() -> Tensor:
    """Keys' cubic kernel with a = -0.75, as in OpenCV and PyTorch, as a stride-2 convolution: (16, 1, 6, 6).

    A window spans two pixels before its cell to two after it. Fine pixel k of a cell lies at (k - 0.5) / 2 coarse
    pixels from the cell's first one, a quarter before or after a coarse pixel.
    """
    taps = torch.tensor([-0.03515625, 0.26171875, 0.87890625, -0.10546875])  # a quarter before the third of 4 pixels
    rows = torch.zeros(SCALE * CELL, 3 * CELL)
    for k in range(SCALE * CELL):
        start = k // 2  # of the window's pixels
        rows[k, start : start + 4] = taps if k % 2 == 0 else torch.zeros(4)
        if k % 2 == 1:
            rows[k, start + 1 : start + 5] = taps.flip(0)
    return torch.einsum("ay,bx->abyx", rows, rows).reshape(PHASES, 1, 3 * CELL, 3 * CELL)
