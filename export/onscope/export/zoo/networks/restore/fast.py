"""FAST: a very small network that takes the noise out of fast movies, over a short window of frames.

Y. Wang et al., "Real-time self-supervised denoising for high-speed fluorescence neural imaging", Nature Communications
16 (2025), doi:10.1038/s41467-025-64681-8: frames of a temporal window are the channels of an ultra-light convolutional
network, which learns from noisy movies alone, the pixels of a frame being divided at random between input and target;
the authors report more than 1000 frames per second.

What is not known here: the network's layers, its number of parameters and the width of its window. Layers, features and
window below are chosen so that the work per pixel is small: the frame is folded to a quarter of its pixels (2x2 blocks
become channels), and a few 3x3 convolutions follow.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

FOLD = 2


class Fast(nn.Module):
    """float32 windows (b, `frames`, y, x) to one frame (b, 1, y, x), y and x even.

    Which frame of the window is answered is what training asks for: the middle one, or the newest, for which nothing
    waits for frames to come.
    """

    def __init__(self, frames: int = 5, features: int = 16, layers: int = 4) -> None:
        super().__init__()
        widths = [frames * FOLD**2, *[features] * layers]
        steps: list[nn.Module] = []
        for before, own in pairwise(widths):
            steps += [nn.Conv2d(before, own, 3, padding=1), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*steps, nn.Conv2d(features, FOLD**2, 3, padding=1))

    def forward(self, window: Tensor) -> Tensor:
        return functional.pixel_shuffle(self.layers(functional.pixel_unshuffle(window, FOLD)), FOLD)


def halves(movie: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two movies of half the size whose pixels were neighbours: (b, t, y, x) to twice (b, t, y / 2, x / 2).

    Of each block of 2x2 pixels one of its pairs of neighbours is drawn, by `seed`, the same in all frames; one of the
    two is in the first movie, the other in the second. Noise differs between them and what is seen hardly does, so
    that a network is trained to make the second of the first.
    """
    random = torch.Generator().manual_seed(seed)
    blocks = functional.pixel_unshuffle(movie.unsqueeze(2), FOLD)  # (b, t, 4, y / 2, x / 2), row by row
    first = torch.randint(0, 4, blocks.shape[-2:], generator=random)
    beside = torch.tensor([[1, 2], [0, 3], [0, 3], [1, 2]])  # those below, above, left or right of each
    second = beside[first].gather(2, torch.randint(0, 2, (*first.shape, 1), generator=random)).squeeze(2)
    one, other = (blocks.gather(2, each.expand(*blocks.shape[:2], 1, -1, -1)).squeeze(2) for each in (first, second))
    return one, other
