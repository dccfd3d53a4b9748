"""Where an SLM's mirrors are seen by the camera: spots are projected, found, and a map is fitted to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime import ControlError, unpack

from .._camera import Camera
from ._calibration import SlmOutput
from ._controller import CoreController
from ._hands import Hands, calmly
from ._shots import shots
from ._slm import FULL, named, show

if TYPE_CHECKING:
    from .._scope import Scope

GRID = 9
"""Spots along each side of the SLM; those that the camera does not see are left out."""
ZOOMS = (1.0, 3.0, 9.0)
"""Parts of the SLM that the grid is spread over, one after the other, until enough is seen."""
SPOT = 0.012
"""Radius of a spot, as a part of the grid's shorter side."""
ENOUGH = 20
"""Spots with which the search ends."""
LEAST = 6
"""Spots that must be found: a map has six numbers, and each spot tells two."""
Image = npt.NDArray[np.float32]
Spot = tuple[npt.NDArray[np.float64], tuple[float, float]]
"""The camera's pixel and the mirror, each (column, row)."""


def calibrate_slm(
    scope: Scope | CoreController,
    slm: SlmOutput | str = "",
    *,
    channel: str | None = None,
    exposure_ms: float | None = None,
    off_um: float = 2.0,
) -> SlmOutput:
    """The SLM with the affine map that its spots tell: camera pixel (column, row) of the whole chip to mirror.

    On an even, bright sample (a fluorescent slide) whose light comes by the SLM; give a scope whose `calibration` names
    the SLM (a CoreController), or the SLM's device and shapes as an `SlmOutput`. Nothing may run meanwhile. `channel`,
    `exposure_ms`: as they are set, unless told. Raises ControlError when too few spots are found, or when they lie more
    than `off_um` from the map.
    """
    controller = scope if isinstance(scope, CoreController) else CoreController(scope)
    rig = controller._rig
    wanted = slm if isinstance(slm, SlmOutput) else named(rig.calibration.slms, slm)
    hands, camera = rig.hands, Camera(rig.core, rig.camera, exposure_ms or rig.exposure_ms or 10.0)
    hands.begin()
    if channel is not None:
        rig.lights.choose(rig.lights.group, channel)
    first, scale = _readout(rig.core, camera)
    with calmly(lambda: show(hands, wanted, 0, calms=True), lambda: _idle(hands, wanted)):
        dark, full = _image(hands, camera, wanted, 0), _image(hands, camera, wanted, FULL)
        found: list[Spot] = []
        middle, size = ((wanted.shape[1] - 1) / 2, (wanted.shape[0] - 1) / 2), (wanted.shape[1], wanted.shape[0])
        for zoom in ZOOMS:  # the camera may see a small part of the SLM
            seen = []
            for spot, mirror in _spots(wanted.shape, middle, (size[0] / zoom, size[1] / zoom)):
                place = _found(_image(hands, camera, wanted, spot) - dark, full - dark)
                if place is not None:
                    seen.append((first + (np.array(place) + 0.5) * scale - 0.5, mirror))
            found = max(found, seen, key=len)
            if len(found) >= ENOUGH or not found:
                break
            column, row = np.mean([mirror for _, mirror in found], axis=0)
            middle = float(column), float(row)
    return replace(wanted, affine=_fitted(found, off_um, rig.chip_um or 1.0))


def _idle(hands: Hands, slm: SlmOutput) -> None:
    if slm.idle == "full":
        show(hands, slm, FULL)


def _readout(core: Any, camera: Camera) -> tuple[npt.NDArray[np.float64], float]:
    """The image's first pixel (column, row) on the chip, and how many pixels of the chip are one of its sides."""
    try:
        told = core.get_roi()
        x, y = (float(told.x), float(told.y)) if hasattr(told, "x") else (float(told[0]), float(told[1]))
        binning = float(str(core.get_property(camera.label, "Binning")).lower().split("x")[0])
    except Exception as error:
        raise ControlError(
            f"found a camera that does not tell its ROI and binning ({error}), expected both: see what it says"
        ) from error
    return np.array([x, y]) * binning, binning


