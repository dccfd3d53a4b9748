"""Where a frame and its pixels are on the stage."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..._errors import RuleError
from ..._frame import Frame
from .._controller import Setting
from ._settings import AimSettings


@dataclass(frozen=True, slots=True)
class FramePlace:
    """A frame on the stage: `x_um`, `y_um` as commanded when it was taken, `pixel_um`, and its `shape` (y, x)."""

    x_um: float
    y_um: float
    pixel_um: float
    shape: tuple[int, int]
    settings: AimSettings

    @classmethod
    def of(cls, frame: Frame, setting: Setting, settings: AimSettings) -> FramePlace:
        """Of a frame; what it does not tell is as the microscope stood then. Raises RuleError where neither is known.

        A microscope without an XY stage is at (0, 0).
        """
        x_um, y_um = _stage(frame, setting)
        pixel_um = frame.pixel_size_um if frame.pixel_size_um is not None else setting.pixel_um
        if pixel_um is None or not (math.isfinite(pixel_um) and pixel_um > 0):
            raise RuleError(
                f"found a frame with pixels of {pixel_um} um, expected their size in the sample: calibrate it"
            )
        height, width = (*frame.pixels.shape[:2], 0, 0)[:2]
        shape = (int(height), int(width)) if height and width else setting.shape
        if shape is None:
            raise RuleError("found a frame without pixels, expected its shape: tell it in the setting")
        return cls(x_um, y_um, pixel_um, shape, settings)

    def from_middle(self, y: float, x: float) -> tuple[float, float]:
        """How far (dx_um, dy_um) on the stage a pixel is from the frame's middle."""
        if not (math.isfinite(y) and math.isfinite(x)):
            raise RuleError(f"found an object at y {y}, x {x}, expected finite numbers: look at what found it")
        height, width = self.shape
        return self.settings.on_stage(y - (height - 1) / 2, x - (width - 1) / 2, self.pixel_um)

    @property
    def middle(self) -> tuple[float, float]:
        """(x_um, y_um) of the sample under the frame's middle."""
        dx_um, dy_um = self.settings.on_stage(*self.settings.off_axis_px, self.pixel_um)
        return self.x_um + dx_um, self.y_um + dy_um


def _stage(frame: Frame, setting: Setting) -> tuple[float, float]:
    if frame.stage_um is not None:
        x_um, y_um = frame.stage_um[:2]
    elif setting.x_um is not None and setting.y_um is not None:
        x_um, y_um = setting.x_um, setting.y_um
    elif setting.x_um is None and setting.y_um is None:
        x_um = y_um = 0.0
    else:
        x_um = y_um = math.nan
    if not (math.isfinite(x_um) and math.isfinite(y_um)):
        raise RuleError(f"found a frame at x {x_um}, y {y_um} um of the stage, expected where it was: read the stage")
    return float(x_um), float(y_um)
