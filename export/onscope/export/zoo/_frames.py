"""What all networks of the zoo do to a frame inside their graph: statistics, padding, back to counts."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

LOWEST_NOISE = 0.5
"""Counts. Rounding alone gives 0.29; without a floor, an empty frame would be divided by nothing."""

_IMMERKAER = ((1.0, -2.0, 1.0), (-2.0, 4.0, -2.0), (1.0, -2.0, 1.0))


def to_float(counts: Tensor) -> Tensor:
    """Float32 pixels from uint16 counts."""
    return counts.to(torch.float32)


def to_counts(pixels: Tensor) -> Tensor:
    """Rounded and clipped uint16 counts from float32 pixels."""
    return pixels.round().clamp(0, 65535).to(torch.uint16)


def level_and_noise(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the noise of each frame: (b, 1, 1, 1) from pixels (b, 1, y, x).

    The noise comes from the mean absolute answer of a Laplacian mask that is blind to edges and ramps
    (J. Immerkaer, Comput. Vis. Image Underst. 64, 300 (1996)), taken at every second pixel.
    """
    mask = torch.tensor(_IMMERKAER, dtype=torch.float32, device=pixels.device).view(1, 1, 3, 3)
    answer = functional.conv2d(pixels, mask, stride=2).abs().mean(dim=(1, 2, 3), keepdim=True)
    noise = answer * (math.sqrt(math.pi / 2) / 6)
    return pixels.mean(dim=(1, 2, 3), keepdim=True), noise.clamp(min=LOWEST_NOISE)


def padded(pixels: Tensor, multiple: int, margin: int = 0) -> Tensor:
    """Repeat the outermost rows and columns: `margin` on each side, and more below and right up to a `multiple`."""
    y, x = pixels.shape[-2], pixels.shape[-1]
    # Only positive numbers are divided: ONNX divides towards zero, Python downwards.
    right = (x + multiple - 1) // multiple * multiple - x
    below = (y + multiple - 1) // multiple * multiple - y
    return functional.pad(pixels, (margin, margin + right, margin, margin + below), mode="replicate")
