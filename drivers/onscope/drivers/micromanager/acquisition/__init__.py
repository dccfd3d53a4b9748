"""Steering acquisitions that run: what actions ask for is queued among the frames of the routine.

controller = MdaController(mmc, sequence, calibration)                    # pymmcore-plus
controller.run()

controller = AcquisitionController(Core(), events, calibration)           # pycro-manager
with Acquisition(..., notification_callback_fn=controller.notified) as acquisition:
    controller.run(acquisition)
"""

from __future__ import annotations

from ._account import Frames
from ._acquisition import AcquisitionController
from ._mda import MdaController
from ._routine import Routine, of_dicts, of_useq, plain
from ._snake import SnakeCore

__all__ = ["AcquisitionController", "Frames", "MdaController", "Routine", "SnakeCore", "of_dicts", "of_useq", "plain"]
