"""Variants of a package in fewer bits (fp16, int8), proven against its float weights and measured.

Imports onnxruntime.quantization when used.
"""

from ._judge import LIMITS, Measured
from ._reduce import reduce_package
from ._report import VariantReport
from ._speed import Timed, speeds

__all__ = ["LIMITS", "Measured", "Timed", "VariantReport", "reduce_package", "speeds"]
