"""Masks on an SLM: from pixels of the sample to mirrors, and light through them."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime import ControlError
from onscope.runtime.feedback import Project

from ._calibration import Calibration, SlmOutput, Stages
from ._hands import Hands, calmly
from ._lights import Lights
from ._places import Place

FULL = 255
FINE = 3
"""Points along each side of a mirror at which the mask is looked up."""
Mask = npt.NDArray[np.uint8]
STRAIGHT = Stages()


def project(
    hands: Hands, lights: Lights, calibration: Calibration, action: Project, place: Place, chip_um: float | None
) -> None:
    """Light through the mask for `duration_ms`, with the stage at `place` and unbinned pixels of `chip_um`.

    In this order: shutter closed and lights off, the mask, the power, the shutter, the light; and back. The image
    changes in the dark alone. Raises ControlError when the mask lights no mirror.
    """
    slm = named(calibration.slms, action.slm)
    image = _image(action, slm, calibration, place, chip_um)
    with lights.dark(), calmly(lambda: show(hands, slm, 0, calms=True), lambda: _idle(hands, slm)):
        show(hands, slm, 0, calms=True)
        show(hands, slm, image)
        with lights.shines(action.light, action.power_mw):
            hands.sleep(action.duration_ms / 1e3)


def show(hands: Hands, slm: SlmOutput, image: Mask | int, *, calms: bool = False) -> None:
    """An image, or one grey value on all of it; back when the SLM is done."""
    core = hands.core
    if isinstance(image, int):
        hands.send("pixels", slm.device, image, lambda: core.set_slm_pixels_to(slm.device, image), calms=calms)
    else:
        lit = int(np.count_nonzero(image))
        hands.send("image", slm.device, f"{lit} mirrors", lambda: core.set_slm_image(slm.device, image))
    hands.send("display", slm.device, None, lambda: core.display_slm_image(slm.device), calms=calms)
    hands.wait(slm.device, calms=calms)


def named(slms: Mapping[str, SlmOutput], name: str) -> SlmOutput:
    """The SLM of this name; "": the only one. Raises ControlError when there is none."""
    if name in slms:
        return slms[name]
    if name or len(slms) != 1:
        known = ", ".join(slms) or "none"
        raise ControlError(f"found the SLM {name!r}, expected one of {known}: name it, or calibrate it")
    return next(iter(slms.values()))


def _idle(hands: Hands, slm: SlmOutput) -> None:
    if slm.idle == "full":
        show(hands, slm, FULL)


def _image(action: Project, slm: SlmOutput, calibration: Calibration, place: Place, chip_um: float | None) -> Mask:
    if place.x_um is None or place.y_um is None or not chip_um:
        raise ControlError(
            "found no stage position or no pixel size, expected both to aim light: choose an XY stage, and define the "
            "size of a pixel in Micro-Manager"
        )
    off_um = action.x_um - place.x_um, action.y_um - place.y_um
    image = mirrors(action.mask, action.pixel_um, off_um, chip_um, slm, calibration.stages)
    if not image.any():
        raise ControlError(
            f"found no mirror of {slm.device} whose whole area lies in the mask, expected at least one: light parts "
            "that are larger than a mirror, within the SLM's field"
        )
    return image


def mirrors(
    mask: Mask,
    mask_um: float,
    off_um: tuple[float, float],
    chip_um: float,
    slm: SlmOutput,
    stages: Stages = STRAIGHT,
) -> Mask:
    """The mask as an image of the SLM: uint8 of its shape. A mirror shines where all of it lies in the mask.

    `mask` (y, x) has pixels of `mask_um` along the stage's x and y; its middle lies `off_um` (x, y) on the stage from
    the optical axis, which is in the middle of the camera's chip, whose pixels measure `chip_um` in the sample.
    """
    (rows, columns), (height, width) = mask.shape, slm.camera_shape
    turn = np.array(stages.to_camera) / chip_um
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2])
    corner = turn @ (np.array(off_um) - middle * mask_um) + np.array([(width - 1) / 2, (height - 1) / 2])
    to_camera = np.vstack([np.column_stack([turn * mask_um, corner]), [0.0, 0.0, 1.0]])
    # Points of a mirror: (number + 1/2) / FINE - 1/2 is the way back from a fine grid to mirrors.
    finer = np.array([[FINE, 0.0, (FINE - 1) / 2], [0.0, FINE, (FINE - 1) / 2]])
    fine = finer @ np.vstack([np.array(slm.affine), [0.0, 0.0, 1.0]]) @ to_camera
    size = (slm.shape[1] * FINE, slm.shape[0] * FINE)
    shown = cv2.warpAffine(np.ascontiguousarray(mask), fine, size, flags=cv2.INTER_NEAREST, borderValue=0)
    blocks = shown.reshape(slm.shape[0], FINE, slm.shape[1], FINE)
    return np.ascontiguousarray(blocks.min(axis=(1, 3)))
