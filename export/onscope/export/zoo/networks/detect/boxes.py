"""Boxes: the ones that a network starts from, how it moves them, and what lies inside of the frame.

S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN", NeurIPS 2015, arXiv:1506.01497. Boxes are y0, x0, y1, x1 in pixels
of the frame, counted from the edge of the first one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

RATIOS = (0.5, 1.0, 2.0)
"""Height over width of the boxes at each place."""
LARGEST = math.log(1000 / 16)
"""Of the logarithms by which boxes may grow: exp of more would be no box at all."""
THIN = 1.0
"""Boxes that are no wider or higher, in pixels, are none: at the frame's rim several hold the same, and are equal."""
MISSING = -1e4
"""The score of what is not there."""


def anchors(like: Tensor, stride: int, size: float) -> Tensor:
    """The boxes around the places of a map (b, c, y, x), (y * x * len(RATIOS), 4), each of an area of `size` ** 2."""
    roots = torch.tensor(RATIOS, dtype=like.dtype).sqrt()
    shapes = size / 2 * torch.stack((-roots, -1 / roots, roots, 1 / roots), dim=1)
    y, x = ((torch.arange(count, dtype=like.dtype) + 0.5) * stride for count in like.shape[2:])
    y, x = torch.meshgrid(y, x, indexing="ij")
    middles = torch.stack((y, x, y, x), dim=-1)
    return (middles[:, :, None] + shapes).reshape(-1, 4)


def decoded(boxes: Tensor, changes: Tensor, weights: tuple[float, float] = (1.0, 1.0)) -> Tensor:
    """Boxes (..., 4) moved by `changes` (..., 4): along y and x by shares of their size, then logs of growth.

    `weights` are what both kinds of changes are divided by.
    """
    sizes = boxes[..., 2:] - boxes[..., :2]
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2 + changes[..., :2] / weights[0] * sizes
    half = sizes * torch.exp((changes[..., 2:] / weights[1]).clamp(max=LARGEST)) / 2
    return torch.cat((middles - half, middles + half), dim=-1)


def clipped(boxes: Tensor, frame: Tensor) -> Tensor:
    """Boxes (..., 4) cut to the frame (b, c, y, x)."""
    y, x = (torch.scalar_tensor(size, dtype=boxes.dtype) for size in frame.shape[2:])
    return torch.minimum(boxes.clamp(min=0), torch.stack((y, x, y, x)))


def best(scores: Tensor, boxes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` highest scores (b, n) and their boxes (b, n, 4), in falling order; with fewer, MISSING and zeros."""
    scores = torch.cat((scores, scores.new_full((scores.shape[0], count), MISSING)), dim=1)
    boxes = torch.cat((boxes, boxes.new_zeros((boxes.shape[0], count, 4))), dim=1)
    found, at = scores.topk(count, dim=1)
    return found, boxes.gather(1, at[..., None].expand(-1, -1, 4))
