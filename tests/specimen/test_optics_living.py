"""The optics over living samples: stage moves, focus, pairs of transmitted light and fluorescence, single molecules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from skimage.registration import phase_cross_correlation

from onscope.specimen._view import View
from onscope.specimen.optics import OBJECTIVES, Condenser, Illumination, LightPath, Mask, Microscope
from onscope.specimen.sample import BlinkingEmitters, Cells, CellSettings, EmitterSettings
from onscope.specimen.sensor import EMCCD, SCMOS

CLEAN = LightPath(vignetting=0, specks=0)
AIR = Microscope(OBJECTIVES["20x/0.75"], path=CLEAN)
LIGHT = Illumination(power_mw=20, field_um=600, unevenness=0)
MIDDLE = (150.0, 150.0)


@pytest.fixture(scope="module")
def cells() -> Cells:
    return Cells(CellSettings(count=40, extent_um=(300.0, 300.0)), seed=3)


@pytest.mark.parametrize("moved_px", [(7.0, -4.0), (2.3, 5.6), (-0.4, 0.25)])
def test_the_image_shifts_as_far_as_the_stage_moves(cells: Cells, moved_px: tuple[float, float]) -> None:
    still = View(MIDDLE, (256, 256), AIR.pixel_um)
    there = (MIDDLE[0] + moved_px[0] * AIR.pixel_um, MIDDLE[1] + moved_px[1] * AIR.pixel_um)
    images = [
        AIR.image(cells, replace(still, centre_um=centre), "nucleus", 3.0, LIGHT, 0.1) for centre in (MIDDLE, there)
    ]
    assert measured_shift(*images) == pytest.approx(moved_px, abs=0.02)


def measured_shift(fixed: np.ndarray, moved: np.ndarray) -> tuple[float, float]:
    """By phase correlation first, then by least squares along the gradients (B. D. Lucas, T. Kanade, 1981)."""
    window = np.outer(np.hanning(256), np.hanning(256))
    shift = phase_cross_correlation(fixed * window, moved * window, upsample_factor=10)[0]  # type: ignore[no-untyped-call]
    inside = (slice(20, -20), slice(20, -20))
    slopes = np.stack([slope[inside].ravel() for slope in np.gradient(fixed)], axis=1)
    for _ in range(4):
        difference = fixed - ndimage.shift(moved, shift, order=3)
        shift = shift - np.linalg.lstsq(slopes, difference[inside].ravel(), rcond=None)[0]
    return float(shift[0]), float(shift[1])


def test_the_sharpest_nuclei_are_those_in_focus(cells: Cells) -> None:
    view = View(MIDDLE, (256, 256), AIR.pixel_um)

    def sharpness(z_um: float) -> float:
        image = AIR.image(cells, view, "nucleus", z_um, LIGHT, 0.1)
        return float(np.square(np.diff(image, axis=0)).sum() / np.square(image).sum())

    curve = [sharpness(z) for z in (-12.0, -4.0, 3.0, 10.0, 18.0)]
    assert curve.index(max(curve)) == 2
    assert curve[0] < curve[1] < curve[2] > curve[3] > curve[4]


def test_transmitted_light_and_fluorescence_are_of_the_same_cells(cells: Cells) -> None:
    view = View(MIDDLE, (256, 256), AIR.pixel_um)
    phase = replace(AIR, mode="transmitted", condenser=Condenser("phase"))
    lamp = Illumination(546, power_mw=0.01, unevenness=0)
    labels = cells.truth(view).labels > 0
    transmitted = phase.image(cells, view, None, 2.0, lamp, 0.01)
    shining = AIR.image(cells, view, "membrane", 2.0, LIGHT, 0.1)
    assert np.median(shining[labels]) > 1.5 * np.median(shining[~labels])
    structure = np.abs(transmitted / np.median(transmitted[~labels]) - 1)
    assert structure[labels].mean() > 1.5 * structure[~labels].mean()


def test_a_masked_beam_bleaches_the_cell_it_points_at() -> None:
    cells = Cells(CellSettings(count=30, extent_um=(300.0, 300.0)), seed=4)
    view = View(MIDDLE, (512, 512), AIR.pixel_um)
    truth = cells.truth(view)
    middle = np.hypot(truth.objects["y_um"] - 150, truth.objects["x_um"] - 150)
    target = truth.objects[int(middle.argmin())]
    mask = (truth.labels == target["id"]).astype(np.float32)
    light = replace(LIGHT, power_mw=500, pattern=Mask(mask, mirror_um=view.pixel_um, na=0.75, extinction=0.0))
    cells.expose(view, "membrane", AIR.fluence(view, light, 20.0), light.wavelength_nm)
    after = cells.truth(view).objects
    hit = after["id"] == target["id"]
    assert after["dose_j_cm2"][hit][0] == pytest.approx(light.mean_w_cm2 * 20, rel=0.15)  # its rim gets less
    far = np.hypot(after["y_um"] - target["y_um"], after["x_um"] - target["x_um"]) > 60
    assert far.any()
    assert after["dose_j_cm2"][far].max() < 0.01 * after["dose_j_cm2"][hit][0]
    assert after["bleached"][hit][0] > 100 * after["bleached"][far].max()


def test_single_molecules_are_found_where_they_are() -> None:
    """Sparse emitters on an EMCCD: the brightest spots' middles agree with the truth as well as their photons allow."""
    settings = EmitterSettings(filaments=4, extent_um=(30.0, 30.0), height_um=(0.1, 0.15), spacing_um=0.4, off_s=4.0)
    emitters = BlinkingEmitters(replace(settings, molecules=40.0), seed=5)
    scope = Microscope(OBJECTIVES["100x/1.49 TIRF"], mode="tirf", camera_pixel_um=13.0, medium_per_um3=2.0, path=CLEAN)
    view = View((15.0, 15.0), (230, 230), scope.pixel_um)
    light = Illumination(power_mw=2, field_um=60, unevenness=0)
    errors = []
    for frame in range(30):
        emitters.advance(0.5 * (frame + 1))
        photons = scope.image(
            emitters, view, "emitters", 0.125, light, 0.03, fluorophore=emitters.fluorophore("emitters")
        )
        counts = EMCCD.expose(photons, np.random.default_rng(frame), exposure_s=0.03).astype(np.float64)
        objects = emitters.truth(view).objects
        row, column = view.pixels(*(objects[axis][objects["on"]] for axis in ("y_um", "x_um")))
        for y, x in zip(row, column, strict=True):
            alone = np.sort(np.hypot(row - y, column - x))[1:2] > 12
            inside = 8 < y < 221 and 8 < x < 221
            if inside and alone.all():
                top, left = round(y) - 4, round(x) - 4
                patch = counts[top : top + 9, left : left + 9]
                patch = np.maximum(patch - np.median(patch), 0)
                patch[patch < 0.2 * patch.max()] = 0
                rows, columns = np.indices(patch.shape)
                at = (patch * rows).sum() / patch.sum() + top, (patch * columns).sum() / patch.sum() + left
                errors.append((at[0] - y, at[1] - x))
    assert len(errors) > 20
    assert np.abs(np.median(errors, axis=0)).max() < 0.1  # no bias: a tenth of a pixel is 13 nm
    assert np.median(np.abs(errors)) < 0.2


def test_a_living_frame_has_the_noise_of_its_light(cells: Cells) -> None:
    view = View(MIDDLE, (128, 128), AIR.pixel_um)
    photons = AIR.image(cells, view, "nucleus", 3.0, LIGHT, 0.1)
    sensor = replace(SCMOS, response_spread=0.0, hot_share=0.0)
    rng = np.random.default_rng(0)
    frames = np.stack([sensor.expose(photons, rng).astype(np.float64) for _ in range(100)])
    expected = sensor.gain_counts_per_electron**2 * 0.82 * photons
    bright = photons > 50
    # each variance of 100 frames is known to 14 %, the mean of N of them to 14 % / sqrt N
    ratio = frames.var(axis=0, ddof=1)[bright] / expected[bright]
    assert ratio.mean() == pytest.approx(1, abs=0.02 + 5 * 0.14 / np.sqrt(bright.sum()))
