"""Networks that answer for each pixel: classes, probabilities, heat maps of key points."""

from .cdeep3m import CDeep3M
from .cellpose import Cellpose
from .deeplab import AtrousPyramid, DeepLabV3Plus
from .deeplabcut import DeepLabCut
from .fcn import Fcn
from .leap import Leap
from .scpp import ScppNet
from .segnet import SegNet
from .unet import UNet, touching_weights

__all__ = [
    "AtrousPyramid",
    "CDeep3M",
    "Cellpose",
    "DeepLabCut",
    "DeepLabV3Plus",
    "Fcn",
    "Leap",
    "ScppNet",
    "SegNet",
    "UNet",
    "touching_weights",
]
