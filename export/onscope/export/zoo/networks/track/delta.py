"""DeLTA: one U-Net segments bacteria, another says of each where it is in the next frame, and where its daughter is.

J.-B. Lugagne, H. Lin, M. J. Dunlop, "DeLTA: Automated cell segmentation, tracking, and lineage reconstruction using
deep learning", PLOS Computational Biology 16, e1007673 (2020), doi:10.1371/journal.pcbi.1007673. Both are U-Nets of
five levels with 64 to 1024 features whose maps are enlarged by repetition and a 2x2 convolution, for images of 256x32
pixels of a mother machine.

What differs: which layers drop numbers in training is chosen here (half of them at the coarsest level); and the
tracker's answer leaves out the third class, the background, so that a reader may take the larger of both channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..segment.unet import UNet

DELTA_PAIR = ("previous", "object", "current", "objects")
"""The tracker's channels (`pair` in config.onscope): the last frame, in it the mask of the one in question, this frame,
the mask of all objects in it."""


class DeltaSegmentation(nn.Module):
    """float32 (b, 1, y, x) in, probabilities of bacteria (b, 1, y, x) out; y and x multiples of 2 ** `depth`."""

    def __init__(self, features: int = 64, depth: int = 4) -> None:
        super().__init__()
        self.unet = _unet(1, 1, features, depth)

    def forward(self, frame: Tensor) -> Tensor:
        return torch.sigmoid(self.unet(frame))


class DeltaTracking(nn.Module):
    """float32 (b, 4, y, x), the channels DELTA_PAIR, to float32 probabilities (b, 2, y, x): mother, daughter.

    The mother is the cell where it goes on, the daughter the other one after a division. y and x are multiples of
    2 ** `depth`.
    """

    def __init__(self, features: int = 64, depth: int = 4) -> None:
        super().__init__()
        self.unet = _unet(len(DELTA_PAIR), 3, features, depth)

    def forward(self, pair: Tensor) -> Tensor:
        return torch.softmax(self.logits(pair), dim=1)[:, :2]

    def logits(self, pair: Tensor) -> Tensor:
        """(b, 3, y, x): mother, daughter, background, as training needs them."""
        return self.unet(pair)  # type: ignore[no-any-return]


def _unet(inputs: int, classes: int, features: int, depth: int) -> UNet:
    network = UNet(inputs, classes, features, depth)
    widths = [features << level for level in reversed(range(depth))]
    network.up = nn.ModuleList(_enlarging(width) for width in widths)
    return network


def _enlarging(width: int) -> nn.Sequential:
    """Twice as many pixels and half of the channels; the 2x2 convolution sees zeros below and right of the map."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2.0, mode="nearest"), nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(2 * width, width, 2),
        nn.ReLU(inplace=True),
    )  # fmt: skip
