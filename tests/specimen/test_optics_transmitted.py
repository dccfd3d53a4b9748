"""The transmitted image agrees with Abbe's sum over the source where phases are weak, and behaves where strong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from onscope.specimen._view import View
from onscope.specimen.optics import Condenser, Illumination, LightPath, Microscope, Objective, photon_energy_j
from onscope.specimen.optics._condenser import BAND_NM, pupil
from onscope.specimen.optics._transmitted import transmitted

from .plain import Plain

OBJECTIVE = Objective(20, 0.75, 1.0)
PIXEL_UM = 0.25
SIDE = 128
WAVELENGTH_NM = 546.0
BRIGHT, PHASE = Condenser(), Condenser("phase")
CLEAN = LightPath(vignetting=0, specks=0)
LAMP = Illumination(WAVELENGTH_NM, power_mw=0.01, unevenness=0)


def abbe(condenser: Condenser, path_nm: np.ndarray, absorbance: np.ndarray, focus_um: float) -> np.ndarray:
    """The oracle: each point of the source makes a coherent image, their intensities add up."""
    total, weight = np.zeros(path_nm.shape), 0.0
    for wavelength_um in (np.array([-BAND_NM, 0, BAND_NM]) + WAVELENGTH_NM) / 1000:
        field = 10 ** (-absorbance / 2) * np.exp(
            2j * np.pi * path_nm / 1000 / wavelength_um * (wavelength_um * 1000 / WAVELENGTH_NM)
        )
        spectrum = np.fft.fft2(field)
        f = np.fft.fftfreq(SIDE, PIXEL_UM) * wavelength_um
        low, high = condenser.ring if condenser.contrast == "phase" else (0.0, condenser.na)
        for ring in np.sqrt(np.linspace(low**2, high**2, 9)[:-1] + (high**2 - low**2) / 16):
            for angle in (np.arange(24) + 0.5) * (2 * np.pi / 24):
                # the nearest frequency of the grid, so that a tilted wave is periodic
                step = wavelength_um / (SIDE * PIXEL_UM)
                sy, sx = (round(ring * float(part) / step) * step for part in (np.sin(angle), np.cos(angle)))
                rho = np.hypot((f + sy)[:, None], f + sx)
                passes = pupil(condenser, OBJECTIVE.na, 1.36, wavelength_um, focus_um - condenser.plane_um, rho)
                total += np.abs(np.fft.ifft2(spectrum * passes)) ** 2
                weight += 1
    return total / weight


def cell(path_nm: float) -> np.ndarray:
    y, x = np.indices((SIDE, SIDE)) - 64
    body = np.clip(1 - (x / 34) ** 2 - (y / 24) ** 2, 0, None) ** 0.8
    nucleus = np.exp(-((x - 6) ** 2 + y**2) / 60)
    return (path_nm * (0.7 * body + 0.3 * nucleus)).astype(np.float32)


def image(condenser: Condenser, path_nm: np.ndarray, absorbance: np.ndarray, focus_um: float) -> np.ndarray:
    return transmitted(condenser, OBJECTIVE, path_nm, absorbance, PIXEL_UM, WAVELENGTH_NM, focus_um, 1.36)


@pytest.mark.parametrize("condenser", [BRIGHT, PHASE], ids=["bright field", "phase contrast"])
@pytest.mark.parametrize("focus_um", [2.0, 8.0, -4.0])
def test_weak_phases_look_as_abbe_says(condenser: Condenser, focus_um: float) -> None:
    path, none = cell(15.0), np.zeros((SIDE, SIDE), dtype=np.float32)
    expected = abbe(condenser, path, none, focus_um)
    seen = image(condenser, path, none, focus_um)
    assert np.median(seen) == pytest.approx(np.median(expected), rel=0.05)
    seen, expected = seen / np.median(seen) - 1, expected / np.median(expected) - 1
    # the second order (0.17 rad squared) and the oracle's coarse source are what is left
    assert np.abs(seen - expected).max() < 0.15 * np.abs(expected).max() + 0.01


@pytest.mark.parametrize(
    ("condenser", "focus_um", "alike"), [(BRIGHT, 6.0, 0.9), (PHASE, 2.0, 0.96), (PHASE, 6.0, 0.9)]
)
def test_strong_phases_look_like_what_abbe_says(condenser: Condenser, focus_um: float, alike: float) -> None:
    path, none = cell(200.0), np.zeros((SIDE, SIDE), dtype=np.float32)
    expected, seen = abbe(condenser, path, none, focus_um), image(condenser, path, none, focus_um)
    assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > alike
    assert seen.std() == pytest.approx(expected.std(), rel=0.25)
    assert seen.mean() == pytest.approx(expected.mean(), rel=0.1)
    assert seen.min() >= 0


def test_a_pure_phase_is_unseen_in_focus_and_turns_over_with_the_focus() -> None:
    path, none = cell(30.0), np.zeros((SIDE, SIDE), dtype=np.float32)
    sharp, above, below = (image(BRIGHT, path, none, BRIGHT.plane_um + off) - 1 for off in (0.0, 8.0, -8.0))
    assert np.abs(sharp).max() < 0.1 * np.abs(above).max()
    assert np.corrcoef(above.ravel(), below.ravel())[0, 1] < -0.8
    # a cell is a weak lens: light that comes from above gathers below it
    assert below[64, 64] > 0 > above[64, 64]


def test_phase_contrast_draws_what_is_denser_dark_with_a_bright_halo() -> None:
    path, none = cell(40.0), np.zeros((SIDE, SIDE), dtype=np.float32)
    seen = image(PHASE, path, none, PHASE.plane_um)
    background = np.median(seen)
    assert background == pytest.approx(PHASE.ring_transmission, rel=0.05)
    assert seen[64, 64] < 0.8 * background
    assert seen[64 + 24 : 64 + 34, 64].max() > 1.03 * background


@pytest.mark.parametrize("absorbance", [0.001, 0.1, 0.5, 1.0])
def test_absorbance_is_decadic(absorbance: float) -> None:
    flat = np.full((SIDE, SIDE), absorbance, dtype=np.float32)
    assert image(BRIGHT, np.zeros_like(flat), flat, 5.0) == pytest.approx(10**-absorbance, rel=1e-3)


def test_an_even_path_difference_is_unseen() -> None:
    flat = np.full((SIDE, SIDE), 133.0, dtype=np.float32)
    assert image(BRIGHT, flat, np.zeros_like(flat), 5.0) == pytest.approx(1, rel=1e-3)


def test_photons_are_those_of_the_lamp() -> None:
    scope = Microscope(OBJECTIVE, mode="transmitted", path=CLEAN)
    view = View((50, 50), (64, 80), 0.325)
    empty = scope.image(Plain(), view, None, 2.0, LAMP, 0.01)
    expected = 0.01e-3 / (250e-4) ** 2 * 0.01 * (0.325e-4) ** 2 / photon_energy_j(546) * 0.6
    assert empty == pytest.approx(expected, rel=1e-3)
    grey = scope.image(Plain(absorbance=lambda y, x: 0.3 + 0 * y * x), view, None, 2.0, LAMP, 0.01)
    assert grey == pytest.approx(expected * 10**-0.3, rel=2e-3)


def test_a_cell_lies_where_it_lies() -> None:
    """The image of a small dense spot is centred on it, whatever the margin drawn around the view."""
    scope = Microscope(OBJECTIVE, mode="transmitted", path=CLEAN, condenser=replace(PHASE, plane_um=2.0))
    spot = Plain(path_nm=lambda y, x: 40 * np.exp(-((y - 51) ** 2 + (x - 48.5) ** 2) / 2))
    view = View((50, 50), (63, 90), 0.325)
    dark = 1 - (seen := scope.image(spot, view, None, 2.0, LAMP, 0.01)) / np.median(seen)
    dark *= dark > 0.5 * dark.max()
    row, column = view.pixels(np.array(51.0), np.array(48.5))
    y, x = np.indices(view.shape)
    assert (dark * y).sum() / dark.sum() == pytest.approx(float(row), abs=0.1)
    assert (dark * x).sum() / dark.sum() == pytest.approx(float(column), abs=0.1)
    assert math.isclose(scope.pixel_um, 0.325)


@pytest.mark.parametrize("contrast", ["brightfield", "phase"])
def test_what_lies_at_the_border_looks_as_it_does_in_the_middle(contrast: str) -> None:
    """A view cut out of a larger one: the far side of the image does not reach in."""
    scope = Microscope(OBJECTIVE, mode="transmitted", path=CLEAN, condenser=Condenser(contrast))  # type: ignore[arg-type]

    def slabs(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.asarray(120.0 / (1 + np.exp(-8 * np.sin(2 * np.pi * (x + 0.3 * y) / 31))))

    sample = Plain(path_nm=slabs)
    large = scope.image(sample, View((50, 50), (256, 320), 0.325), None, 7.0, LAMP, 0.01)
    small = scope.image(sample, View((50, 50), (128, 160), 0.325), None, 7.0, LAMP, 0.01)
    difference = np.abs(small - large[64:192, 80:240]) / large.mean()
    assert difference.max() < 0.15
    assert difference[8:-8, 8:-8].max() < 0.08  # a halo reaches far


@pytest.mark.parametrize("change", [{"contrast": "dic"}, {"na": 0.0}, {"ring": (0.3, 0.2)}, {"ring_transmission": 0.0}])
def test_impossible_condensers_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match=r"found .*, expected"):
        Condenser(**change)
