"""DeepCAD-RT: a 3D U-Net on (x, y, t), pruned to a sixteenth of its weights, that takes the noise out of movies.

X. Li et al., "Real-time denoising enables high-sensitivity fluorescence time-lapse imaging beyond the shot-noise
limit", Nature Biotechnology 41, 282 (2023, online 2022), doi:10.1038/s41587-022-01450-8. Layers and widths are those
of the paper's public code: four levels of 16, 32, 64 and 128 features, max pooling, nearest up-sampling, concatenated
skips, ReLU and no norms; DeepCAD before it has 64 at the first level.

What differs: with `causal` the window ends at the newest frame, which alone is answered, and convolutions see zeros
before the window, never in place of frames that are still to come. The paper's network answers whole windows, and
half of the overlap of two windows is thrown away.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 4


class DeepCadRt(nn.Module):
    """float32 movies (b, t, y, x) to movies of the same shape, or with `causal` to the newest frame (b, 1, y, x).

    t, y and x are multiples of 8. `features` are those of the first level, doubled at each of the others.
    """

    def __init__(self, features: int = 16, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal
        widths = [features * 2**level for level in range(LEVELS)]
        down = zip([1, *widths[:-1]], widths, strict=True)
        # As in the reference code, the first convolution of a level takes half of its step in width.
        self.down = nn.ModuleList(_pair(a, max(b // 2, a), b, causal) for a, b in down)
        up = zip(widths[:0:-1], widths[-2::-1], strict=True)
        self.up = nn.ModuleList(_pair(a + b, b, b, causal) for a, b in up)
        self.last = nn.Conv3d(features, 1, 1)

    def forward(self, movie: Tensor) -> Tensor:
        x = self._features(movie)
        return self._answer(x[:, :, -1:] if self.causal else x)

    def whole(self, movie: Tensor) -> Tensor:
        """Answers to all frames, causal or not: what training holds against a whole window of targets."""
        return self._answer(self._features(movie))

    def _answer(self, features: Tensor) -> Tensor:
        return self.last(features).squeeze(1)  # type: ignore[no-any-return]

    def _features(self, movie: Tensor) -> Tensor:
        x = movie.unsqueeze(1)
        skips: list[Tensor] = []
        for level in self.down:
            x = level(functional.max_pool3d(x, 2) if skips else x)
            skips.append(x)
        for level, skip in zip(self.up, skips[-2::-1], strict=True):
            x = level(torch.cat((skip, functional.interpolate(x, scale_factor=2.0, mode="nearest")), dim=1))
        return x


class PastConv3d(nn.Conv3d):
    """A 3x3x3 convolution over two frames before and the frame itself."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=(0, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(functional.pad(x, (0, 0, 0, 0, 2, 0)))


def _pair(inputs: int, between: int, outputs: int, causal: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in ((inputs, between), (between, outputs)):
        layers += [PastConv3d(a, b) if causal else nn.Conv3d(a, b, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers)
