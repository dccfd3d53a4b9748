"""Multi-output tracker: one trunk looks at a cell, one head says where it has gone, another whether it divides.

Y. Wang, H. Mao, Z. Yi, "Stem cell motion-tracking by using deep neural networks with multi-output", Neural Computing
and Applications 31, 3455 (2019): shared convolutions, and layers of their own for tracking and for mitosis, which is
learned as an assistant task.

What differs: the paper draws candidate positions around the last one with a particle filter and scores the crop at
each, with a tracking part that is trained anew while frames come. Here the candidates are the places of a fixed grid.
The same convolutions score all of them at once, on both frames with a mark on the cell's last place, so that weights
stay as they are; the candidates' mean is the motion. What each candidate's score sees is made wider by two coarser
levels, which are enlarged again and put beside the finer ones. Sizes and numbers of layers are chosen here (the paper's
begin with weights of a network for photographs).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

COLUMNS = ("dy", "dx", "certainty", "mitosis")
STEP_PX = 2
"""Between candidates."""
MARK_PX = 8.0
"""Standard deviation of the mark on the cell's last place."""


class MultiOutputTracker(nn.Module):
    """float32 crops (b, 2, `side`, `side`), of the last frame and of this one at the same place, to (b, 4).

    The columns: where the cell has gone along y and x in pixels, the largest share that one candidate has (all of them
    add up to 1), and the probability of a mitosis. Candidates lie `STEP_PX` apart, `reach` of them on each side of the
    cell's last place. `side` is a multiple of 8, and at least 16; `width` channels in the first layers.
    """

    def __init__(self, side: int = 64, reach: int = 6, width: int = 16, hidden: int = 64) -> None:
        super().__init__()
        if side % 8 or side < 16:
            raise ValueError(f"found crops of {side} pixels, expected a multiple of 8 from 16 on")
        if reach >= side // (2 * STEP_PX):
            raise ValueError(f"found candidates up to {reach * STEP_PX} pixels off, expected less than {side // 2}")
        self.reach = reach
        fine, middle, coarse = width, 2 * width, 4 * width
        self.fine = nn.Sequential(*_layer(3, fine, 5, STEP_PX), *_layer(fine, fine))
        self.middle = nn.Sequential(nn.MaxPool2d(2), *_layer(fine, middle), *_layer(middle, middle))
        self.coarse = nn.Sequential(nn.MaxPool2d(2), *_layer(middle, coarse), *_layer(coarse, coarse))
        self.enlarge = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.to_middle = nn.Sequential(*_layer(coarse + middle, middle))
        self.to_fine = nn.Sequential(*_layer(middle + fine, fine))
        self.score = nn.Conv2d(fine, 1, 1)
        self.usual = nn.Parameter(torch.zeros((2 * reach + 1) ** 2))  # how far cells move, whatever is seen
        self.mitosis = nn.Sequential(
            nn.Linear(2 * coarse, hidden), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(hidden, 1)
        )
        along = torch.arange(-reach, reach + 1) * float(STEP_PX)
        places = torch.stack(torch.meshgrid(along, along, indexing="ij"), dim=-1).reshape(-1, 2)
        self.register_buffer("places", places, persistent=False)
        self.places: Tensor
        off = torch.arange(side) - float(side // 2)
        mark = torch.exp(-(off[:, None].square() + off.square()) / (2 * MARK_PX**2))
        self.register_buffer("mark", mark[None, None], persistent=False)
        self.mark: Tensor

    def forward(self, crops: Tensor) -> Tensor:
        candidates, mitosis = self.logits(crops)
        shares = torch.softmax(candidates, dim=1)
        certainty = shares.amax(dim=1, keepdim=True)
        return torch.cat((shares @ self.places, certainty, torch.sigmoid(mitosis)), dim=1)

    def logits(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """What training needs: a score of each of the `places` (b, n), and that of a mitosis (b, 1)."""
        fine = self.fine(torch.cat((crops, self.mark.expand(crops.shape[0], -1, -1, -1)), dim=1))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        scores = self.to_middle(torch.cat((self.enlarge(coarse), middle), dim=1))
        scores = self.score(self.to_fine(torch.cat((self.enlarge(scores), fine), dim=1)))
        near = slice(scores.shape[2] // 2 - self.reach, scores.shape[2] // 2 + self.reach + 1)
        half = coarse.shape[2] // 2
        at, around = slice(half - 1, half + 1), slice(max(half - 2, 0), half + 2)
        seen = torch.cat((coarse[:, :, at, at].amax(dim=(2, 3)), coarse[:, :, around, around].mean(dim=(2, 3))), dim=1)
        return scores[:, 0, near, near].flatten(1) + self.usual, self.mitosis(seen)


def _layer(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]  # fmt: skip
