"""From what a rule wishes to what the microscope is told: places on the stage, exposures, masks of light."""

from ._aim import aim
from ._mask import lit
from ._place import FramePlace
from ._settings import STRAIGHT, AimSettings

__all__ = ["STRAIGHT", "AimSettings", "FramePlace", "aim", "lit"]
