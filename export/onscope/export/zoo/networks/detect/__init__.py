"""Networks that find objects one by one: regions are proposed, cut out, classified and outlined inside of the graph."""

from .boxes import anchors, decoded
from .operators import nms, roi_align
from .proposals import RegionProposals
from .pyramid import FeaturePyramid
from .rcnn import FasterRcnn, MaskRcnn

__all__ = [
    "FasterRcnn",
    "FeaturePyramid",
    "MaskRcnn",
    "RegionProposals",
    "anchors",
    "decoded",
    "nms",
    "roi_align",
]
