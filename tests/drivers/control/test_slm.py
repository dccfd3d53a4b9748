"""Light on chosen cells and on no other, through an SLM that is turned and off the axis; and finding how it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onscope.drivers import specimen
from onscope.drivers.micromanager.control import (
    Calibration,
    CoreController,
    SlmOutput,
    Stages,
    calibrate_slm,
    calibration_of,
)
from onscope.drivers.micromanager.control._slm import mirrors
from onscope.runtime import ControlError
from onscope.runtime.feedback import MoveStage, Project

from ..specimens import QUICK, even_light
from .rigs import controlled

SIDE = 256
PIXEL_UM = 6.5 / 60
TURNED = replace(QUICK.slm, rotation_deg=7.0, offset_um=(130.0, -260.0))
HARDWARE = replace(QUICK, camera=replace(QUICK.camera, shape=(SIDE, SIDE)), slm=TURNED)


def grid_of_beads(pitch_um: float = 2.0) -> specimen.FieldOfBeads:
    """Cells as small as can be: beads on a square grid around (50, 50) um, which keep account of their light."""
    at = np.arange(-5, 6) * pitch_um + 50.0
    y, x = (each.ravel() for each in np.meshgrid(at, at, indexing="ij"))
    return specimen.FieldOfBeads(np.column_stack([np.zeros(y.size), y, x]), extent_um=(100.0, 100.0))


def discs(chosen: Any, radius_um: float, at_um: tuple[float, float] = (50.0, 50.0)) -> Any:
    """A mask of the camera's pixels with the stage `at_um` (x, y): discs around places (y, x)."""
    rows, columns = np.indices((SIDE, SIDE))
    y = (rows - (SIDE - 1) / 2) * PIXEL_UM + at_um[1]
    x = (columns - (SIDE - 1) / 2) * PIXEL_UM + at_um[0]
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for one_y, one_x in chosen:
        mask[np.hypot(y - one_y, x - one_x) <= radius_um] = 255
    return mask


@pytest.mark.parametrize("moved_um", [(0.0, 0.0), (1.7, -2.3)])
def test_light_hits_the_chosen_cells_and_no_other(moved_um: tuple[float, float]) -> None:
    scene = grid_of_beads()
    with controlled(scene, hardware=HARDWARE) as (scope, controller):
        chosen = [20, 47, 60, 99]
        # The stage has moved on since the frame that the mask was made of, which the action tells.
        controller.apply(MoveStage(50.0 + moved_um[0], 50.0 + moved_um[1]))
        mask = discs(scene.zyx_um[chosen, 1:], 0.8)
        before = scene.dose_j_cm2.copy()
        controller.apply(Project(mask, PIXEL_UM, 50.0, 50.0, "LED 385", 4.0, 500.0))
        scope.mmc.snapImage()  # the light between exposures is told to the sample with the next one,
        dose = scene.dose_j_cm2 - before
        routine = dose[[0, 10, 110, 120]].max()  # which lights all of them alike
        lit = np.flatnonzero(dose > routine * 1.0001)
        assert set(lit) == set(chosen)
        others = np.setdiff1d(np.arange(len(dose)), chosen)
        assert np.ptp(dose[others]) == 0.0
        given = dose[chosen] - routine
        irradiance = 4e-3 / (calibration_of(scope).lights["LED 385"].areas_um2[""] * 1e-8)
        assert given == pytest.approx(0.5 * irradiance, rel=0.02)


def test_before_the_next_frame_every_other_cell_has_had_no_light_at_all() -> None:
    scene = grid_of_beads()
    with controlled(scene, hardware=HARDWARE) as (scope, controller):
        mask = discs(scene.zyx_um[[60], 1:], 0.8)
        controller.apply(Project(mask, PIXEL_UM, 50.0, 50.0, "LED 385", 4.0, 500.0))
        for lit in scope.bench.owed():
            scene.illuminate(lit)
        assert np.flatnonzero(scene.dose_j_cm2).tolist() == [60]
        assert (np.delete(scene.dose_j_cm2, 60) == 0.0).all()


