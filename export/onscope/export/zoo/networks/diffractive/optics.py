"""Fields of light as two real channels: Fourier transforms, the way through free space, and masks that delay.

J. W. Goodman, "Introduction to Fourier optics", section 3.10 (the angular spectrum of plane waves). A field is
float32 (b, 2, y, x), its real and its imaginary part, so that graphs hold no complex numbers at their borders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

Transform = Literal["fft", "matrix"]


class Fourier(nn.Module):
    """Fields (b, 2, y, x) of `shape` to their unitary discrete Fourier transforms: the light's power stays.

    With `inverse` back. `transform` "fft" becomes the operator DFT of ONNX, which ONNX Runtime has on the processor
    alone; "matrix" is the same sums as products with two matrices, for engines on a GPU that have no such operator.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, shape: Sequence[int], transform: Transform = "fft") -> None:
        super().__init__()
        if transform not in ("fft", "matrix"):
            raise ValueError(f"found the transform {transform!r}, expected fft or matrix")
        self.transform, self.scale = transform, 1 / math.sqrt(math.prod(shape))
        for name, size in zip(("rows", "columns"), shape, strict=True) if transform == "matrix" else ():
            # Turns are reduced as whole numbers: cosines of large angles would lose digits.
            turns = np.outer(np.arange(size), np.arange(size)) % size * (2 * np.pi / size)
            waves = np.stack([np.cos(turns), -np.sin(turns)]) / math.sqrt(size)
            self.register_buffer(name, torch.from_numpy(waves.astype(np.float32)), persistent=False)

    def forward(self, field: Tensor, inverse: bool = False) -> Tensor:
        if self.transform == "matrix":
            return self._by_matrices(field, -1.0 if inverse else 1.0)
        waves = torch.complex(field[:, 0], field[:, 1])
        if inverse:
            found = torch.view_as_real(torch.fft.ifft2(waves)) / self.scale
        else:
            found = torch.view_as_real(torch.fft.fft2(waves)) * self.scale
        return found.movedim(-1, 1)

    def _by_matrices(self, field: Tensor, sign: float) -> Tensor:
        cosine, sine = self.rows[0], sign * self.rows[1]
        real, imaginary = field[:, 0], field[:, 1]
        real, imaginary = cosine @ real - sine @ imaginary, cosine @ imaginary + sine @ real
        cosine, sine = self.columns[0], sign * self.columns[1]
        return torch.stack((real @ cosine - imaginary @ sine, imaginary @ cosine + real @ sine), dim=1)


class FreeSpace(nn.Module):
    """Fields (b, 2, y, x) of `shape` to those that arrive in a parallel plane `distance` further on.

    `pitch` (of pixels), `wavelength` and `distance` are lengths in one unit. Evanescent waves fade as they do in
    nature. Beyond the plane there are `border` pixels of darkness on each side, which light is lost to; without them
    what leaves on one side would come back on the other.
    """

    def __init__(
        self, shape: Sequence[int], pitch: float, wavelength: float, distance: float, border: int = 0,
        transform: Transform = "fft",
    ) -> None:  # fmt: skip
        super().__init__()
        self.border = border
        whole = [size + 2 * border for size in shape]
        self.fourier = Fourier(whole, transform)
        y, x = (np.fft.fftfreq(size, pitch) for size in whole)
        squared = (1 / wavelength**2 - y[:, None] ** 2 - x**2).astype(complex)
        wave = np.exp(2j * np.pi * distance * np.sqrt(squared))
        passed = torch.from_numpy(np.stack([wave.real, wave.imag]).astype(np.float32))
        self.register_buffer("passed", passed, persistent=False)
        self.passed: Tensor

    def forward(self, field: Tensor) -> Tensor:
        b = self.border
        spectrum = self.fourier(functional.pad(field, (b, b, b, b)) if b else field)
        found: Tensor = self.fourier(times(spectrum, self.passed[None]), inverse=True)
        return found[:, :, b : found.shape[2] - b, b : found.shape[3] - b]


class PhaseMask(nn.Module):
    """Fields (b, 2, y, x) of `shape`, each pixel delayed by its own trained `phase` (radians); nothing is absorbed."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.phase = nn.Parameter(torch.empty(*shape).uniform_(0, 2 * math.pi))

    def forward(self, field: Tensor) -> Tensor:
        return turned(field, self.phase[None])


def times(a: Tensor, b: Tensor) -> Tensor:
    """The product of complex numbers as two channels."""
    real = a[:, 0] * b[:, 0] - a[:, 1] * b[:, 1]
    return torch.stack((real, a[:, 0] * b[:, 1] + a[:, 1] * b[:, 0]), dim=1)


def turned(field: Tensor, phase: Tensor) -> Tensor:
    """A field (b, 2, y, x) delayed by phases (b, y, x) in radians."""
    return times(field, torch.stack((torch.cos(phase), torch.sin(phase)), dim=1))


def intensity(field: Tensor) -> Tensor:
    """What a detector sees of a field (b, 2, y, x): (b, y, x)."""
    return field.square().sum(dim=1)
