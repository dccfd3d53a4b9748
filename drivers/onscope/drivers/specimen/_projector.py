"""The SLM's image, as it falls on the sample: mirrors to micrometres to the camera's pixels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.specimen import View

from ._hardware import Objective, SlmModel
from ._scene import Beam, Projection

Array = npt.NDArray[Any]
FULL = 255
"""The grey value of a mirror that is always on (8 bit, by pulse-width modulation as in TI's DLP controllers)."""


class Projector:
    """A micromirror array in the path of all sources but the transmitted lamp; guarded by the bench's lock.

    Before the first image all mirrors are on. Outside of the array no light falls.
    """

    def __init__(self, model: SlmModel) -> None:
        self._model = model
        self._image = np.full(model.shape, FULL, np.uint8)
        self._until_s = math.inf
        self._projections: dict[Objective, Projection] = {}
        self._masks: dict[tuple[object, ...], npt.NDArray[np.float32] | None] = {}

    def show(self, image: object, now_s: float, for_s: float | None) -> None:
        """`image`: uint8 of the model's shape; dark after `for_s` seconds, where given."""
        self._until_s = math.inf if for_s is None else now_s + for_s
        self._image = np.array(image, dtype=np.uint8)
        self._projections.clear()

    def ends_between(self, begin_s: float, end_s: float) -> bool:
        """Whether the image goes dark in this interval."""
        return begin_s < self._until_s <= end_s

    def masked(
        self,
        beams: tuple[Beam, ...],
        view: View,
        off_um: tuple[float, float],
        objective: Objective,
        begin_s: float,
        exposure_s: float,
    ) -> tuple[Beam, ...]:
        """The beams as they come from the mirrors; `off_um` is the view's middle (y, x) as seen from the optical axis.

        An image that is shown for a part of the exposure shortens the light; what was shown before it counts as this
        image from the exposure's begin on.
        """
        shown_s = min(begin_s + exposure_s, self._until_s) - begin_s
        found = []
        for beam in beams:
            if beam.source.transmitted:
                found.append(beam)
            elif shown_s > 0:
                projection = self._projections.get(objective)
                if projection is None:
                    projection = self._projections[objective] = projected(self._model, self._image, objective)
                mask = self._seen(projection, view, off_um)
                found.append(replace(beam, on_s=min(beam.on_s, shown_s), mask=mask, projection=projection))
        return tuple(found)

    def _seen(self, projection: Projection, view: View, off_um: tuple[float, float]) -> npt.NDArray[np.float32] | None:
        key = (projection, view.shape, view.pixel_um, off_um)
        if key not in self._masks:  # light between two frames falls on the whole chip, that of the frames on a region
            while len(self._masks) >= 2:
                del self._masks[next(iter(self._masks))]
            mask = mask_of(projection, view.shape, view.pixel_um, off_um)
            mask.flags.writeable = False
            self._masks[key] = None if mask.min() >= 1 else mask
        return self._masks[key]


def projected(model: SlmModel, image: Array, objective: Objective) -> Projection:
    """An image of the array as the objective brings it into the sample."""
    shown = np.array(image, dtype=np.uint8)
    shown.flags.writeable = False
    y_um, x_um = model.offset_um
    return Projection(
        shown,
        model.pitch_um * model.relay / objective.magnification,
        (y_um / objective.magnification, x_um / objective.magnification),
        math.radians(model.rotation_deg),
    )


def mask_of(
    projection: Projection, shape: tuple[int, int], pixel_um: float, off_um: tuple[float, float]
) -> npt.NDArray[np.float32]:
    """Share of the light per camera pixel, float32 of `shape`, 0 to 1: the SLM's image as the camera sees it.

    Mirrors are looked up with linear interpolation between their middles, which is as sharp as the array itself; the
    blur of the optics belongs to the sample's side.
    """
    seen = cv2.warpAffine(
        projection.image.astype(np.float32),
        mirrors_of(projection, shape, pixel_um, off_um),
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(np.clip(seen / FULL, 0, 1), dtype=np.float32)


def mirrors_of(projection: Projection, shape: tuple[int, int], pixel_um: float, off_um: tuple[float, float]) -> Array:
    """The affine map (2, 3), float64, from a camera pixel (column, row, 1) to a mirror (column, row).

    It is what a calibration of the SLM finds. Whole numbers are middles of pixels and of mirrors; `off_um` is the
    image's middle (y, x) as seen from the optical axis.
    """
    cosine, sine = math.cos(projection.angle_rad), math.sin(projection.angle_rad)
    turn = np.array([[cosine, sine], [-sine, cosine]]) / projection.mirror_um
    (rows, columns), (mirror_rows, mirror_columns) = shape, projection.image.shape
    corner_um = np.array([off_um[1] - (columns - 1) / 2 * pixel_um, off_um[0] - (rows - 1) / 2 * pixel_um])
    corner_um -= projection.offset_um[::-1]
    middle = np.array([(mirror_columns - 1) / 2, (mirror_rows - 1) / 2])
    return np.column_stack([turn * pixel_um, turn @ corner_um + middle])
