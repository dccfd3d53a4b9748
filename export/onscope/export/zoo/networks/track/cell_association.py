"""Association in 3-D: how likely each cell of the last stack is each cell of this one, or none.

After a mention of a network for the association of cells in 3-D (Moghadam 2021), whose layers are not known here; all
below is chosen here. As association networks do in general, each cell is described by what it looks like (a 3-D CNN on
a crop around it) and where it is, each pair of cells is compared by one small network, and each cell of the last stack
has one more choice: to have gone. Which of the pairs are taken is then a linear assignment, outside of the network.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

AXES = 3


class CellAssociation(nn.Module):
    """What n cells before and m cells now look like and where they are, to probabilities (b, n, m + 1).

    float32 crops (b, n, z, y, x) of the last stack and (b, m, z, y, x) of this one, all of one size of at least 8 along
    each axis, and places (b, n, 3) and (b, m, 3) in units of a cell's usual step. Rows add up to 1; the last column is
    that the cell has gone (or that the row is empty). Empty rows of crops are zeros, and their columns get nothing. A
    cell that divides has two likely columns.
    """

    def __init__(self, width: int = 16, described: int = 64) -> None:
        super().__init__()
        widths = (1, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for before, own in pairwise(widths):
            layers += [nn.Conv3d(before, own, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool3d(2)]
        self.look = nn.Sequential(*layers)
        self.describe = nn.Linear(widths[-1], described)
        self.compare = nn.Sequential(
            nn.Linear(2 * described + AXES + 1, described), nn.ReLU(inplace=True), nn.Linear(described, 1)
        )
        self.gone = nn.Linear(described, 1)

    def forward(self, before: Tensor, now: Tensor, places_before: Tensor, places_now: Tensor) -> Tensor:
        return torch.softmax(self.logits(before, now, places_before, places_now), dim=2)

    def logits(self, before: Tensor, now: Tensor, places_before: Tensor, places_now: Tensor) -> Tensor:
        """Scores (b, n, m + 1), as training needs them."""
        first, second = self.described(before), self.described(now)
        n, m = first.shape[1], second.shape[1]
        apart = places_now[:, None] - places_before[:, :, None]
        far = apart.square().sum(dim=3, keepdim=True).add(1e-6).sqrt()
        pair = (first[:, :, None].expand(-1, -1, m, -1), second[:, None].expand(-1, n, -1, -1), apart, far)
        scores = self.compare(torch.cat(pair, dim=3)).squeeze(3)
        there = now.abs().amax(dim=(2, 3, 4)) > 0
        scores = torch.where(there[:, None], scores, torch.full_like(scores, -1e4))
        return torch.cat((scores, self.gone(first)), dim=2)

    def described(self, crops: Tensor) -> Tensor:
        """What each of the crops (b, n, z, y, x) looks like: (b, n, described)."""
        seen = self.look(crops.flatten(0, 1).unsqueeze(1)).mean(dim=(2, 3, 4))
        return self.describe(seen).unflatten(0, crops.shape[:2])  # type: ignore[no-any-return]
