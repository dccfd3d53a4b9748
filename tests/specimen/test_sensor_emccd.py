"""The EMCCD's statistics are those of its register: twice the photon noise, single photons above the read noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onscope.specimen.sensor import EMCCD, Emccd

PLAIN = replace(EMCCD, clock_induced_electrons=0.0, dark_electrons_s=0.0, chip=None)
SIDE = 400


def flat(photons: float, side: int = SIDE) -> np.ndarray:
    return np.full((side, side), photons, dtype=np.float32)


def test_variance_rises_with_the_mean_at_twice_the_gain() -> None:
    rng = np.random.default_rng(1)
    sensor = replace(PLAIN, em_gain=100.0)
    frames = [sensor.expose(flat(photons), rng).astype(np.float64) for photons in (0, 1, 5, 20, 60, 150)]
    slope = np.polyfit([f.mean() for f in frames], [f.var() for f in frames], 1)[0]
    # the variance of 160,000 pixels is known to 0.4 %, of the skewed ones to 1 %
    assert slope == pytest.approx(sensor.excess_noise * sensor.gain_counts_per_electron, rel=0.02)
    assert sensor.excess_noise == pytest.approx(2, rel=0.02)
    assert frames[0].var() == pytest.approx((45 / 11.2) ** 2 + 1 / 12, rel=0.02)


@pytest.mark.parametrize("photons", [0.02, 0.5, 4.0, 40.0])
def test_mean_and_variance_are_as_stated(photons: float) -> None:
    frame = PLAIN.expose(flat(photons), np.random.default_rng(2)).astype(np.float64)
    g, electrons = PLAIN.gain_counts_per_electron, 0.93 * photons
    variance = PLAIN.excess_noise * g**2 * electrons + (45 / 11.2) ** 2 + 1 / 12
    assert frame.mean() == pytest.approx(200 + g * electrons, abs=5 * np.sqrt(variance) / SIDE)
    assert PLAIN.expected_counts(flat(photons, 4)) == pytest.approx(200 + g * electrons, rel=1e-5)
    # fourth moment of a compound Poisson distribution with exponential jumps: 24 g^4 electrons
    error = np.sqrt(24 * g**4 * electrons + 2 * variance**2) / SIDE
    assert frame.var() == pytest.approx(variance, abs=5 * error)


def test_gain_costs_a_factor_of_root_2_in_bright_light_and_wins_in_dim() -> None:
    def signal_to_noise(sensor: Emccd, photons: float) -> float:
        frame = sensor.expose(flat(photons), np.random.default_rng(3)).astype(np.float64)
        return float((frame.mean() - sensor.offset_counts) / frame.std())

    on, off = PLAIN, replace(PLAIN, em_gain=1.0, electrons_per_count=1.0, read_noise_electrons=0.1)
    excess = signal_to_noise(off, 100) / signal_to_noise(on, 100)
    assert excess == pytest.approx(np.sqrt(2), rel=0.01)
    slow = replace(PLAIN, em_gain=1.0, electrons_per_count=1.0)
    assert signal_to_noise(on, 2) > 10 * signal_to_noise(slow, 2)


def test_clock_induced_charge_makes_exponential_sparks_in_the_dark() -> None:
    sensor = replace(PLAIN, clock_induced_electrons=0.01)
    frame = sensor.expose(flat(0, 1000), np.random.default_rng(4)).astype(np.float64) - 200
    bright = frame[frame > 8 * 45 / 11.2]  # 8 sigma of the read noise
    threshold, g = 8 * 45 / 11.2, sensor.gain_counts_per_electron
    expected = 1e6 * 0.01 * np.exp(-threshold / g)
    assert len(bright) == pytest.approx(expected, abs=5 * np.sqrt(expected) + 0.01 * expected)
    assert bright.mean() - threshold == pytest.approx(g, rel=0.05)


def test_dark_current_collects_with_the_exposure() -> None:
    sensor = replace(PLAIN, dark_electrons_s=0.5)
    frames = [sensor.expose(flat(0), np.random.default_rng(5), exposure_s=t).mean() for t in (0.0, 2.0, 4.0)]
    assert np.diff(frames) == pytest.approx(sensor.gain_counts_per_electron * 1.0, rel=0.03)


def test_binning_on_the_chip_reads_once() -> None:
    dark = [PLAIN.expose(flat(0), np.random.default_rng(6), binning=b).astype(float).std() for b in (1, 4)]
    assert dark[0] == pytest.approx(dark[1], rel=0.02)
    sparks = replace(PLAIN, clock_induced_electrons=0.05)
    means = [sparks.expose(flat(0), np.random.default_rng(7), binning=b).mean() - 200 for b in (1, 2)]
    assert means[1] / means[0] == pytest.approx(4, rel=0.1)
    assert sparks.expected_counts(flat(0, 2), binning=2)[0, 0] == pytest.approx(200 + 0.2 * 300 / 11.2, rel=1e-5)


def test_pixels_and_register_saturate() -> None:
    full = PLAIN.expose(flat(1e6, 20), np.random.default_rng(8))
    assert full.max() == PLAIN.saturation_counts
    assert full.min() > PLAIN.saturation_counts - 5 * 45 / 11.2  # the register is full before the amplifier adds noise
    assert replace(PLAIN, em_gain=1.0).saturation_counts == 200 + int(80_000 / 11.2)
    eight = PLAIN.with_bits(8)
    assert eight.saturation_counts == 255
    assert eight.expected_counts(flat(5, 2))[0, 0] == pytest.approx(PLAIN.expected_counts(flat(5, 2))[0, 0] / 256)


def test_same_seed_same_frame() -> None:
    photons = np.random.default_rng(0).random((700, 500), dtype=np.float32)
    first, again, other = (PLAIN.expose(photons, np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert first.dtype == np.uint16
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "change",
    [{"quantum_efficiency": 0.0}, {"bit_depth": 17}, {"em_gain": 0.5}, {"read_noise_electrons": -1.0}],
)
def test_impossible_sensors_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(EMCCD, **change)


def test_frames_beyond_the_chip_are_refused() -> None:
    with pytest.raises(ValueError, match="within the chip"):
        EMCCD.expose(flat(1, 600), np.random.default_rng(0), binning=2)
    with pytest.raises(ValueError, match="found -2 photons"):
        EMCCD.expose(flat(-2, 8), np.random.default_rng(0))
