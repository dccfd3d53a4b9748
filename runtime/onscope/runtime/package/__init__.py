"""Model packages: BioImage.IO descriptions with their weights, opened and checked before anything runs."""

from ._files import load_npy
from ._package import AxisSize, Package, TensorDescription, Tolerance
from ._points import pair_points
from ._proof import Agreement, prove

__all__ = [
    "Agreement",
    "AxisSize",
    "Package",
    "TensorDescription",
    "Tolerance",
    "load_npy",
    "pair_points",
    "prove",
]
