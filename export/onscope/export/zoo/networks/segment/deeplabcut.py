"""DeepLabCut: key points by a ResNet, score maps by deconvolution, and how far each point lies from the map's place.

A. Mathis et al., "DeepLabCut: markerless pose estimation of user-defined body parts with deep learning", Nature
Neuroscience 21, 1281 (2018), doi:10.1038/s41593-018-0209-y; after DeeperCut (E. Insafutdinov et al., ECCV 2016,
arXiv:1605.03170): a ResNet-50 at a stride of 16, one 3x3 deconvolution for scores and one for locations, both to a
stride of 8, locations in units of 7.2801 pixels.

What differs: the deconvolutions' answers are cut to the map's size at the end as the authors' framework does it, and a
second prediction at an inner layer, which trains alone, is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..classify.resnet import ResNetBody

STRIDE = 8
SPREAD = 7.2801
"""Pixels that a location of 1 stands for."""
COLUMNS = ("y", "x", "score")


class DeepLabCut(nn.Module):
    """float32 (b, inputs, y, x) in, y and x multiples of 16, to maps or to a table of key points.

    Without `table` two maps: scores (b, points, y / 8, x / 8) from 0 to 1, and locations (b, 2 * points, y / 8, x / 8),
    y and x of each point by turns, in pixels from the middle of the map's place. With it (one frame alone) one row per
    point, float32 (points, 3): y, x and score of its best place, (0, 0) being the middle of the first pixel.
    """

    def __init__(
        self, points: int, inputs: int = 3, depth: int = 50, width: int = 64, *, table: bool = False
    ) -> None:  # fmt: skip
        super().__init__()
        self.table = table
        self.body = ResNetBody(depth, inputs, width, output_stride=16)
        self.scores = nn.ConvTranspose2d(self.body.channels[-1], points, 3, stride=2)
        self.locations = nn.ConvTranspose2d(self.body.channels[-1], 2 * points, 3, stride=2)

    def forward(self, frame: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        features = self.body(frame)[-1]
        # Of 2n + 1 places the authors' framework leaves out the last one.
        scores = torch.sigmoid(self.scores(features)[:, :, :-1, :-1])
        locations = SPREAD * self.locations(features)[:, :, :-1, :-1]
        return key_points(scores, locations) if self.table else (scores, locations)


def key_points(scores: Tensor, locations: Tensor) -> Tensor:
    """The best place of each point, refined: maps of one frame (1, points, y, x) and (1, 2 * points, y, x) to rows."""
    points, across = scores.shape[1], scores.shape[3]
    best, at = scores[0].flatten(1).max(dim=1, keepdim=True)
    offsets = torch.unflatten(locations[0], 0, (points, 2)).flatten(2)
    offset = offsets.gather(2, at[:, :, None].expand(-1, 2, 1)).squeeze(2)
    row = at // across
    place = torch.cat((row, at - row * across), dim=1).to(scores.dtype)
    return torch.cat((place * STRIDE + (STRIDE - 1) / 2 + offset, best), dim=1)
