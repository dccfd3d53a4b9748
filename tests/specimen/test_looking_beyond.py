"""Light beside what the camera reads: it harms all the same, once and where it falls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onscope.specimen import Look, Looking, View
from onscope.specimen._beyond import beyond
from onscope.specimen.optics import OBJECTIVES, Illumination, Mask, Microscope, Stripes
from onscope.specimen.sample import Cells, CellSettings

EXTENT = (240.0, 240.0)
PLATE = View((120.0, 120.0), (480, 480), 0.5)
SCOPE = Microscope(OBJECTIVES["20x/0.75"])
REGION = View((90.3, 131.7), (150, 230), SCOPE.pixel_um)
LIGHT = Illumination(488, power_mw=8, field_um=200)


def doses(look: Look, seconds: float = 2.0) -> dict[int, float]:
    """J/cm2 by cell."""
    scene = Looking(Cells(CellSettings(count=60, extent_um=EXTENT), seed=4), 1)
    scene.send(look, seconds)
    objects = scene.sample.truth(PLATE).objects
    return dict(zip(objects["id"].tolist(), objects["dose_j_cm2"].tolist(), strict=True))


@pytest.mark.parametrize("light", [LIGHT, replace(LIGHT, unevenness=0.6, off_centre_um=(30.0, -20.0))])
def test_cells_get_the_same_light_whatever_the_camera_reads_of_it(light: Illumination) -> None:
    whole = View((120.0, 120.0), (800, 800), SCOPE.pixel_um)
    axis_um = (120.0, 120.0)
    seen = doses(Look(SCOPE, light, whole, axis_um, None))
    partly = doses(Look(SCOPE, light, REGION, axis_um, None))
    assert len(seen) == 60
    # beyond the field's edge light goes on where it is seen, and only there; beside the region cells are discs
    share = np.array([partly[number] / dose for number, dose in seen.items()])
    assert (share < 1.15).all()
    assert (np.abs(share - 1) < 0.05).sum() > 25
    assert np.median(share[share > 0.9]) == pytest.approx(1, abs=0.005)


def test_no_place_is_lit_twice() -> None:
    lit = beyond(SCOPE, LIGHT, REGION, REGION.centre_um, 1.0, EXTENT)
    assert lit is not None
    field, fluence = lit
    energy = fluence.sum(dtype=np.float64) * field.pixel_um**2
    energy += SCOPE.fluence(REGION, LIGHT, 1.0).sum(dtype=np.float64) * REGION.pixel_um**2
    whole = View(field.centre_um, field.shape, field.pixel_um)
    expected = SCOPE.fluence(whole, LIGHT, 1.0, axis_um=REGION.centre_um).sum(dtype=np.float64) * field.pixel_um**2
    assert energy == pytest.approx(expected, rel=2e-3)


def test_where_all_of_the_field_is_read_nothing_lies_beyond() -> None:
    whole = View((120.0, 120.0), (800, 800), SCOPE.pixel_um)
    assert beyond(SCOPE, LIGHT, whole, whole.centre_um, 1.0, EXTENT) is None
    assert beyond(SCOPE, LIGHT, REGION, (900.0, 900.0), 1.0, EXTENT) is None  # the stage stands beside the plate


def test_a_confocal_lights_what_it_scans() -> None:
    assert beyond(replace(SCOPE, mode="confocal"), LIGHT, REGION, REGION.centre_um, 1.0, EXTENT) is None


def test_stripes_harm_beside_the_region_as_their_mean() -> None:
    striped = replace(LIGHT, pattern=Stripes(period_um=0.5, angle_rad=0.3, phase_rad=1.0))
    even, lit = (beyond(SCOPE, light, REGION, REGION.centre_um, 1.0, EXTENT) for light in (LIGHT, striped))
    assert even is not None
    assert lit is not None
    np.testing.assert_array_equal(even[1], lit[1])


def test_a_mask_lights_cells_beside_the_region_and_no_others() -> None:
    # mirrors of 2 um around the axis; a block of them is on, right of what the camera reads
    mirrors = np.zeros((110, 110), dtype=np.uint8)
    mirrors[40:70, 95:110] = 255
    mask = Mask(mirrors, 2.0, (0.0, 0.0), 0.0, SCOPE.objective.na)
    axis_um = (120.0, 120.0)
    view = View(axis_um, (150, 150), SCOPE.pixel_um)
    got = doses(Look(SCOPE, replace(LIGHT, field_um=400, pattern=mask), view, axis_um, None))
    scene = Looking(Cells(CellSettings(count=60, extent_um=EXTENT), seed=4), 1)
    objects = scene.sample.truth(PLATE).objects
    y, x = objects["y_um"] - 120, objects["x_um"] - 120
    lit = np.array([got[number] for number in objects["id"].tolist()])
    on = (np.abs(y) < 22) & (x > 88) & (x < 102)
    far = (np.abs(y) > 60) | (x < 50)
    assert on.any()
    assert (lit[on] > 0.3 * lit.max()).all()
    assert lit[far].max() < 0.02 * lit.max()
