"""DeepLabv3+ on a ResNet-18 at an eighth of its features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_pixels import CLASSES, pixels_told_apart

if TYPE_CHECKING:
    from torch import nn


def _network() -> nn.Module:
    from ...networks.segment import DeepLabV3Plus

    return DeepLabV3Plus(1, len(CLASSES), depth=18, width=8, features=32, fine=8)


SYSTEM = pixels_told_apart(
    "deeplab",
    _network,
    "DeepLabv3+ on a ResNet-18 with an eighth of its features: dilated separable convolutions at several rates",
    {
        "text": "L.-C. Chen et al., Encoder-decoder with atrous separable convolution for semantic image segmentation, "
        "ECCV 2018",
        "doi": "10.1007/978-3-030-01234-2_49",
    },
    tags=("deeplab",),
)
