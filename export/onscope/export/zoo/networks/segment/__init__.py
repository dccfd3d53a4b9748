"""Networks that answer for each pixel: classes, probabilities, heat maps of key points."""

from .fcn import Fcn
from .segnet import SegNet
from .unet import UNet, touching_weights

__all__ = [
    "Fcn",
    "SegNet",
    "UNet",
    "touching_weights",
]
