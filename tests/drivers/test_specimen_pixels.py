"""From pixels to the stage and to mirrors, and back: what the core's numbers say is where things are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onscope.drivers import specimen

from .specimens import QUICK, QUIET, mounted, snapped

PLACE = np.array([103.0, 98.6])
"""Where the bead is, as (x, y) in um, beside the middle of the stage area, where everything starts."""
BRIGHT = specimen.Dye(475.0, 515.0, 3e7, 1e9)
"""So bright that noise displaces a spot by less than a hundredth of a pixel; it does not fade."""
WIDE = replace(QUICK, camera=replace(QUICK.camera, shape=(256, 256)), turret_s=0.05)
OBJECTIVES = [one.label for one in QUICK.objectives]


@pytest.fixture
def mmc() -> Iterator[specimen.SpecimenCore]:
    x, y = PLACE
    scene = specimen.FieldOfBeads(np.array([(0.0, y, x)]), extent_um=(200.0, 200.0), dye=BRIGHT, sensor=QUIET)
    core = mounted(scene, hardware=WIDE)
    yield core
    core.unloadAllDevices()


def prepared(mmc: specimen.SpecimenCore, objective: str, binning: int) -> None:
    """That objective and binning, and a bead so far out of focus that it covers several pixels."""
    mmc.setConfig("Objective", objective)
    mmc.setProperty("Camera", "Binning", binning)
    mmc.setPosition({"Plan Apo 10x 0.45": 20.0, "Plan Apo 20x 0.75": 6.0, "Plan Apo 60x 1.40 Oil": 1.5}[objective])
    mmc.waitForSystem()
    mmc.setExposure(1.0)
    rate = snapped(mmc).max() - 100.0  # counts per ms, with some noise
    mmc.setExposure(min(30_000.0 / max(rate, 1.0), 5000.0))


def middle(mmc: specimen.SpecimenCore) -> Any:
    """(column, row) of the spot's middle: the centroid of what is brighter than a fifth of its peak."""
    image = snapped(mmc).astype(float)
    image -= np.median(image)
    light = np.clip(image - image.max() / 5, 0, None)
    rows, columns = np.indices(image.shape)
    return np.array([(columns * light).sum(), (rows * light).sum()]) / light.sum()


def affine(mmc: specimen.SpecimenCore) -> tuple[Any, Any]:
    """The core's affine map as a matrix and an offset: pixels to um."""
    both = np.array(mmc.getPixelSizeAffine()).reshape(2, 3)
    return both[:, :2], both[:, 2]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("binning", [1, 2, 4])
def test_the_affine_map_leads_from_a_pixel_to_its_place(
    mmc: specimen.SpecimenCore, objective: str, binning: int
) -> None:
    prepared(mmc, objective, binning)
    turn, offset = affine(mmc)
    centre = (np.array([mmc.getImageWidth(), mmc.getImageHeight()]) - 1) / 2
    place = np.array(mmc.getXYPosition()) + turn @ (middle(mmc) - centre) + offset
    assert (place - PLACE) / mmc.getPixelSizeUm() == pytest.approx([0, 0], abs=0.05)  # in pixels


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("binning", [1, 2, 4])
def test_a_move_by_so_many_pixels_shifts_the_image_by_them(
    mmc: specimen.SpecimenCore, objective: str, binning: int
) -> None:
    prepared(mmc, objective, binning)
    turn, _ = affine(mmc)
    before = middle(mmc)
    for shift in ([4.0, 0.0], [0.0, 3.0], [-2.25, 1.7], [0.3, -0.45]):
        mmc.setRelativeXYPosition(*map(float, turn @ shift))
        mmc.waitForDevice("XY")
        after = middle(mmc)
        assert before - after == pytest.approx(shift, abs=0.05)
        before = after


@pytest.mark.parametrize("binning", [1, 2])
def test_a_roi_is_a_part_of_the_image(mmc: specimen.SpecimenCore, binning: int) -> None:
    prepared(mmc, "Plan Apo 60x 1.40 Oil", binning)
    whole = middle(mmc)
    x, y = (int(at) - 20 for at in whole)
    mmc.setROI(x, y, 50, 44)
    assert whole - middle(mmc) == pytest.approx([x, y], abs=0.02)


def mirrors(mmc: specimen.SpecimenCore) -> Any:
    """The alignment that the SLM tells, as (2, 3): pixels of the whole, unbinned image to mirrors."""
    return np.array(mmc.getProperty("SLM", "Alignment").split(), dtype=float).reshape(2, 3)


