"""Networks that answer for each pixel: classes, probabilities, heat maps of key points."""

from .deeplab import AtrousPyramid, DeepLabV3Plus
from .fcn import Fcn
from .scpp import ScppNet
from .segnet import SegNet
from .unet import UNet, touching_weights

__all__ = [
    "AtrousPyramid",
    "DeepLabV3Plus",
    "Fcn",
    "ScppNet",
    "SegNet",
    "UNet",
    "touching_weights",
]
