"""The sensor's noise obeys the photon transfer: what is set is what a calibration would measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import skew

from onscope.specimen import DEMO_SENSOR, Sensor, demo_photons

EVEN = Sensor(
    quantum_efficiency=0.7,
    gain_counts_per_electron=1.9,
    offset_counts=80,
    read_noise_electrons=2.0,
    read_noise_spread=0,
)


def flat(photons: float, side: int = 600) -> np.ndarray:
    return np.full((side, side), photons, dtype=np.float32)


@pytest.mark.parametrize("exact", [False, True])
def test_variance_rises_with_the_mean_at_the_gain(exact: bool) -> None:
    rng = np.random.default_rng(1)
    frames = [EVEN.expose(flat(photons), rng, exact=exact) for photons in (0, 3, 10, 40, 150, 600)]
    means, variances = [frame.mean() for frame in frames], [frame.astype(float).var() for frame in frames]
    slope, start = np.polyfit(means, variances, 1)
    assert slope == pytest.approx(EVEN.gain_counts_per_electron, rel=0.01)
    dark = variances[0]
    assert dark == pytest.approx((1.9 * 2.0) ** 2 + 1 / 12, rel=0.02)
    assert start == pytest.approx(dark - slope * 80, rel=0.02)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("photons", [0.0, 0.7, 5.0, 60.0, 3000.0])
def test_mean_and_variance_are_as_stated(photons: float, exact: bool) -> None:
    frame = EVEN.expose(flat(photons), np.random.default_rng(2), exact=exact).astype(np.float64)
    variance = 1.9**2 * (4 + 0.7 * photons) + 1 / 12
    error_of_mean = np.sqrt(variance / frame.size)
    assert frame.mean() == pytest.approx(80 + 1.9 * 0.7 * photons, abs=5 * error_of_mean)
    assert EVEN.expected_counts(flat(photons, 4)) == pytest.approx(80 + 1.9 * 0.7 * photons, rel=1e-5)
    assert frame.var() == pytest.approx(variance, rel=0.015)


def test_fast_draw_has_the_skewness_of_the_exact_one() -> None:
    for photons in (2.0, 8.0, 50.0):
        fast, exact = (
            skew(EVEN.expose(flat(photons), np.random.default_rng(3), exact=exact).ravel().astype(float))
            for exact in (False, True)
        )
        assert fast == pytest.approx(exact, abs=0.025)


def test_same_seed_same_frame() -> None:
    photons = demo_photons(np.arange(64 * 80).reshape(64, 80) % 300)
    first, again, other = (DEMO_SENSOR.expose(photons, np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert first.dtype == np.uint16
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pixels_keep_their_own_read_noise() -> None:
    sensor = replace(EVEN, read_noise_spread=0.5)
    rng = np.random.default_rng(6)
    dark = np.stack([sensor.expose(flat(0, 40), rng).astype(np.float64) for _ in range(400)])
    first, second = dark[:200].std(axis=0).ravel(), dark[200:].std(axis=0).ravel()
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert np.median(first) == pytest.approx(1.9 * 2.0, rel=0.05)
    assert np.std(np.log(first)) == pytest.approx(0.5, rel=0.1)


def test_bright_pixels_saturate() -> None:
    full = replace(EVEN, full_well_electrons=1000)
    assert full.saturation_counts == 1980
    assert (full.expose(flat(10_000, 20), np.random.default_rng(7)) == 1980).all()
    assert full.expected_counts(flat(10_000, 2)).max() == 1980
    assert replace(EVEN, bit_depth=12).saturation_counts == 4095


def test_light_leaves_the_photons_alone() -> None:
    photons = flat(12.0, 32)
    DEMO_SENSOR.expose(photons, np.random.default_rng(0))
    assert (photons == 12).all()


def test_demo_level_is_the_documented_one() -> None:
    photons = demo_photons(np.array([[0, 300]], dtype=np.uint16))
    assert photons == pytest.approx(np.array([[4.0, 49.0]]))
    assert DEMO_SENSOR.expected_counts(photons) == pytest.approx(np.array([[107.04, 186.24]]))


@pytest.mark.parametrize(
    ("field", "value"),
    [("quantum_efficiency", 1.2), ("bit_depth", 24), ("gain_counts_per_electron", 0.0), ("read_noise_electrons", -1.0)],
)
def test_impossible_sensors_are_refused(field: str, value: float) -> None:
    change: dict[str, Any] = {field: value}
    with pytest.raises(ValueError, match="found"):
        replace(EVEN, **change)


def test_negative_light_is_refused() -> None:
    with pytest.raises(ValueError, match="found -1 photons"):
        EVEN.expose(flat(-1.0, 8), np.random.default_rng(0))