@pytest.mark.parametrize("objective", ["Plan Apo 20x 0.75", "Plan Apo 60x 1.40 Oil"])
@pytest.mark.parametrize("turned", [0.0, -25.0, 90.0])
def test_a_mirror_lights_the_bead_it_points_at_and_no_other(objective: str, turned: float) -> None:
    places = np.array([(0.0, 97.0, 103.0), (0.0, 97.0, 106.0), (0.0, 100.0, 103.0), (0.0, 103.0, 97.0)])
    scene = specimen.FieldOfBeads(places, extent_um=(200.0, 200.0), sensor=QUIET)
    model = replace(WIDE.slm, rotation_deg=turned, offset_um=(40.0, -90.0))
    mmc = mounted(scene, hardware=replace(WIDE, slm=model))
    mmc.setConfig("Objective", objective)
    mmc.waitForSystem()
    pixel_um = mmc.getPixelSizeUm()
    for target, (_, y, x) in enumerate(places):
        mmc.setSLMPixelsTo(0)
        mmc.displaySLMImage()
        mmc.snapImage()  # what fell while the shutter closed on the last one is told by now
        column, row = (x - 100.0) / pixel_um + 127.5, (y - 100.0) / pixel_um + 127.5
        mirror_x, mirror_y = mirrors(mmc) @ [column, row, 1.0]
        image = np.zeros(model.shape, np.uint8)
        rows, columns = np.indices(model.shape)
        # 1 um around the bead: the others are three away
        image[np.hypot(columns - mirror_x, rows - mirror_y) <= 1.0 / (model.pitch_um / mmc_magnification(mmc))] = 255
        mmc.setSLMImage(image)
        mmc.displaySLMImage()
        before = scene.dose_j_cm2.copy()
        mmc.setExposure(50.0)
        lit = snapped(mmc).astype(float)
        gained = scene.dose_j_cm2 - before
        assert gained[target] > 0
        assert (np.delete(gained, target) == 0).all()
        brightest = np.unravel_index(lit.argmax(), lit.shape)
        assert brightest == pytest.approx([row, column], abs=1.0)
    mmc.unloadAllDevices()


def mmc_magnification(mmc: specimen.SpecimenCore) -> float:
    """That of the objective in use, from the pixel's size."""
    return float(WIDE.camera.pixel_um / mmc.getPixelSizeUm())


def test_a_roi_and_binning_leave_the_mirrors_where_they_are(mmc: specimen.SpecimenCore) -> None:
    whole = mirrors(mmc)
    mmc.setProperty("Camera", "Binning", 2)
    mmc.setROI(10, 20, 60, 50)
    assert (mirrors(mmc) == whole).all()
    # A half-plane of mirrors: its edge runs through the same place of the sample, in the ROI's pixels.
    column = 2 * (10 + 30) + 0.5  # the ROI's 30th column, in unbinned pixels
    mirror_x = (whole @ [column, 127.5, 1.0])[0]
    image = np.zeros(WIDE.slm.shape, np.uint8)
    image[:, int(np.ceil(mirror_x)) :] = 255
    mmc.setConfig("Objective", "Plan Apo 60x 1.40 Oil")
    mmc.setXYPosition(50.0, 50.0)  # away from the bead
    mmc.setSLMImage(image)
    mmc.displaySLMImage()
    mmc.waitForSystem()
    mmc.setExposure(5000.0)
    profile = snapped(mmc).astype(float).mean(axis=0)
    edge = np.interp((profile.max() + profile.min()) / 2, profile, np.arange(60))
    mirror_px = 1 / whole[0, 0] / 2  # a mirror's side in binned pixels: where within it the edge lies is rounding
    assert edge == pytest.approx(30, abs=mirror_px)


def test_what_the_slm_shows_lasts_as_long_as_it_says(mmc: specimen.SpecimenCore) -> None:
    prepared(mmc, "Plan Apo 60x 1.40 Oil", 1)
    mmc.setAutoShutter(False)
    mmc.setShutterOpen(True)
    mmc.waitForDevice("Shutter")
    mmc.setExposure(20.0)
    forever = snapped(mmc).astype(float)
    mmc.setSLMExposure(5.0)
    mmc.setSLMPixelsTo(255)
    mmc.displaySLMImage()
    quarter, after = snapped(mmc).astype(float), snapped(mmc).astype(float)
    dark = np.median(after)
    assert (quarter - dark).sum() / (forever - dark).sum() == pytest.approx(0.25, rel=0.02)
    assert after.max() < dark + 10
