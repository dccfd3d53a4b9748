"""How far to trust a restored image: numbers per frame from the raw frame and the answer, cheap enough to be live.

Pure NumPy and OpenCV. Arrays are raw (y, x) and restored (y', x'), with as many pixels or a whole multiple of them.
"""

from ._choice import AUTO, OFF, TrustChoice, parse_trust
from ._disagreement import disagreement
from ._error_map import ErrorMap, error_map, resolution_scaled, scaled_error
from ._patches import SIDE, Patches
from ._reference import VALUES, Limits, Reference, fit_reference, limited, reference_from
from ._residual import noise_of, residual_values, restores
from ._statistics import STATISTICS, input_statistics
from ._values import SUSPICION, values_of

__all__ = [
    "AUTO",
    "OFF",
    "SIDE",
    "STATISTICS",
    "SUSPICION",
    "VALUES",
    "ErrorMap",
    "Limits",
    "Patches",
    "Reference",
    "TrustChoice",
    "disagreement",
    "error_map",
    "fit_reference",
    "input_statistics",
    "limited",
    "noise_of",
    "parse_trust",
    "reference_from",
    "residual_values",
    "resolution_scaled",
    "restores",
    "scaled_error",
    "values_of",
]
