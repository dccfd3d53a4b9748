"""A camera's calibration: read from files, carried out at the head of a graph, and in NumPy to compare with."""

from ._calibration import Calibration, affine, calibrate, calibrated, calibration_files, is_affine, load_calibration

__all__ = [
    "Calibration",
    "affine",
    "calibrate",
    "calibrated",
    "calibration_files",
    "is_affine",
    "load_calibration",
]
