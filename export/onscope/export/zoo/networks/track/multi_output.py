"""Multi-output tracker: one trunk looks at a cell, one head says where it has gone, another whether it divides.

Y. Wang, H. Mao, Z. Yi, "Stem cell motion-tracking by using deep neural networks with multi-output", Neural Computing
and Applications 31, 3455 (2019): shared convolutions, and layers of their own for tracking and for mitosis, which is
learned as an assistant task.

What differs: the paper draws candidate positions around the last one with a particle filter and scores the crop at
each, with a tracking part that is trained anew while frames come. Here the candidates are the places of a fixed grid,
scored all at once from the cell's crops in both frames, so that weights stay as they are; their mean is the motion.
Sizes and numbers of layers are chosen here (the paper's begin with weights of a network for photographs).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

COLUMNS = ("dy", "dx", "certainty", "mitosis")


class MultiOutputTracker(nn.Module):
    """float32 crops (b, 2, `side`, `side`), of the last frame and of this one at the same place, to (b, 4).

    The columns: where the cell has gone along y and x in pixels, the largest share that one candidate has (all of them
    add up to 1), and the probability of a mitosis. Candidates lie `step` pixels apart, `reach` of them on each side of
    the cell's last place. `side` is a multiple of 8; `width` channels in the first layer.
    """

    def __init__(
        self, side: int = 64, reach: int = 6, step: float = 2.0, width: int = 32, hidden: int = 512
    ) -> None:  # fmt: skip
        super().__init__()
        if side % 8 or side < 8:
            raise ValueError(f"found crops of {side} pixels, expected a multiple of 8")
        widths = (2, width, 2 * width, 4 * width)
        trunk: list[nn.Module] = []
        for before, own, kernel in zip(widths[:-1], widths[1:], (7, 5, 3), strict=True):
            trunk += [
                nn.Conv2d(before, own, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(own),
                nn.ReLU(inplace=True), nn.MaxPool2d(2),
            ]  # fmt: skip
        shared = nn.Linear(widths[-1] * (side // 8) ** 2, hidden)
        self.trunk = nn.Sequential(*trunk, nn.Flatten(), shared, nn.ReLU(inplace=True), nn.Dropout(0.5))
        self.motion = _head(hidden, (2 * reach + 1) ** 2)
        self.mitosis = _head(hidden, 1)
        along = torch.arange(-reach, reach + 1) * step
        places = torch.stack(torch.meshgrid(along, along, indexing="ij"), dim=-1).reshape(-1, 2)
        self.register_buffer("places", places, persistent=False)
        self.places: Tensor

    def forward(self, crops: Tensor) -> Tensor:
        candidates, mitosis = self.logits(crops)
        shares = torch.softmax(candidates, dim=1)
        certainty = shares.amax(dim=1, keepdim=True)
        return torch.cat((shares @ self.places, certainty, torch.sigmoid(mitosis)), dim=1)

    def logits(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """What training needs: a score of each of the `places` (b, n), and that of a mitosis (b, 1)."""
        features = self.trunk(crops)
        return self.motion(features), self.mitosis(features)


def _head(hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(hidden, hidden // 2), nn.ReLU(inplace=True), nn.Linear(hidden // 2, outputs))
