"""Fourier-space D2NN: masks between two lenses, where an image is its spatial frequencies, find what is salient.

T. Yan et al., "Fourier-space diffractive deep neural network", Physical Review Letters 123, 023901 (2019),
doi:10.1103/PhysRevLett.123.023901: layers of phases in the Fourier plane of a lens, a second lens behind them, and
a photorefractive crystal whose delay saturates with the light's intensity; saliency and cells in microscope images.

What differs: a lens is an exact Fourier transform and the second one its inverse, so that the answer stands upright;
the pitch of the Fourier plane, the distances, the largest delay in the crystal and the place of the one crystal, behind
the last layer, are chosen here (the paper compares several), and light is measured in units of its mean.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .optics import Fourier, FreeSpace, PhaseMask, Transform, intensity, turned


class FourierD2nn(nn.Module):
    """float32 images (b, 1, `side`, `side`) from 0 to 1, of that one size, to saliency of the same shape, 0 to 1.

    The image is the light's amplitude; the answer is the intensity behind the second lens, 1 where it is largest.
    `layers` masks of side x side phases, `distance` apart; `pitch`, `wavelength` and `distance` are micrometres.
    `crystal`: whether light passes the photorefractive crystal too.
    """

    def __init__(
        self, side: int = 200, layers: int = 5, *, pitch: float = 1.0, wavelength: float = 0.532,
        distance: float = 100.0, crystal: bool = True, border: int = 0, transform: Transform = "fft",
    ) -> None:  # fmt: skip
        super().__init__()
        self.middle = side // 2
        self.lens = Fourier((side, side), transform)
        self.space = FreeSpace((side, side), pitch, wavelength, distance, border, transform)
        self.masks = nn.ModuleList(PhaseMask((side, side)) for _ in range(layers))
        self.crystal = Photorefractive() if crystal else None

    def forward(self, image: Tensor) -> Tensor:
        seen = intensity(self.field(image))[:, None]
        return seen / seen.amax(dim=(2, 3), keepdim=True).clamp(min=1e-12)

    def field(self, image: Tensor) -> Tensor:
        """The field behind the second lens, (b, 2, side, side)."""
        # The lowest frequency is in the middle of a lens' Fourier plane, at the first pixel of a transform.
        field = self._rolled(self.lens(torch.cat((image, torch.zeros_like(image)), dim=1)), self.middle)
        for number, mask in enumerate(self.masks):
            field = mask(self.space(field) if number else field)
        if self.crystal is not None:
            field = self.crystal(field)
        return self.lens(self._rolled(field, -self.middle), inverse=True)  # type: ignore[no-any-return]

    def _rolled(self, field: Tensor, by: int) -> Tensor:
        return torch.roll(field, (by, by), dims=(2, 3))


class Photorefractive(nn.Module):
    """Fields (b, 2, y, x) delayed by `most` * I / (1 + I) radians, I being their intensity over its mean."""

    def __init__(self, most: float = math.pi) -> None:
        super().__init__()
        self.most = most

    def forward(self, field: Tensor) -> Tensor:
        seen = intensity(field)
        seen = seen / seen.mean(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        return turned(field, self.most * seen / (1 + seen))
