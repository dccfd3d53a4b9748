"""The pixels of a chip differ, and keep their differences in regions and bins."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen.sensor import EMCCD, SCMOS, Emccd, Sensor, _strips
from onscope.specimen.sensor._deviates import draw
from onscope.specimen.sensor._strips import strips

CHIP = replace(SCMOS, chip=(96, 128), pattern_seed=5)


def mean_frame(sensor: Sensor, photons: float, shape: tuple[int, int], count: int = 300, **how: object) -> np.ndarray:
    rng = np.random.default_rng(1)
    level = np.full(shape, photons, dtype=np.float32)
    frames = [sensor.expose(level, rng, **how).astype(np.float64) for _ in range(count)]  # type: ignore[arg-type]
    return np.asarray(np.mean(frames, axis=0))


def test_response_and_offset_differ_as_stated() -> None:
    sensor = replace(CHIP, response_spread=0.03, offset_spread_counts=2.0, hot_share=0.0)
    dark, bright = (mean_frame(sensor, photons, (96, 128)) for photons in (0.0, 4000.0))
    # means of 300 frames: 0.13 counts of read noise, 3.5e-4 of the bright level
    assert dark.std() == pytest.approx(2.0, rel=0.05)
    response = (bright - dark) / (bright - dark).mean()
    assert response.std() == pytest.approx(0.03, rel=0.05)
    assert dark.mean() == pytest.approx(100, abs=0.2)


def test_photon_transfer_of_single_pixels_gives_the_gain() -> None:
    """With pixels that differ, only the variance of each pixel over time obeys the photon transfer."""
    sensor = replace(CHIP, response_spread=0.05, offset_spread_counts=3.0, hot_share=0.0)
    rng = np.random.default_rng(2)
    means, variances = [], []
    for photons in (5.0, 50.0, 500.0):
        level = np.full((96, 128), photons, dtype=np.float32)
        pairs = [sensor.expose(level, rng).astype(np.float64) for _ in range(40)]
        means.append(np.mean(pairs))
        variances.append(np.mean(np.var(pairs, axis=0, ddof=1)))
    slope = np.polyfit(means, variances, 1)[0]
    assert slope == pytest.approx(1 / 0.46, rel=0.01)


def test_hot_pixels_glow_with_the_exposure() -> None:
    sensor = replace(CHIP, hot_share=0.01, offset_spread_counts=0.0, read_noise_spread=0.0)
    short, long = (mean_frame(sensor, 0.0, (96, 128), 60, exposure_s=t) for t in (0.0, 1.0))
    glow = long - short
    hot = glow > 20
    assert hot.mean() == pytest.approx(0.01, abs=4 * np.sqrt(0.01 / hot.size) + 0.002)
    assert np.median(glow[hot]) == pytest.approx(200 / 0.46, rel=0.5)
    assert glow[~hot].mean() == pytest.approx(0.06 / 0.46, abs=0.05)


@given(top=st.integers(0, 60), left=st.integers(0, 80))
@settings(max_examples=10, deadline=None)
def test_a_region_has_the_pixels_of_its_place(top: int, left: int) -> None:
    sensor = replace(CHIP, read_noise_electrons=0.0, offset_spread_counts=30.0)
    whole = sensor.expose(np.zeros((96, 128), dtype=np.float32), np.random.default_rng(0))
    region = sensor.expose(np.zeros((36, 48), dtype=np.float32), np.random.default_rng(1), corner=(top, left))
    assert np.array_equal(region, whole[top : top + 36, left : left + 48])


def test_binned_pixels_add_their_light_and_their_read_noise() -> None:
    sensor = replace(CHIP, chip=(256, 256), read_noise_spread=0.0, response_spread=0.0, offset_spread_counts=0.0)
    dark = [
        sensor.expose(np.zeros((256 // b, 256 // b), dtype=np.float32), np.random.default_rng(3), binning=b).astype(
            float
        )
        for b in (1, 2)
    ]
    assert dark[1].std() / dark[0].std() == pytest.approx(2, rel=0.03)
    assert dark[1].mean() == pytest.approx(100, abs=0.2)
    full = replace(sensor, full_well_electrons=5000.0)
    many = np.full((64, 64), 1e6, dtype=np.float32)
    tops = [int(full.expose(many, np.random.default_rng(4), binning=b).max()) - 100 for b in (1, 2)]
    assert tops[1] == pytest.approx(4 * tops[0], rel=1e-3)
    assert full.expected_counts(many, binning=2).max() - 100 == pytest.approx(4 * tops[0], rel=1e-3)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_fewer_bits_keep_range_and_lose_steps(bits: int) -> None:
    sensor = replace(SCMOS.with_bits(bits), chip=None, hot_share=0.0)
    assert sensor.bit_depth == bits
    assert sensor.saturation_counts == pytest.approx(SCMOS.saturation_counts / 2 ** (16 - bits), abs=1)
    level = np.full((200, 200), 8000.0, dtype=np.float32)
    frame = sensor.expose(level, np.random.default_rng(5))
    assert frame.mean() == pytest.approx(float(SCMOS.expected_counts(level).mean()) / 2 ** (16 - bits), rel=0.01)
    assert (sensor.expose(np.full((9, 9), 1e9, dtype=np.float32), np.random.default_rng(6)) <= 2**bits - 1).all()


@given(rows=st.integers(1, 3000), columns=st.integers(1, 3000))
@settings(deadline=None)
def test_strips_cover_a_frame_once(rows: int, columns: int) -> None:
    pieces = strips((rows, columns))
    assert pieces[0].start == 0
    assert pieces[-1].stop == rows
    assert all(a.stop == b.start for a, b in itertools.pairwise(pieces))


def test_large_frames_are_drawn_like_small_ones() -> None:
    """A frame that two threads draw in strips has the numbers of the formula, strip by strip."""
    photons = np.random.default_rng(0).random((800, 901), dtype=np.float32) * 30
    sensor = Sensor(read_noise_spread=0.0)
    frame = sensor.expose(photons, np.random.default_rng(9))
    rng = np.random.default_rng(9)
    pieces = [draw(rng, (rows.stop - rows.start, 901)).deviates() for rows in strips((800, 901))]
    z = np.concatenate(pieces).astype(np.float64)
    mean = photons * 0.8
    variance = 1.6**2 + mean
    b = mean / variance / 6
    electrons = mean + np.sqrt(variance - 2 * b * b) * z + b * (z * z - 1)
    expected = np.floor(np.clip(electrons * 2.2 + 100.5, 0, None))
    assert (np.abs(frame - expected) <= 1).all()
    assert (frame == expected).mean() > 0.999


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    photons = np.random.default_rng(0).random((300, 901), dtype=np.float32) * 30
    chip = replace(SCMOS, chip=(300, 901), hot_share=0.01)
    frames = []
    for parallel in (1, 10**9):
        monkeypatch.setattr(_strips, "PARALLEL_PIXELS", parallel)
        frames.append(chip.expose(photons, np.random.default_rng(2), exposure_s=1.0))
    assert np.array_equal(frames[0], frames[1])
    turned = np.asfortranarray(photons)  # the order of the pixels in memory is no matter either
    assert np.array_equal(chip.expose(turned, np.random.default_rng(2), exposure_s=1.0), frames[0])


def test_hot_pixels_stay_with_the_chip_in_regions_and_bins() -> None:
    """An exposure so long that each hot pixel is far above all noise, and no other."""
    sensor = replace(CHIP, hot_share=0.01, hot_electrons_s=2000.0, dark_electrons_s=0.0, full_well_electrons=1e7)
    dark = np.zeros((96, 128), dtype=np.float32)
    whole = sensor.expose(dark, np.random.default_rng(0), exposure_s=2.0) > 200
    assert 60 < whole.sum() < 190
    region = sensor.expose(dark[:40, :50], np.random.default_rng(1), exposure_s=2.0, corner=(31, 45)) > 200
    assert np.array_equal(region, whole[31:71, 45:95])
    binned = sensor.expose(dark[:20, :30], np.random.default_rng(2), exposure_s=2.0, corner=(11, 5), binning=3) > 200
    assert np.array_equal(binned, whole[11:71, 5:95].reshape(20, 3, 30, 3).any(axis=(1, 3)))


def test_dark_current_of_bins_is_the_sum_of_their_pixels() -> None:
    sensor = replace(CHIP, hot_share=0.05, hot_electrons_s=30.0, dark_electrons_s=2.0, offset_spread_counts=0.0)
    means = [mean_frame(sensor, 0.0, (96 // b, 128 // b), 200, exposure_s=1.0, binning=b) - 100 for b in (1, 2)]
    summed = means[0].reshape(48, 2, 64, 2).sum(axis=(1, 3))
    # 200 frames of (4 read noises squared + dark current) electrons, on both sides; offsets are cut at half counts
    error = np.sqrt(2 * (4 * 2.0 + summed * 0.46) / 200) / 0.46
    assert np.abs(means[1] - summed).mean() < 2 * error.mean()
    assert means[1].mean() == pytest.approx(summed.mean(), rel=0.02)


@pytest.mark.parametrize("sensor", [SCMOS, Sensor(), EMCCD])
def test_light_without_end_saturates_and_what_is_no_number_is_refused(sensor: Sensor | Emccd) -> None:
    top = sensor.saturation_counts
    for photons in (1e9, 1e30, np.inf):
        frame = sensor.expose(np.full((20, 20), photons, dtype=np.float32), np.random.default_rng(0))
        assert frame.max() == top
        assert frame.min() > 0.99 * top
        assert sensor.expected_counts(np.full((2, 2), photons, dtype=np.float32)).max() == top
    for photons in (np.nan, -1.0):
        with pytest.raises(ValueError, match=r"found .* photons"):
            sensor.expose(np.full((20, 20), photons, dtype=np.float32), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("sensor", "shape", "how"),
    [
        (CHIP, (96, 129), {}),
        (CHIP, (96, 128), {"corner": (1, 0)}),
        (CHIP, (50, 50), {"binning": 2}),
        (CHIP, (50, 50), {"corner": (-1, 0)}),
        (Sensor(), (50, 50), {"corner": (5, 5)}),
    ],
)
def test_regions_beyond_the_chip_are_refused(sensor: Sensor, shape: tuple[int, int], how: dict) -> None:
    with pytest.raises(ValueError, match="found a region"):
        sensor.expose(np.zeros(shape, dtype=np.float32), np.random.default_rng(0), **how)


@pytest.mark.parametrize("change", [{"hot_share": 1.5}, {"response_spread": -0.1}, {"dark_electrons_s": -1.0}])
def test_impossible_pixels_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(SCMOS, **change)