def _spots(
    shape: tuple[int, int], middle: tuple[float, float], size: tuple[float, float]
) -> Iterator[tuple[npt.NDArray[np.uint8], tuple[float, float]]]:
    """Images of one spot each and its middle (column, row), on a grid over a part of the SLM."""
    radius = max(2, round(SPOT * min(size)))
    columns, rows = (
        np.unique(np.clip(np.linspace(at - wide / 2, at + wide / 2, GRID + 2)[1:-1].round(), radius, most - 1 - radius))
        for at, wide, most in zip(middle, size, shape[::-1], strict=True)
    )
    for row in rows.astype(int):
        for column in columns.astype(int):
            image = np.zeros(shape, np.uint8)
            cv2.circle(image, (int(column), int(row)), radius, FULL, cv2.FILLED)
            yield image, (float(column), float(row))


def _image(hands: Hands, camera: Camera, slm: SlmOutput, shown: npt.NDArray[np.uint8] | int) -> Image:
    """A picture (float32) with this on the SLM, which changes behind the closed shutter."""
    spec = camera.spec()
    camera.expose()
    show(hands, slm, shown)
    (((image, _), _),) = shots(hands, camera, 1)
    pixels, _ = unpack(image.pix, image.tags.get("PixelType"), *spec.shape[:2])
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0), np.float32)


def _found(spot: Image, full: Image) -> tuple[float, float] | None:
    """The middle (column, row) of a spot's light, as a share of the full light; None: none, or cut by the border."""
    level = float(np.percentile(full, 95))
    noise = float(np.median(np.abs(spot - np.median(spot)))) * 1.5
    share = np.where(full > 0.2 * level, spot / np.maximum(full, 0.2 * level), 0.0).astype(np.float32)
    top = float(share.max())
    if level <= 0 or top < 0.3 or float(spot.max()) < 8 * noise:
        return None
    _, parts, boxes, _ = cv2.connectedComponentsWithStats((share > top / 2).astype(np.uint8))
    number = int(parts[np.unravel_index(int(share.argmax()), share.shape)])
    left, up, width, height = boxes[number][:4]
    if min(left, up) < 1 or left + width >= spot.shape[1] or up + height >= spot.shape[0]:
        return None
    rows, columns = np.nonzero(parts == number)
    weight = share[rows, columns]
    return float(columns @ weight / weight.sum()), float(rows @ weight / weight.sum())


def _fitted(
    found: list[Spot], off_um: float, chip_um: float
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Least squares of mirrors over pixels, without the spots that lie far from what the others tell."""
    if len(found) < LEAST:
        raise ControlError(
            f"found {len(found)} spots of the SLM in the camera's image, expected at least {LEAST}: take a bright, "
            "even sample, a longer exposure, and a channel whose light comes by the SLM"
        )
    pixels = np.array([[*place, 1.0] for place, _ in found])
    mirrors = np.array([mirror for _, mirror in found])
    keep = np.ones(len(found), bool)
    for _ in range(3):
        solved, _, rank, _ = np.linalg.lstsq(pixels[keep], mirrors[keep], rcond=None)
        per_mirror = np.linalg.norm(np.linalg.pinv(solved[:2]), 2)  # pixels that a mirror measures, at most
        off = np.linalg.norm(pixels @ solved - mirrors, axis=1) * per_mirror * chip_um
        keep = off <= max(3 * float(np.median(off)), off_um / 4)
        if keep.sum() < LEAST:
            break
    if rank < 3 or keep.sum() < LEAST or float(off[keep].max()) > off_um:
        raise ControlError(
            f"found spots of the SLM up to {float(off.max()):.3g} um from any map, expected them within {off_um:g} um: "
            "take an even sample, and see that nothing moves"
        )
    (a, d), (b, e), (c, f) = solved.tolist()
    return (a, b, c), (d, e, f)
