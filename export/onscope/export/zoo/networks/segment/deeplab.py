"""DeepLabv3+: a ResNet with dilation, a pyramid of dilated separable convolutions, and a small decoder.

L.-C. Chen, Y. Zhu, G. Papandreou, F. Schroff, H. Adam, "Encoder-decoder with atrous separable convolution for semantic
image segmentation", ECCV 2018, arXiv:1802.02611.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..classify.resnet import ResNetBody

RATES = (6, 12, 18)
"""Dilations at an output stride of 16; twice as large at 8."""
DROPPED = 0.1


class DeepLabV3Plus(nn.Module):
    """float32 (b, inputs, y, x) in, float32 logits (b, classes, y, x) out, any y and x of at least 32.

    The paper's: 3 inputs, 21 classes, 256 features in the pyramid and the decoder, 48 of the fine map; a ResNet (here
    of `depth` 50 and `width` 64), at an `output_stride` of 16 or 8. Maps are enlarged bilinearly between the middles of
    pixels (the paper's: corners aligned). Separable convolutions have one normalisation, behind both parts.
    """

    def __init__(
        self, inputs: int = 3, classes: int = 21, depth: int = 50, width: int = 64, output_stride: int = 16,
        features: int = 256, fine: int = 48,
    ) -> None:  # fmt: skip
        super().__init__()
        self.body = ResNetBody(depth, inputs, width, output_stride)
        self.pyramid = AtrousPyramid(self.body.channels[-1], features, [rate * 16 // output_stride for rate in RATES])
        self.fine = _step(self.body.channels[0], fine)
        self.decoder = nn.Sequential(separable(fine + features, features), separable(features, features))
        self.last = nn.Conv2d(features, classes, 1)

    def forward(self, frame: Tensor) -> Tensor:
        maps = self.body(frame)
        fine = self.fine(maps[0])
        x = torch.cat((_enlarged(self.pyramid(maps[-1]), fine), fine), dim=1)
        return _enlarged(self.last(self.decoder(x)), frame)


class AtrousPyramid(nn.Module):
    """What is seen of a map (b, inputs, y, x) at several dilations, and of its mean: (b, features, y, x)."""

    def __init__(self, inputs: int, features: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.one = _step(inputs, features)
        self.dilated = nn.ModuleList(separable(inputs, features, rate) for rate in rates)
        self.whole = _step(inputs, features)
        self.last = nn.Sequential(_step((2 + len(rates)) * features, features), nn.Dropout(DROPPED))

    def forward(self, x: Tensor) -> Tensor:
        whole = self.whole(x.mean(dim=(2, 3), keepdim=True)).expand(-1, -1, x.shape[2], x.shape[3])
        return self.last(torch.cat((self.one(x), *(one(x) for one in self.dilated), whole), dim=1))  # type: ignore[no-any-return]


def separable(inputs: int, outputs: int, rate: int = 1) -> nn.Sequential:
    """A 3x3 convolution of each channel by itself, one 1x1 of all, normalisation and a rectifier."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=rate, dilation=rate, groups=inputs, bias=False), *_step(inputs, outputs)
    )


def _step(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, size=(like.shape[2], like.shape[3]), mode="bilinear", align_corners=False)
