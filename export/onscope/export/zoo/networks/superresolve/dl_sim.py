"""DL-SIM: a U-Net that reads a super-resolved image from the raw phases of structured illumination.

L. Jin et al., "Deep learning enables structured illumination microscopy with low light levels and enhanced speed",
Nature Communications 11, 1934 (2020), doi:10.1038/s41467-020-15784-x. Layers and widths are those of the paper's public
code: five levels of 64 to 1024 features, two convolutions with batch norm each, max pooling, transposed convolutions
up, concatenated skips; in low light a first U-Net restores the raw phases, and a second one sees both.

What differs: raw frames are enlarged inside the network, by bicubic interpolation; the paper's come enlarged.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._enlarge import enlarged


class DlSim(nn.Module):
    """float32 raw phases (b, `phases`, y, x) to one image (b, 1, 2 * y, 2 * x).

    15 phases of three-dimensional SIM, or 3. y and x are multiples of 2 ** (`depth` - 1); with a `scale` of 1, of
    frames that were enlarged already, of 2 ** `depth`.
    """

    def __init__(self, phases: int = 15, features: int = 64, depth: int = 4, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale
        self.unet = UNet(phases, 1, features, depth)

    def forward(self, phases: Tensor) -> Tensor:
        return self.unet(enlarged(phases, self.scale))  # type: ignore[no-any-return]


class CascadedDlSim(nn.Module):
    """The same for low light: `restored` phases first, then the image from these beside the raw ones."""

    def __init__(self, phases: int = 15, features: int = 64, depth: int = 4, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale
        self.first = UNet(phases, phases, features, depth)
        self.second = UNet(2 * phases, 1, features, depth)

    def forward(self, phases: Tensor) -> Tensor:
        large = enlarged(phases, self.scale)
        return self.second(torch.cat((large, self.first(large)), dim=1))  # type: ignore[no-any-return]

    def restored(self, phases: Tensor) -> Tensor:
        """The phases as in good light, enlarged: what training supervises first."""
        return self.first(enlarged(phases, self.scale))  # type: ignore[no-any-return]


class UNet(nn.Module):
    """(b, `inputs`, y, x) to (b, `outputs`, y, x); y and x are multiples of 2 ** `depth`."""

    def __init__(self, inputs: int, outputs: int, features: int, depth: int) -> None:
        super().__init__()
        widths = [features * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(_pair(a, b) for a, b in zip([inputs, *widths[:-1]], widths, strict=True))
        falling = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.larger = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in falling)
        self.up = nn.ModuleList(_pair(a, b) for a, b in falling)
        self.last = nn.Conv2d(features, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in self.down:
            x = level(functional.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for larger, level, skip in zip(self.larger, self.up, skips[-2::-1], strict=True):
            x = level(torch.cat((skip, larger(x)), dim=1))
        return cast(Tensor, self.last(x))


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)
