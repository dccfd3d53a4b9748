"""Mask R-CNN on a feature pyramid with few features, with seeded weights: single objects and their masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_boxes import DETECTIONS, NUMBERS, SIDE, objects_told_apart

if TYPE_CHECKING:
    from torch import nn

MASK = 28
"""Rows and columns of a candidate's mask."""


def _network() -> nn.Module:
    from ...networks.detect import MaskRcnn

    return MaskRcnn(**NUMBERS)


SYSTEM = objects_told_apart(
    "mask-rcnn",
    _network,
    "Mask R-CNN on a ResNet-18 and a feature pyramid with few features: single objects, with their outlines",
    f"The graph answers float32 (1, {DETECTIONS}, {6 + MASK**2}): a row per candidate with box, class and score, and "
    f"its mask of {MASK}x{MASK} in the box, zeros where there is none. The decoder `boxes` lays the masks into a label "
    f"image of {SIDE}x{SIDE} pixels, which is the one size that is taken: the export of a network for all sizes takes "
    "a minute more, and the image of masks has one size in any case.",
    (
        {
            "text": "K. He, G. Gkioxari, P. Dollar, R. Girshick, Mask R-CNN, ICCV 2017",
            "doi": "10.1109/ICCV.2017.322",
        },
    ),
    tags=("instance-segmentation", "masks", "mask-rcnn", "resnet"),
    settings={"masks": [MASK, MASK], "size": [SIDE, SIDE]},
    fixed=True,
)
