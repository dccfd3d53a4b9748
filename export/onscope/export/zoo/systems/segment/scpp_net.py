"""SCPP-Net at an eighth of its features, with seeded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_pixels import pixels_told_apart

if TYPE_CHECKING:
    from torch import nn


def _network() -> nn.Module:
    from ...networks.segment import ScppNet

    return ScppNet(1, width=4)


SYSTEM = pixels_told_apart(
    "scpp-net",
    _network,
    "SCPP-Net with an eighth of its features: a pyramid of dilated separable convolutions, for histopathology",
    {
        "text": "A. K. Chanchal, A. Kumar, S. Lal, J. Kini, Efficient and robust deep learning architecture for "
        "segmentation of kidney and breast histopathology images, Computers & Electrical Engineering 92, 107177 (2021)",
        "doi": "10.1016/j.compeleceng.2021.107177",
    },
    tags=("histopathology", "scpp-net"),
    minimum=16,
    step=16,
    settings={"threshold": 0.5},
)
