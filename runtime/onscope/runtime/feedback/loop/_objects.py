"""Where tracked objects are, told to the book of doses: light that falls on their places is theirs."""

from __future__ import annotations

from ..._result import Result
from .._controller import Setting
from ..aim import AimSettings
from ..dose import DoseBook


def tell_objects(doses: DoseBook, result: Result, setting: Setting, aim: AimSettings) -> None:
    """Those of the first of a result's tables that has tracks and places; nothing where the stage is not known."""
    frame = result.frame
    pixel_um = frame.pixel_size_um or setting.pixel_um
    stage = frame.stage_um or (setting.x_um, setting.y_um)
    x_um, y_um = stage[:2]
    if pixel_um is None or x_um is None or y_um is None:
        return
    for table in result.answers.values():
        if table.dtype.names is not None and {"track", "y", "x"} <= set(table.dtype.names):
            shape = (int(frame.pixels.shape[0]), int(frame.pixels.shape[1]))
            doses.objects(frame, table["track"], table["y"], table["x"], pixel_um, (x_um, y_um), shape=shape, aim=aim)
            return
