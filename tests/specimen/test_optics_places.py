"""Everything lies where it lies: in every mode, through every objective, in bins and regions, wherever the stage is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from onscope.specimen import Channel, Specimen
from onscope.specimen._view import View
from onscope.specimen.optics import (
    GAUSSIAN_WIDTH,
    OBJECTIVES,
    Drift,
    Illumination,
    LightPath,
    Mask,
    Microscope,
    Mode,
    Stripes,
)

from .plain import Field, Plain, sheet

CLEAN = LightPath(vignetting=0, specks=0)
EVEN = Illumination(power_mw=2, unevenness=0)


def ball(y_um: float, x_um: float, sigma_um: float, amount: float = 1e5) -> Field:
    """Molecules per um2 of a round, soft spot."""
    peak = amount / (2 * math.pi * sigma_um**2)
    return lambda y, x: peak * np.exp(-((y - y_um) ** 2 + (x - x_um) ** 2) / (2 * sigma_um**2))


def middle(image: np.ndarray, row: float, column: float, reach: int = 12) -> tuple[float, float]:
    """The centre of mass near a place, relative to it."""
    top, left = round(row) - reach, round(column) - reach
    near = image[top : top + 2 * reach + 1, left : left + 2 * reach + 1].astype(np.float64)
    y, x = np.indices(near.shape)
    return float((near * y).sum() / near.sum() + top - row), float((near * x).sum() / near.sum() + left - column)


@pytest.mark.parametrize("shape", [(96, 128), (97, 90)])
@pytest.mark.parametrize("binning", [1, 2])
@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, "widefield") for name in OBJECTIVES]
    + [("60x/1.40 Oil", "confocal"), ("40x/0.95", "confocal"), ("100x/1.49 TIRF", "tirf")],
)
def test_a_spot_lies_where_it_is_drawn(name: str, mode: Mode, binning: int, shape: tuple[int, int]) -> None:
    scope = Microscope(OBJECTIVES[name], mode=mode, medium_per_um3=0, path=CLEAN)
    pixel_um = scope.pixel_um * binning
    at = (50 + 3.3 * pixel_um, 50 - 5.7 * pixel_um)
    view = View((50.0, 50.0), shape, pixel_um)
    sample = Plain(sheets=[(0.3, ball(*at, max(0.25, 1.2 * pixel_um)))])
    image = scope.image(sample, view, "dye", 0.3, EVEN, 0.1)
    row, column = (float(place) for place in view.pixels(np.array(at[0]), np.array(at[1])))
    assert middle(image, row, column) == pytest.approx((0, 0), abs=0.02)


@pytest.mark.parametrize("name", ["60x/1.40 Oil", "20x/0.75"])
def test_binned_pixels_get_the_light_of_their_pixels(name: str) -> None:
    scope = Microscope(OBJECTIVES[name], path=LightPath(seed=5))
    spots = Plain(sheets=[(2.0, ball(51, 48.7, 3 * scope.pixel_um)), (4.0, ball(48, 52, 1.5))])
    light = replace(EVEN, unevenness=0.4)
    fine = scope.image(spots, View((50, 50), (160, 192), scope.pixel_um), "dye", 2.0, light, 0.1)
    binned = scope.image(spots, View((50, 50), (80, 96), 2 * scope.pixel_um), "dye", 2.0, light, 0.1)
    summed = fine.reshape(80, 2, 96, 2).sum(axis=(1, 3))
    assert binned.sum() == pytest.approx(summed.sum(), rel=3e-3)
    # a bin's mean is drawn once more where bins are too large for what the lens passes
    assert np.abs(binned - summed).max() < 0.06 * summed.max()


def test_a_region_shows_what_the_whole_frame_shows_there() -> None:
    scope = Microscope(OBJECTIVES["40x/0.95"], path=LightPath(vignetting=0.3, specks=60, seed=3))

    def band(z_um: float) -> Field:
        return lambda y, x: 100.0 * (np.sin(y / 2 + z_um) * np.sin(x / 3) > 0.3)

    bands = [(z_um, band(z_um)) for z_um in (1.0, 3.0, 5.0)]
    light = Illumination(power_mw=3, field_um=200, unevenness=0.5, off_centre_um=(5.0, -9.0))
    whole = scope.image(Plain(sheets=bands), View((50, 50), (384, 448), scope.pixel_um), "dye", 3.0, light, 0.1)
    off = (40 * scope.pixel_um, -60 * scope.pixel_um)
    part = View((50 + off[0], 50 + off[1]), (128, 160), scope.pixel_um)
    region = scope.image(Plain(sheets=bands), part, "dye", 3.0, light, 0.1, axis_um=(50.0, 50.0))
    difference = np.abs(region - whole[168:296, 84:244]) / whole.mean()
    assert difference.max() < 0.03
    assert difference[16:-16, 16:-16].max() < 0.01


def test_stripes_stay_with_the_optics_and_the_sample_moves_through_them() -> None:
    scope = Microscope(OBJECTIVES["100x/1.49 TIRF"], mode="tirf", medium_per_um3=0, path=CLEAN)
    light = replace(EVEN, pattern=Stripes(0.3, 0.7, 0.5))
    even, shape = Plain(sheets=[(0.05, sheet())]), (96, 96)
    stages = [(50.0, 50.0), (50.123, 49.877), (61.0, 33.3)]
    images = [scope.image(even, View(at, shape, scope.pixel_um), "dye", 0.0, light, 0.1) for at in stages]
    for image in images[1:]:
        assert image == pytest.approx(images[0], rel=1e-3)
    # half a period further a spot is as dark as it was bright, and lies elsewhere in the image
    spot, across = Plain(sheets=[(0.05, ball(50, 50, 0.03))]), np.array([math.sin(0.7), math.cos(0.7)])
    lit = replace(light, pattern=Stripes(0.3, 0.7, 0.0, 1.0))
    sums = []
    for share in (0.0, 0.25, 0.5):
        at = tuple(50 - share * 0.3 * across)
        sums.append(scope.image(spot, View((at[0], at[1]), shape, scope.pixel_um), "dye", 0.0, lit, 0.1).sum())
    faded = math.exp(-2 * (math.pi * 0.03 / 0.3) ** 2)  # the spot is a Gaussian, not a point
    assert sums[2] / sums[0] == pytest.approx((1 - faded) / (1 + faded), abs=0.02)
    assert sums[1] / sums[0] == pytest.approx(1 / (1 + faded), abs=0.02)


@pytest.mark.parametrize("off_um", [0.0, 0.013, 0.05, 0.077])
@pytest.mark.parametrize("mirror_um", [1.0, 0.07])
def test_the_edge_of_a_mask_lies_on_a_fraction_of_a_pixel(off_um: float, mirror_um: float) -> None:
    half = np.zeros((400, 400), dtype=bool)
    half[:, 200:] = True
    mask = Mask(half, mirror_um, offset_um=(0.0, off_um), na=1.4, extinction=0.0)
    across = mask.relative((9, 240), 0.1, 488, 1.36)[4]
    at = (np.arange(240) - 119.5) * 0.1
    near = np.abs(at) < 3
    assert np.interp(0.5, across[near], at[near]) == pytest.approx(off_um, abs=0.006)


def test_a_mask_far_out_of_focus_is_a_wide_glow() -> None:
    """The light of a small square, spread as the cone of its rays is wide; the same whatever the image's size."""
    image = np.zeros((40, 60), dtype=np.float32)
    image[18:22, 27:33] = 1
    mask = Mask(image, mirror_um=0.5, na=1.0, extinction=0.0)
    for defocus in (8.0, 20.0):
        light = mask.relative((400, 500), 0.2, 488, 1.36, defocus)
        sigma = math.hypot(GAUSSIAN_WIDTH * 0.488, 0.5 * defocus / math.sqrt(1.36**2 - 1))
        assert light.max() == pytest.approx(2.0 * 3.0 / (2 * math.pi * sigma**2), rel=0.08)
        assert light.sum() * 0.2**2 == pytest.approx(6.0, rel=0.02 if defocus < 10 else 0.2)  # the rest is beyond
        assert mask.relative((41, 51), 0.2, 488, 1.36, defocus).max() == pytest.approx(float(light.max()), rel=0.02)
    assert mask.relative((64, 64), 0.2, 488, 1.36, 1e6).max() < 0.01


def test_drift_moves_the_image_against_its_sign() -> None:
    scope = Microscope(OBJECTIVES["60x/1.20 W"], medium_per_um3=0, path=CLEAN)
    spot = Plain(sheets=[(2.0, ball(50, 50, 0.3))])
    drift = Drift(velocity_um_h=(0.0, 3.0, -2.0))
    specimen = Specimen(spot, scope, {"a": Channel("dye", EVEN, z_um=2.0)}, drift=drift)
    for hours in (0.0, 0.5):
        specimen.advance(3600 * hours)
        image = specimen.snap((50.0, 50.0), "a", shape=(81, 81), truth=False).photons
        place = (40 - 3 * hours / scope.pixel_um, 40 + 2 * hours / scope.pixel_um)
        assert middle(image, *place) == pytest.approx((0, 0), abs=0.05)
