"""FCN-8s at an eighth of its features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_pixels import CLASSES, pixels_told_apart

if TYPE_CHECKING:
    from torch import nn


def _network() -> nn.Module:
    from ...networks.segment import Fcn

    return Fcn(8, 1, len(CLASSES), width=8, hidden=64)


SYSTEM = pixels_told_apart(
    "fcn",
    _network,
    "FCN-8s with an eighth of its features: VGG-16 as convolutions, and scores of three sizes that are added",
    {
        "text": "J. Long, E. Shelhamer, T. Darrell, Fully convolutional networks for semantic segmentation, CVPR 2015",
        "doi": "10.1109/CVPR.2015.7298965",
    },
    tags=("fcn",),
    name="fcn-8s",
)
