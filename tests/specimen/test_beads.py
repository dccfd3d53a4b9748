"""Beads are drawn exactly where they are, with all of their photons, at every zoom; scenes are seeded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad

from onscope.specimen import Beads, Scene, SceneRanges, no_beads, render


def one(y: float, x: float, photons: float = 1000.0, sigma: float = 1.3) -> Beads:
    return Beads(np.array([y]), np.array([x]), np.array([photons]), np.array([sigma]))


@given(y=st.floats(12, 19), x=st.floats(14, 24), sigma=st.floats(0.9, 1.6), zoom=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_position_photons_and_width_are_exact(y: float, x: float, sigma: float, zoom: int) -> None:
    image = render(one(y, x, sigma=sigma), (32, 40), zoom=zoom).astype(np.float64)
    rows = (np.arange(32 * zoom) + 0.5) / zoom - 0.5
    columns = (np.arange(40 * zoom) + 0.5) / zoom - 0.5
    assert image.sum() == pytest.approx(1000, rel=1e-5)
    centre_y, centre_x = (image.sum(1) @ rows) / image.sum(), (image.sum(0) @ columns) / image.sum()
    assert (centre_y, centre_x) == pytest.approx((y, x), abs=1e-4)
    variance = (image.sum(0) @ (columns - centre_x) ** 2) / image.sum()
    assert variance == pytest.approx(sigma**2 + 1 / (12 * zoom**2), rel=1e-3)  # a pixel adds its own width


def test_a_pixel_holds_the_integral_over_its_square() -> None:
    image = render(one(4.3, 5.2, sigma=0.9), (9, 11))

    def density(x: float, y: float) -> float:
        squared = (y - 4.3) ** 2 + (x - 5.2) ** 2
        return float(1000 / (2 * np.pi * 0.81) * np.exp(-squared / (2 * 0.81)))

    for row, column in ((4, 5), (3, 6), (6, 3)):
        integral = dblquad(density, row - 0.5, row + 0.5, column - 0.5, column + 0.5)[0]
        assert image[row, column] == pytest.approx(integral, rel=1e-4)


def test_zoomed_scene_is_the_same_scene() -> None:
    scene = SceneRanges(haze_fraction=1.0, empty_fraction=0.0).draw((40, 56), np.random.default_rng(3))
    fine = scene.photons(zoom=2)
    assert fine.shape == (80, 112)
    assert fine.dtype == np.float32
    assert fine.reshape(40, 2, 56, 2).sum(axis=(1, 3)) == pytest.approx(scene.photons(), rel=1e-4)


def test_peak_photons_are_those_of_a_centred_pixel() -> None:
    bead = one(10, 12, sigma=1.7)
    assert render(bead, (21, 25)).max() == pytest.approx(bead.peak_photons[0], rel=1e-5)


def test_same_seed_same_scene() -> None:
    first, again, other = (SceneRanges().draw((64, 64), np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first.photons(), again.photons())
    assert not np.array_equal(first.photons(), other.photons())


def test_scenes_stay_within_their_ranges() -> None:
    ranges = SceneRanges(beads_per_megapixel=(3000, 3001), peak_photons=(50, 60), empty_fraction=0.0, haze_fraction=0.0)
    rng = np.random.default_rng(0)
    scenes = [ranges.draw((128, 128), rng) for _ in range(40)]
    per_megapixel = np.mean([len(scene.beads) for scene in scenes]) / (140 * 140) * 2**20
    assert per_megapixel == pytest.approx(3000, rel=0.05)
    peaks = np.concatenate([scene.beads.peak_photons for scene in scenes])
    assert 15 <= peaks.min() < peaks.max() <= 60
    widths = np.concatenate([scene.beads.sigma_px for scene in scenes])
    assert 0.8 <= widths.min() < widths.max() <= 2.6 * 1.6
    assert all(0.5 <= scene.background_photons <= 60 for scene in scenes)


def test_some_scenes_are_empty() -> None:
    scene = SceneRanges(empty_fraction=1.0, haze_fraction=0.0).draw((32, 32), np.random.default_rng(0))
    assert len(scene.beads) == 0
    assert np.ptp(scene.photons()) == 0


def test_scene_without_beads_is_background() -> None:
    assert Scene((16, 20), no_beads(), background_photons=3.0).photons() == pytest.approx(np.full((16, 20), 3.0))
