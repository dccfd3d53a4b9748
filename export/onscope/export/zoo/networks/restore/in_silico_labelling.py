"""In-silico labelling: towers at several scales that predict, for each label, a distribution of 256 values per pixel.

E. M. Christiansen et al., "In silico labeling: predicting fluorescent labels in unlabeled images", Cell 173, 792
(2018), doi:10.1016/j.cell.2018.03.040. Layers and widths follow the paper's public code ("concordance"): unpadded
modules of a 3x3 and a 1x1 convolution, each behind a batch norm and both ReLU and tanh, added to their input; towers
that work at full size over 1, 2, 4, 8 and 16, all of one length; more modules on what all towers found; and a head for
each label.

What differs: the network is fully convolutional and repeats the outermost pixels around the stack, so that the answer
has the frame's size (the code answers 8x8 pixels of a patch of 250x250); and the value that is shown is the median read
between the bins, since a median of whole bins would jump with the rounding of the arithmetic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._minception import Activated, Module, depth_at, tower

BINS = 256
PROJECTED = 16
"""Channels that the planes are mixed to before the first module."""
ANSWERED = 8
"""Pixels per side that one patch of the paper answers; widths follow from the sizes that such a patch has."""
UPPER = 14
"""Modules on the joined towers, in the paper."""


class InSilicoLabelling(nn.Module):
    """float32 stacks (b, `planes`, y, x) from 0 to 1 to `labels` images (b, `labels`, y, x) from 0 to 1.

    y and x are at least 8. `base_depth` is the paper's measure of width: what a layer of one pixel would have; a layer
    of n pixels has an n-th of it. `upper` modules work on the joined towers, which are the longer the more they are.
    """

    def __init__(
        self,
        planes: int = 13,
        labels: int = 8,
        base_depth: int = 400,
        scales: int = 5,
        upper: int = UPPER,
        bins: int = BINS,
    ) -> None:
        super().__init__()
        self.scales, self.labels = scales, labels
        longest = 4 * (scales - 1) + 2
        joined = ANSWERED + 2 * upper
        self.project = nn.Conv2d(planes, PROJECTED, 1)
        self.towers = nn.ModuleList()
        inputs, self.views = 0, []
        for scale in range(scales):
            layers, seen, outputs = tower(PROJECTED, scale, longest - 4 * scale, joined, base_depth)
            self.towers.append(layers)
            self.views.append(seen)
            inputs += outputs
        above: list[Module] = []
        for size in range(joined - 2, ANSWERED - 1, -2):
            above.append(Module(inputs, *depth_at(base_depth, size)))
            inputs = above[-1].outputs
        self.upper = nn.Sequential(*above)
        self.heads = nn.ModuleList(Activated(inputs, nn.Conv2d(2 * inputs, bins, 1)) for _ in range(labels))

    def forward(self, stack: Tensor) -> Tensor:
        """The median of each pixel's distribution, as a share of the largest value."""
        return torch.cat([median(torch.softmax(one, dim=1)) for one in self.logits(stack)], dim=1)

    def logits(self, stack: Tensor) -> list[Tensor]:
        """For each label (b, `bins`, y, x): what training holds against the bins of the true image."""
        y, x = stack.shape[2], stack.shape[3]
        features = self.upper(self.joined(self.project(self._surrounded(stack))))
        return [head(features)[:, :, :y, :x] for head in self.heads]

    def joined(self, projected: Tensor) -> Tensor:
        """The towers' answers, side by side: each sees the middle of what the largest one sees."""
        answers = []
        for layers, view in zip(self.towers, self.views, strict=True):
            rim = (self.views[-1] - view) // 2
            y, x = projected.shape[2], projected.shape[3]
            answers.append(layers(projected[:, :, rim : y - rim, rim : x - rim]))
        return torch.cat(answers, dim=1)

    def _surrounded(self, stack: Tensor) -> Tensor:
        """With the rim that the unpadded modules take away, and more below and right up to sizes that can be halved."""
        step = 2 ** (self.scales - 1)
        rim = (self.views[-1] - ANSWERED) // 2
        y, x = stack.shape[2], stack.shape[3]
        below = (y - ANSWERED + step - 1) // step * step + ANSWERED - y
        right = (x - ANSWERED + step - 1) // step * step + ANSWERED - x
        return functional.pad(stack, (rim, rim + right, rim, rim + below), mode="replicate")


def median(shares: Tensor) -> Tensor:
    """(b, bins, y, x) that add up to 1 to (b, 1, y, x): where half of them lie below; the first bin is 0, the last 1.

    Within a bin its share counts as spread evenly.
    """
    below = torch.cumsum(shares, dim=1) - shares
    bins = ((0.5 - below) / shares.clamp(min=1e-12)).clamp(0, 1).sum(dim=1, keepdim=True)
    last = shares.shape[1] - 1
    return (bins - 0.5).clamp(0, last) / last
