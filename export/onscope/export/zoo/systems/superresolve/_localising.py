"""Single molecules found in frames and counted on finer pixels, inside the graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SMOOTH, AROUND = 1.0, 9
"""Width (sigma) of the filter that spots are looked for with, and side of the square whose mean is the background."""
THRESHOLD = 5.0
"""Standard deviations of a frame's noise above which a maximum counts in full; two less, and it does not at all."""
NEAR = 5
"""Side of the square in which a spot is the highest."""


class Localisations(nn.Module):
    """float32 frames (b, n, y, x) to the histogram of the molecules in them (b, 1, `scale` * y, `scale` * x).

    Maxima of the smoothed frame above its local background are molecules; their place between pixels is that of the
    parabola through the logarithm of three pixels along each axis, which is exact for a Gaussian. Each is shared
    between the nearest fine pixels, and counts by how clearly it stands out, both without steps: rounding in another
    engine moves nothing far. The noise is the mean absolute value of the whole frame, as a normal one's deviation.
    """

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        reach = torch.arange(-3, 4, dtype=torch.float32)
        bell = torch.exp(-(reach**2) / (2 * SMOOTH**2))
        self.register_buffer("bell", (bell / bell.sum()).reshape(1, 1, 7, 1), persistent=False)
        self.bell: Tensor

    def forward(self, frames: Tensor) -> Tensor:
        b, n, y, x = frames.shape
        single = frames.reshape(b * n, 1, y, x)
        single = single - single.mean(dim=(2, 3), keepdim=True)
        large = functional.pad(single, (3, 3, 3, 3), mode="replicate")
        smooth = functional.conv2d(functional.conv2d(large, self.bell), self.bell.transpose(2, 3))
        around = functional.avg_pool2d(smooth, AROUND, stride=1, padding=AROUND // 2, count_include_pad=False)
        above = smooth - around
        noise = 1.2533 * above.abs().mean(dim=(2, 3), keepdim=True) + 1e-6
        clear = torch.clamp((above / noise - (THRESHOLD - 2)) / 2, 0, 1)
        highest = (above >= functional.max_pool2d(above, NEAR, stride=1, padding=NEAR // 2)).to(above.dtype)
        logs = functional.pad(torch.log(torch.clamp(above / noise, min=0.05)), (1, 1, 1, 1), mode="replicate")
        middle = logs[:, :, 1:-1, 1:-1]
        down = _vertex(logs[:, :, :-2, 1:-1], middle, logs[:, :, 2:, 1:-1])
        right = _vertex(logs[:, :, 1:-1, :-2], middle, logs[:, :, 1:-1, 2:])
        weight = clear * highest
        rows, columns = self._shares(down), self._shares(right)
        cells = torch.cat([weight * row * column for row in rows for column in columns], dim=1)
        cells = cells.reshape(b, n, self.scale**2, y, x).sum(dim=1)
        return functional.pixel_shuffle(cells, self.scale)

    def _shares(self, offset: Tensor) -> list[Tensor]:
        """What share of a molecule `offset` pixels (-0.5 to 0.5) off the middle each of the fine pixels gets."""
        place = (offset + 0.5) * self.scale - 0.5
        shares = [torch.clamp(1 - (place - k).abs(), min=0) for k in range(self.scale)]
        total = torch.stack(shares).sum(dim=0)
        return [share / total for share in shares]


def _vertex(before: Tensor, middle: Tensor, after: Tensor) -> Tensor:
    curvature = torch.clamp(2 * middle - before - after, min=1e-3)
    return torch.clamp(0.5 * (after - before) / curvature, -0.5, 0.5)
