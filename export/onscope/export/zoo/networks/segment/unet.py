"""U-Net: a contracting path, an expanding path, and skips that are concatenated, to classes of pixels.

O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015, arXiv:1505.04597; T. Falk et al., "U-Net: deep learning for cell
counting, detection, and morphometry", Nature Methods 16, 67 (2019), doi:10.1038/s41592-018-0261-2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

DROPPED = 0.5


class UNet(nn.Module):
    """float32 (b, inputs, y, x) in, float32 logits (b, classes, y, x) out; y and x multiples of 2 ** `depth`.

    `features` at full size, twice as many per level. The paper's: depth 4, 64 features, no normalisation (2015), 0.5
    dropped at the end of the contracting path. With `padded` False convolutions are valid as in the paper, skips are
    cropped, and the answer is that for the middle of the frame (388 of 572 pixels); an export needs the padded ones,
    which other publications use too. `norm` puts batch normalisation in place of the convolutions' biases.
    """

    def __init__(
        self, inputs: int = 1, classes: int = 2, features: int = 64, depth: int = 4, *, padded: bool = True,
        norm: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        widths = [features << level for level in range(depth + 1)]
        before = [inputs, *widths[:-1]]
        self.down = nn.ModuleList(_pair(a, b, padded, norm) for a, b in zip(before, widths, strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in reversed(widths[:-1]))
        self.merge = nn.ModuleList(_pair(2 * width, width, padded, norm) for width in reversed(widths[:-1]))
        self.last = nn.Conv2d(features, classes, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, frame: Tensor) -> Tensor:
        skips = []
        x = self.down[0](frame)
        for level in self.down[1:]:
            skips.append(x)
            x = level(functional.max_pool2d(x, 2))
        x = functional.dropout(x, DROPPED, self.training)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips), strict=True):
            x = up(x)
            x = merge(torch.cat((_middle(skip, x), x), dim=1))
        return self.last(x)  # type: ignore[no-any-return]


def touching_weights(
    labels: npt.NDArray[Any], w0: float = 10.0, sigma: float = 5.0, balance: bool = True
) -> npt.NDArray[np.float32]:
    """Weights of the pixels of a label image (y, x) of whole numbers (0: background) in the loss, float32 (y, x).

    w0 * exp(-(d1 + d2)^2 / (2 sigma^2)) in the background, with the distances in pixels to the nearest and the second
    nearest cell, so that thin gaps between cells that touch are learned; on top of it, with `balance`, each class gets
    the inverse of its frequency (mean 1), else 1.
    """
    cells = labels > 0
    weights = np.ones(labels.shape, np.float64)
    if balance and cells.any() and not cells.all():
        share = cells.mean()
        weights = np.where(cells, 0.5 / share, 0.5 / (1 - share))
    numbers = np.unique(labels[cells])
    if len(numbers) > 1:
        nearest = np.full((2, *labels.shape), np.inf)
        for number in numbers:  # the two smallest so far, so that memory does not grow with the cells
            distance = ndimage.distance_transform_edt(labels != number)
            nearest = np.sort(np.concatenate((nearest, distance[None])), axis=0)[:2]
        weights += np.where(cells, 0, w0 * np.exp(-(nearest.sum(axis=0) ** 2) / (2 * sigma**2)))
    return weights.astype(np.float32)


def _middle(skip: Tensor, like: Tensor) -> Tensor:
    """The middle of a skip as large as `like`; the skip itself where convolutions are padded."""
    y, x = (skip.shape[axis] - like.shape[axis] for axis in (2, 3))
    return skip[:, :, y // 2 : y // 2 + like.shape[2], x // 2 : x // 2 + like.shape[3]]


def _pair(inputs: int, outputs: int, padded: bool, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (inputs, outputs):
        layers.append(nn.Conv2d(before, outputs, 3, padding=1 if padded else 0, bias=not norm))
        layers += [nn.BatchNorm2d(outputs)] if norm else []
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
