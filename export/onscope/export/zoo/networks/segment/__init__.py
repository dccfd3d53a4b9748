"""Networks that answer for each pixel: classes, probabilities, heat maps of key points."""

from .unet import UNet, touching_weights

__all__ = [
    "UNet",
    "touching_weights",
]
