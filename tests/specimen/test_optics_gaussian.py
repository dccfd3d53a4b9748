"""The width of a point follows aperture, wavelength and pixel size, and is that of the Airy disc."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from onscope.specimen import Optics


def test_width_is_0_21_wavelengths_over_na() -> None:
    optics = Optics(na=1.4, emission_um=0.6, pixel_um=0.1)
    assert optics.sigma_um == pytest.approx(0.21 * 0.6 / 1.4)
    assert optics.sigma_px == pytest.approx(0.9)
    assert Optics(na=0.7, emission_um=0.6, pixel_um=0.1).sigma_px == pytest.approx(2 * optics.sigma_px)
    assert Optics(na=1.4, emission_um=0.5, pixel_um=0.1).sigma_um < optics.sigma_um


def test_gaussian_is_the_one_nearest_to_the_airy_disc() -> None:
    optics = Optics(na=0.8, emission_um=0.52)
    radius = np.linspace(0, optics.airy_radius_um, 400)
    airy = optics.airy(radius)

    def distance(sigma_um: float) -> float:
        return float(np.sum((np.exp(-(radius**2) / (2 * sigma_um**2)) - airy) ** 2))

    best = minimize_scalar(distance, bounds=(0.01, 1.0), method="bounded").x
    assert optics.sigma_um == pytest.approx(best, rel=0.03)


def test_airy_disc_is_1_in_the_middle_and_dark_at_its_radius() -> None:
    optics = Optics()
    assert optics.airy(np.array([0.0, 1e-9])) == pytest.approx([1.0, 1.0])
    assert optics.airy(np.array([optics.airy_radius_um]))[0] < 1e-6


def test_bead_of_some_size_is_wider_than_a_point() -> None:
    optics = Optics(na=0.8, emission_um=0.52, pixel_um=0.1)
    assert optics.bead_sigma_px(0.0) == pytest.approx(optics.sigma_px)
    points = np.random.default_rng(0).standard_normal((200_000, 3))
    points *= (np.random.default_rng(1).random(200_000) ** (1 / 3) / np.linalg.norm(points, axis=1))[:, None]
    sphere_um = 0.5 * points  # a solid sphere of 1 um in diameter
    expected = np.sqrt(optics.sigma_um**2 + sphere_um[:, 0].var()) / 0.1
    assert optics.bead_sigma_px(1.0) == pytest.approx(expected, rel=0.01)


def test_sizes_must_be_positive() -> None:
    with pytest.raises(ValueError, match="found na=0"):
        Optics(na=0)
