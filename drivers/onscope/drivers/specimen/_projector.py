"""The SLM's image, as it falls on the sample: mirrors to micrometres to the camera's pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.specimen import View

from ._hardware import Objective, SlmModel
from ._scene import Beam

Array = npt.NDArray[Any]
FULL = 255
"""The grey value of a mirror that is always on (8 bit, by pulse-width modulation as in TI's DLP controllers)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    image: Array | None
    until_s: float = math.inf


class Projector:
    """A micromirror array in the path of all sources but the transmitted lamp; guarded by the bench's lock.

    Before the first image all mirrors are on. Outside of the array no light falls.
    """

    def __init__(self, model: SlmModel) -> None:
        self._model = model
        self._shown = _Shown(None)
        self._images = 0
        self._key: tuple[object, ...] = ()
        self._mask: npt.NDArray[np.float32] | None = None

    def show(self, image: object, now_s: float, for_s: float | None) -> None:
        """`image`: uint8 of the model's shape, or None for all mirrors on; dark after `for_s` seconds, where given."""
        until_s = math.inf if for_s is None else now_s + for_s
        self._shown = _Shown(None if image is None else np.array(image, dtype=np.uint8), until_s)
        self._images += 1

    def ends_between(self, begin_s: float, end_s: float) -> bool:
        """Whether the image goes dark in this interval."""
        return begin_s < self._shown.until_s <= end_s

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
        shown_s = min(begin_s + exposure_s, self._shown.until_s) - begin_s
        found = []
        for beam in beams:
            if beam.source.transmitted:
                found.append(beam)
            elif shown_s > 0:
                mask = self._seen(view, off_um, objective)
                found.append(replace(beam, on_s=min(beam.on_s, shown_s), mask=mask))
        return tuple(found)

    def _seen(self, view: View, off_um: tuple[float, float], objective: Objective) -> npt.NDArray[np.float32] | None:
        key = (self._images, view.shape, view.pixel_um, off_um, objective)
        if key != self._key:
            mask = project(self._shown.image, self._model, view.shape, view.pixel_um, off_um, objective)
            mask.flags.writeable = False
            self._key, self._mask = key, None if mask.min() >= 1 else mask
        return self._mask


def project(
    image: Array | None,
    model: SlmModel,
    shape: tuple[int, int],
    pixel_um: float,
    off_um: tuple[float, float],
    objective: Objective,
) -> npt.NDArray[np.float32]:
    """Share of the light per camera pixel, float32 of `shape`, 0 to 1: the image (None: all on) seen by the camera.

    Mirrors are looked up with linear interpolation between their middles, which is as sharp as the array itself; the
    blur of the optics belongs to the sample's side.
    """
    to_mirror = mirrors_of(model, shape, pixel_um, off_um, objective)
    mirrors = np.full(model.shape, FULL, np.uint8) if image is None else image
    seen = cv2.warpAffine(
        mirrors.astype(np.float32),
        to_mirror,
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(np.clip(seen / FULL, 0, 1), dtype=np.float32)


def mirrors_of(
    model: SlmModel, shape: tuple[int, int], pixel_um: float, off_um: tuple[float, float], objective: Objective
) -> Array:
    """The affine map (2, 3), float64, from a camera pixel (column, row, 1) to a mirror (column, row).

    It is what a calibration of the SLM finds. Whole numbers are middles of pixels and of mirrors.
    """
    mirror_um = model.pitch_um * model.relay / objective.magnification
    angle = math.radians(model.rotation_deg)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) / mirror_um
    rows, columns = shape
    axis_um = np.array([off_um[1] - (columns - 1) / 2 * pixel_um, off_um[0] - (rows - 1) / 2 * pixel_um])
    axis_um -= np.array(model.offset_um[::-1]) / objective.magnification
    middle = np.array([(model.shape[1] - 1) / 2, (model.shape[0] - 1) / 2])
    return np.column_stack([turn * pixel_um, turn @ axis_um + middle])
