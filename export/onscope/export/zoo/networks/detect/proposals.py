"""Region proposals: where there might be an object of any class.

S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN", NeurIPS 2015, arXiv:1506.01497; on a feature pyramid: T.-Y. Lin et
al., arXiv:1612.03144.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .boxes import MISSING, RATIOS, THIN, anchors, best, clipped, decoded
from .operators import nms
from .pyramid import STRIDES


class RegionProposals(nn.Module):
    """Maps of a pyramid and the frame (b, c, y, x) to boxes (b, `count`, 4) and their scores (b, `count`).

    Scores are logits; where there are fewer boxes, rows are zeros with a score of MISSING. Of each map the
    `candidates` best boxes of `sizes` (one per map) are looked at, and those go that overlap better ones by more than
    `overlap`.
    """

    def __init__(
        self, features: int = 256, sizes: Sequence[float] = (32, 64, 128, 256, 512), candidates: int = 1000,
        count: int = 1000, overlap: float = 0.7,
    ) -> None:  # fmt: skip
        super().__init__()
        if len(sizes) != len(STRIDES):
            raise ValueError(f"found {len(sizes)} sizes of boxes, expected {len(STRIDES)}: one per map")
        self.sizes, self.candidates, self.count, self.overlap = tuple(sizes), candidates, count, overlap
        self.shared = nn.Conv2d(features, features, 3, padding=1)
        self.score = nn.Conv2d(features, len(RATIOS), 1)
        self.change = nn.Conv2d(features, 4 * len(RATIOS), 1)
        for layer in (self.shared, self.score, self.change):
            nn.init.normal_(layer.weight, std=0.01)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, maps: Sequence[Tensor], frame: Tensor) -> tuple[Tensor, Tensor]:
        scores, boxes = [], []
        for one, stride, size in zip(maps, STRIDES, self.sizes, strict=True):
            logits, changes = self.raw(one)
            moved = clipped(decoded(anchors(one, stride, size), changes), frame)
            own, chosen = best(logits, moved, self.candidates)
            solid = (chosen[..., 2:] - chosen[..., :2]).amin(dim=2) > THIN
            stays = nms(chosen, own, self.overlap) & solid
            scores.append(torch.where(stays, own, torch.full_like(own, MISSING)))
            boxes.append(chosen)
        found, chosen = best(torch.cat(scores, dim=1), torch.cat(boxes, dim=1), self.count)
        there = (found > MISSING / 2)[..., None]
        return torch.where(there, chosen, torch.zeros_like(chosen)), found

    def raw(self, one: Tensor) -> tuple[Tensor, Tensor]:
        """Of a map: logits (b, n) and changes (b, n, 4) of the boxes around its places, as training needs them."""
        x = torch.relu(self.shared(one))
        changes = self.change(x).unflatten(1, (len(RATIOS), 4)).permute(0, 3, 4, 1, 2)
        return self.score(x).permute(0, 2, 3, 1).flatten(1), changes.flatten(1, 3)
