"""Faster R-CNN on a feature pyramid with few features, with seeded weights: boxes of objects, found in the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._seeded_boxes import DETECTIONS, NUMBERS, objects_told_apart

if TYPE_CHECKING:
    from torch import nn


def _network() -> nn.Module:
    from ...networks.detect import FasterRcnn

    return FasterRcnn(**NUMBERS)


SYSTEM = objects_told_apart(
    "faster-rcnn",
    _network,
    "Faster R-CNN on a ResNet-18 and a feature pyramid with few features: boxes, classes and scores of objects",
    f"The graph proposes regions, cuts them out, classifies them and suppresses doubles: float32 (1, {DETECTIONS}, 6), "
    "a row per candidate, zeros where there is none. The decoder `boxes` makes a table of as many rows as there are.",
    (
        {
            "text": "S. Ren, K. He, R. Girshick, J. Sun, Faster R-CNN: towards real-time object detection with region "
            "proposal networks, NeurIPS 2015",
            "doi": "10.48550/arXiv.1506.01497",
        },
        {
            "text": "T.-Y. Lin et al., Feature pyramid networks for object detection, CVPR 2017",
            "doi": "10.1109/CVPR.2017.106",
        },
    ),
    tags=("boxes", "faster-rcnn", "resnet"),
)
