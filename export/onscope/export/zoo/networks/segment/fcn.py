"""FCN-32s, FCN-16s and FCN-8s: VGG-16 whose last layers are convolutions, and scores that are enlarged.

J. Long, E. Shelhamer, T. Darrell, "Fully convolutional networks for semantic segmentation", CVPR 2015,
arXiv:1411.4038.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..classify.vgg import CONVOLUTIONS, DROPPED, stages, widths

BORDER = 100
"""Pixels of zeros around the frame, with which frames of every size have something left behind the 7x7 layer."""
FINAL = {32: 19, 16: 27, 8: 31}
"""Where the frame begins in the enlarged scores, by their stride."""
AT_POOL4, AT_POOL3 = 5, 9
"""Where the coarser scores begin in those of pools 4 and 3."""


class Fcn(nn.Module):
    """float32 (b, inputs, y, x) in, float32 logits (b, classes, y, x) out, any y and x.

    `stride` 32, 16 or 8 is the paper's FCN-32s, -16s, -8s. The paper's: 3 inputs, 21 classes, 64 features at full size,
    4096 in the layers that were fully connected. Enlarging begins as bilinear interpolation; here all of it may be
    learned, of the paper's the last one stays as it is.
    """

    def __init__(
        self, stride: int = 8, inputs: int = 3, classes: int = 21, width: int = 64, hidden: int = 4096
    ) -> None:
        super().__init__()
        channels = widths(width)
        self.stride = stride
        self.stages = stages(inputs, channels, CONVOLUTIONS[16], padding=BORDER)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.hidden = nn.Sequential(
            nn.Conv2d(channels[-1], hidden, 7),
            nn.ReLU(inplace=True),
            nn.Dropout2d(DROPPED),
            nn.Conv2d(hidden, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Dropout2d(DROPPED),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.score = nn.Conv2d(hidden, classes, 1)
        self.score4 = nn.Conv2d(channels[3], classes, 1) if stride < 32 else None
        self.score3 = nn.Conv2d(channels[2], classes, 1) if stride < 16 else None
        self.up4 = enlarging(classes, 2) if stride < 32 else None
        self.up3 = enlarging(classes, 2) if stride < 16 else None
        self.last = enlarging(classes, stride)

    def forward(self, frame: Tensor) -> Tensor:
        x, pools = frame, []
        for one in self.stages:
            x = self.pool(one(x))
            pools.append(x)
        x = self.score(self.hidden(x))
        if self.score4 is not None and self.up4 is not None:
            x = self.up4(x)
            x = x + _cut(self.score4(pools[3]), x, AT_POOL4)
        if self.score3 is not None and self.up3 is not None:
            x = self.up3(x)
            x = x + _cut(self.score3(pools[2]), x, AT_POOL3)
        return _cut(self.last(x), frame, FINAL[self.stride])


def enlarging(classes: int, factor: int) -> nn.ConvTranspose2d:
    """A transposed convolution that begins as bilinear interpolation of each class."""
    layer = nn.ConvTranspose2d(classes, classes, 2 * factor, stride=factor, bias=False)
    ramp = 1 - (torch.arange(2 * factor) - (factor - 0.5)).abs() / factor
    with torch.no_grad():
        layer.weight.copy_(torch.eye(classes)[:, :, None, None] * (ramp[:, None] * ramp))
    return layer


def _cut(x: Tensor, like: Tensor, start: int) -> Tensor:
    return x[:, :, start : start + like.shape[2], start : start + like.shape[3]]
