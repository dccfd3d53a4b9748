"""A microscope in the hands of feedback: actions as calls to a Micro-Manager core, in an order that is safe.

with specimen.open(scene) as scope:
    controller = CoreController(scope, calibration_of(scope))
    for result in runtime.stream(controller.live(exposure_ms=20)):
        ...
"""

from ._calibrate_slm import calibrate_slm
from ._calibration import Calibration, HeartbeatLine, LightOutput, Line, Put, SlmOutput, Stages
from ._controller import CoreController
from ._focus import best_focus, sharpness
from ._heartbeat import Heartbeat
from ._of_specimen import calibration_of
from ._steered import SteeredSource

__all__ = [
    "Calibration",
    "CoreController",
    "Heartbeat",
    "HeartbeatLine",
    "LightOutput",
    "Line",
    "Put",
    "SlmOutput",
    "Stages",
    "SteeredSource",
    "best_focus",
    "calibrate_slm",
    "calibration_of",
    "sharpness",
]
