"""A frame as a row of the table `frames` tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._frame import Frame, Pixels
from ._who import id_of


def frame_of(known: Mapping[str, Any], pixels: Pixels, axes: str, position: Any, labels: Any) -> Frame:
    """With the identity and the times that it was recorded with; `position` and `labels` are those of the row, read."""
    stage = (known["stage_x_um"], known["stage_y_um"], known["stage_z_um"])
    return Frame(
        id_of(known),
        pixels,
        axes,
        position,
        known["received_ns"],
        known["exposure_end_ns"],
        known["pixel_size_um"],
        known["exposure_ms"],
        None if None in stage else stage,
        labels,
    )