def test_a_mask_beside_the_slm_is_refused_before_anything_is_lit() -> None:
    with controlled(grid_of_beads(), hardware=HARDWARE) as (scope, controller):
        for mask, x_um in ((discs([(50.0, 50.0)], 0.8), 4000.0), (discs([], 0.8), 50.0)):
            with pytest.raises(ControlError, match="found no mirror of SLM whose whole area lies in the mask"):
                controller.apply(Project(mask, PIXEL_UM, x_um, 50.0, "LED 385", 4.0, 500.0))
        with pytest.raises(ControlError, match="found the SLM 'dmd', expected one of SLM"):
            controller.apply(Project(mask, PIXEL_UM, 50.0, 50.0, "LED 385", 4.0, 500.0, "dmd"))
        assert not any(one.device == "LED 385" and one.verb == "on" for one in scope.bench.journal)


@pytest.mark.parametrize("roi", [None, (40, 8, 180, 200)])
def test_spots_tell_how_the_slm_is_turned_and_off(roi: tuple[int, int, int, int] | None) -> None:
    with controlled(even_light(), hardware=HARDWARE) as (scope, _):
        true = calibration_of(scope).slms["SLM"]
        blank = SlmOutput("SLM", true.shape, ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), true.camera_shape, "full")
        if roi is not None:
            scope.set_roi(*roi)
        found = calibrate_slm(scope, blank, exposure_ms=200.0)
        corners = np.array([[x, y, 1.0] for x in (0, SIDE - 1) for y in (0, SIDE - 1)]).T
        off = np.linalg.norm((np.array(found.affine) - np.array(true.affine)) @ corners, axis=0)
        assert off.max() < 0.75  # mirrors
        assert np.asarray(scope.mmc.getSLMImage()).min() == 255
        calibration = replace(calibration_of(scope), slms={"SLM": found})
        assert CoreController(scope, calibration).calibration.slms["SLM"].affine == found.affine


def test_an_slm_that_nothing_is_seen_of_cannot_be_calibrated() -> None:
    with controlled(even_light(), hardware=HARDWARE) as (scope, controller):
        with pytest.raises(ControlError, match=r"found \d spots of the SLM in the camera's image, expected at least 6"):
            calibrate_slm(controller, channel="Cy5", exposure_ms=1.0)
        with pytest.raises(ControlError, match="found the SLM '', expected one of none"):
            calibrate_slm(scope)
        assert Calibration().slms == {}


STRAIGHT = SlmOutput("SLM", (40, 50), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), (40, 50))


@pytest.mark.parametrize(
    "stages",
    [Stages(flip_x=x, flip_y=y, swap_xy=swap) for x in (False, True) for y in (False, True) for swap in (False, True)],
)
def test_a_camera_that_is_turned_against_the_stage_turns_the_mask(stages: Stages) -> None:
    """The mask lies as the stage does; the camera's pixels, and so the mirrors, as the settings of the aim say."""
    from onscope.runtime.feedback.aim import AimSettings

    seen = np.zeros((40, 50), np.uint8)
    seen[3:9, 30:44] = 255  # as the camera sees it
    aim = AimSettings(flip_x=stages.flip_x, flip_y=stages.flip_y, swap_xy=stages.swap_xy)
    assert (mirrors(aim.turned(seen), 2.0, (0.0, 0.0), 2.0, STRAIGHT, stages) == seen).all()
    dy_px, dx_px = aim.in_frame(6.0, -4.0, 2.0)
    moved = mirrors(aim.turned(seen), 2.0, (6.0, -4.0), 2.0, STRAIGHT, stages)
    assert (moved == np.roll(seen, (round(dy_px), round(dx_px)), (0, 1))).all()


def test_a_mirror_shines_where_all_of_it_lies_in_the_mask() -> None:
    half = SlmOutput("SLM", (20, 25), ((0.5, 0.0, -0.25), (0.0, 0.5, -0.25)), (40, 50))
    mask = np.zeros((40, 50), np.uint8)
    mask[10:15, 21:30] = (
        255  # rows 10 to 14 are mirrors 5 and 6, and a half; columns 21 to 29 half of 10, then 11 to 14
    )
    shown = mirrors(mask, 1.0, (0.0, 0.0), 1.0, half)
    assert np.argwhere(shown).min(axis=0).tolist() == [5, 11]
    assert np.argwhere(shown).max(axis=0).tolist() == [6, 14]
