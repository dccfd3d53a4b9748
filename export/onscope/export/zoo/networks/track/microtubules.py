"""Recurrent attention: microtubules one by one, each found where the network looks next, until none is left.

S. Masoudi, A. Razi, C. H. G. Wright, J. C. Gatlin, U. Bagci, "Instance-level microtubule tracking", IEEE Transactions
on Medical Imaging 39, 2061 (2020), arXiv:1901.06006: in each step a recurrent network answers with the mask of a region
of attention, the mask of one instance in it and a score; instances of successive frames are then assigned to each
other (here by the stages `measure` and `track`). Frames before the newest are given with it, which the paper shows
to matter.

What differs: the paper's layers and sizes are not known here. The region of attention is where a memory that is
convolved with what was seen (X. Shi et al., "Convolutional LSTM network", NeurIPS 2015, arXiv:1506.04214) says so, all
of it as images, so that frames may have any size; and the number of steps is fixed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4
"""Pixels per place of the memory."""


class RecurrentAttention(nn.Module):
    """float32 windows (b, `frames`, y, x), the newest last, to instances (b, `instances`, y, x); y, x multiples of 4.

    An instance is a mask from 0 to 1 times its score; those that are not there stay near 0. `features` at full size.
    Instances have no order: in training each is held against the true one that an assignment gives it.
    """

    def __init__(self, frames: int = 2, instances: int = 16, features: int = 16) -> None:
        super().__init__()
        f = features
        self.instances = instances
        self.fine = _pair(frames, f)
        self.coarse = nn.Sequential(nn.MaxPool2d(2), _pair(f, 2 * f), nn.MaxPool2d(2), _pair(2 * f, 4 * f))
        # What was found already is seen in each step: at full size by the mask, at the memory's by where to look next.
        self.gates = nn.Conv2d(4 * f + 1 + 4 * f, 16 * f, 3, padding=1)
        self.attend = nn.Conv2d(4 * f, 1, 1)
        self.deep = nn.Conv2d(4 * f, f, 1)
        self.mask = nn.Sequential(_pair(2 * f + 2, f), nn.Conv2d(f, 1, 1))
        self.score = nn.Linear(4 * f, 1)

    def forward(self, window: Tensor) -> Tensor:
        masks, scores, _ = self.steps(window)
        return masks * scores[:, :, None, None]

    def steps(self, window: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Masks (b, n, y, x), scores (b, n) and regions of attention (b, n, y / 4, x / 4), all from 0 to 1."""
        fine = self.fine(window)
        coarse = self.coarse(fine)
        found = torch.zeros_like(window[:, :1])
        hidden = cell = torch.zeros_like(coarse)
        masks, scores, regions = [], [], []
        for _ in range(self.instances):
            seen = functional.avg_pool2d(found, STRIDE)
            take, keep, give, new = self.gates(torch.cat((coarse, seen, hidden), dim=1)).chunk(4, dim=1)
            cell = torch.sigmoid(keep + 1) * cell + torch.sigmoid(take) * torch.tanh(new)
            hidden = torch.sigmoid(give) * torch.tanh(cell)
            region = torch.sigmoid(self.attend(hidden))
            weights = region / region.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
            scores.append(torch.sigmoid(self.score((weights * hidden).sum(dim=(2, 3)))))
            deep = _enlarged(torch.relu(self.deep(hidden)))
            where = _enlarged(region)
            mask = torch.sigmoid(self.mask(torch.cat((fine, deep, where, found), dim=1))) * where
            found = torch.maximum(found, mask)
            masks.append(mask)
            regions.append(region)
        return torch.cat(masks, dim=1), torch.cat(scores, dim=1), torch.cat(regions, dim=1)


def _enlarged(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=float(STRIDE), mode="bilinear", align_corners=False)


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (inputs, outputs):
        layers += [nn.Conv2d(before, outputs, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
