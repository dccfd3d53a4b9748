"""Variants of a package in fewer bits (fp16, int8), proven against its float weights and measured.

Imports onnxruntime.quantization when used.
"""

from ._calibrate import form_of
from ._judge import LIMITS, Measured
from ._progress import Bars
from ._reduce import reduce_package
from ._report import VariantReport
from ._speed import Timed, speeds
from ._write import no_files

__all__ = [
    "LIMITS",
    "Bars",
    "Measured",
    "Timed",
    "VariantReport",
    "form_of",
    "no_files",
    "reduce_package",
    "speeds",
]
