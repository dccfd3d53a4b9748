"""SegNet at an eighth of its features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_pixels import CLASSES, pixels_told_apart

if TYPE_CHECKING:
    from torch import nn


def _network() -> nn.Module:
    from ...networks.segment import SegNet

    return SegNet(1, len(CLASSES), width=8)


SYSTEM = pixels_told_apart(
    "segnet",
    _network,
    "SegNet with an eighth of its features: values are put back where max pooling took them from",
    {
        "text": "V. Badrinarayanan, A. Kendall, R. Cipolla, SegNet: a deep convolutional encoder-decoder architecture "
        "for image segmentation, IEEE TPAMI 39, 2481 (2017)",
        "doi": "10.1109/TPAMI.2016.2644615",
    },
    tags=("segnet",),
)
