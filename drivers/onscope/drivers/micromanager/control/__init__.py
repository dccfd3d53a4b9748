"""A microscope in the hands of feedback: actions as calls to a Micro-Manager core, in an order that is safe.

with specimen.open(scene) as scope:
    controller = CoreController(scope, calibration_of(scope))
    for result in runtime.stream(controller.live(exposure_ms=20)):
        ...
"""

from ._calibration import Calibration, LightOutput, Line, Put, SlmOutput, Stages
from ._controller import CoreController
from ._of_specimen import calibration_of
from ._steered import SteeredSource

__all__ = [
    "Calibration",
    "CoreController",
    "LightOutput",
    "Line",
    "Put",
    "SlmOutput",
    "Stages",
    "SteeredSource",
    "calibration_of",
]
