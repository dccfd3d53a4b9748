"""How a camera's pixels lie to the stage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ..._frame import Pixels

Length = TypeVar("Length", float, npt.NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class AimSettings:
    """The way from pixels to micrometres of the stage.

    A pixel's place is where the stage would have to stand for it to be on the optical axis. Columns and rows from the
    frame's middle count along x and y of the stage, or along y and x with `swap_xy`; then x is turned round by
    `flip_x`, y by `flip_y`. `off_axis_px` (y, x) is how far the frame's middle lies from the optical
    axis, in pixels of the frame: of a region of the sensor that is not around its middle.
    """

    flip_x: bool = False
    flip_y: bool = False
    swap_xy: bool = False
    off_axis_px: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if len(self.off_axis_px) != 2 or not all(map(math.isfinite, self.off_axis_px)):
            raise RuleError(f"found off_axis_px {self.off_axis_px}, expected how far y and x are off, in pixels")

    def on_stage(self, dy_px: Length, dx_px: Length, pixel_um: float) -> tuple[Length, Length]:
        """How far (x_um, y_um) on the stage so many rows and columns are."""
        along_x, along_y = (dy_px, dx_px) if self.swap_xy else (dx_px, dy_px)
        return (-along_x if self.flip_x else along_x) * pixel_um, (-along_y if self.flip_y else along_y) * pixel_um

    def in_frame(self, dx_um: float, dy_um: float, pixel_um: float) -> tuple[float, float]:
        """How many rows and columns (dy_px, dx_px) so many micrometres on the stage are."""
        along_x, along_y = (-dx_um if self.flip_x else dx_um) / pixel_um, (-dy_um if self.flip_y else dy_um) / pixel_um
        return (along_x, along_y) if self.swap_xy else (along_y, along_x)

    def turned(self, image: Pixels) -> Pixels:
        """An image whose rows follow y of the stage and whose columns follow x, of one that lies as the frame does."""
        turned = image.T if self.swap_xy else image
        turned = turned[::-1] if self.flip_y else turned
        return np.ascontiguousarray(turned[:, ::-1] if self.flip_x else turned)


STRAIGHT = AimSettings()
"""Columns along x and rows along y, as the simulated microscope has them."""
