"""Residuals of answers that are known to be right or wrong, and in which way."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime.trust import Patches, noise_of, residual_values, restores, values_of

from .frames import GAIN, Image, expected, exposed, looked_at, scene


def values(raw: Image, restored: Image, counts: bool = True) -> dict[str, float]:
    return values_of(looked_at(raw), Patches((raw.shape[0], raw.shape[1])).of(restored), counts=counts)[0]


@pytest.mark.parametrize("seed", range(5))
def test_the_residual_of_the_truth_is_white_and_without_a_mean(seed: int) -> None:
    """Bias and correlations of n independent pixels have the standard error 1 / sqrt(n): five of them are allowed."""
    electrons = scene(seed)
    raw = exposed(electrons, seed + 100)
    found = values(raw, expected(electrons))
    error = 1 / np.sqrt(looked_at(raw).size)
    assert abs(found["bias"]) < 5 * error
    assert abs(found["whiteness y"]) < 5 * error
    assert abs(found["whiteness x"]) < 5 * error
    assert found["removed"] == pytest.approx(1, abs=0.15)
    assert found["rse"] == pytest.approx(1, abs=0.25)
    assert found["rsp"] > 0.9


def test_signal_dependent_noise_stays_white_where_one_pixel_in_a_thousand_has_most_of_the_variance() -> None:
    electrons = scene(1, brightest=20_000.0)
    found = values(exposed(electrons, 2), expected(electrons))
    assert abs(found["whiteness y"]) < 0.02
    assert abs(found["whiteness x"]) < 0.02
    assert abs(found["bias"]) < 0.02


def test_structure_that_was_smoothed_away_is_correlated_in_the_residual() -> None:
    electrons = scene(3)
    raw = exposed(electrons, 4)
    sharp = values(raw, expected(electrons))
    smoothed = values(raw, cv2.GaussianBlur(expected(electrons), (0, 0), 4))
    assert smoothed["whiteness y"] > sharp["whiteness y"] + 0.05
    assert smoothed["whiteness x"] > sharp["whiteness x"] + 0.05
    assert smoothed["rse"] > 2 * sharp["rse"]


def test_a_filter_that_leaves_low_frequencies_of_the_noise_has_a_negative_whiteness() -> None:
    """Of white noise n the residual of a mean over 3 x 3 is n - mean(n): variance 8/9, covariance of neighbours
    -1/9 -1/9 + 6/81 = -12/81, a correlation of -1/6."""
    noise = np.random.default_rng(0).normal(1000, 10, (384, 384)).astype(np.float32)
    found = values(noise, cv2.blur(noise, (3, 3)))
    assert found["whiteness y"] == pytest.approx(-1 / 6, abs=0.01)
    assert found["whiteness x"] == pytest.approx(-1 / 6, abs=0.01)
    assert found["removed"] == pytest.approx(np.sqrt(8 / 9), abs=0.01)


def test_a_network_that_gives_its_input_back_removed_nothing() -> None:
    raw = exposed(scene(5), 6)
    found = values(raw, raw)
    assert found["removed"] == 0
    assert found["bias"] == 0
    assert "whiteness y" not in found


@pytest.mark.parametrize("shift", [-3.0, 1.0])
def test_light_that_was_added_or_lost_is_a_bias_in_units_of_the_noise(shift: float) -> None:
    flat = np.full((384, 384), 50.0, np.float32)
    raw = exposed(flat, 7)
    found = values(raw, expected(flat) + np.float32(shift))
    noise = np.sqrt(50 * GAIN**2 + 9 + 1 / 12)
    assert found["bias"] == pytest.approx(-shift / noise, abs=0.02)


def test_stripes_that_are_taken_away_are_seen_along_the_rows_alone() -> None:
    flat = np.full((384, 384), 50.0, np.float32)
    stripes = np.random.default_rng(8).normal(0, 8, (384, 1)).astype(np.float32)
    raw = exposed(flat, 9) + stripes
    taken = values(raw, expected(flat))
    assert taken["whiteness x"] > 0.15
    assert abs(taken["whiteness y"]) < 0.05
    kept = values(raw, expected(flat) + stripes)
    assert abs(kept["whiteness x"]) < 0.02


def test_answers_in_other_units_are_fitted_and_have_no_bias() -> None:
    electrons = scene(10)
    raw = exposed(electrons, 11)
    own = values(raw, expected(electrons))
    other = values(raw, electrons / 400, counts=False)
    assert "bias" not in other
    for name in ("whiteness y", "whiteness x", "removed", "rse", "rsp"):
        assert other[name] == pytest.approx(own[name], abs=2e-3)


def test_an_answer_with_twice_the_pixels_is_brought_to_the_grid_of_the_frame() -> None:
    electrons = scene(12)
    raw = exposed(electrons, 13)
    fine = np.kron(expected(electrons), np.ones((2, 2), np.float32))
    assert values(raw, fine) == pytest.approx(values(raw, expected(electrons)))


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 40), st.floats(-1000, 20_000), st.integers(0, 1000))
def test_gain_and_offset_of_the_camera_do_not_matter(gain: float, offset: float, seed: int) -> None:
    electrons = scene(seed, (128, 128))
    raw, truth = exposed(electrons, seed).astype(np.float32), expected(electrons)
    own = values(raw, truth)
    other = values(raw * np.float32(gain) + np.float32(offset), truth * np.float32(gain) + np.float32(offset))
    assert list(own) == list(other)
    for name, value in own.items():
        assert other[name] == pytest.approx(value, rel=0.02, abs=5e-3), name


@pytest.mark.parametrize("sigma", [0.5, 5.0, 300.0])
def test_the_noise_of_a_frame_is_measured(sigma: float) -> None:
    noise = np.random.default_rng(1).normal(2000, sigma, (256, 256)).astype(np.float32)
    assert noise_of(looked_at(noise)) == pytest.approx(sigma, rel=0.02)


def test_nothing_is_said_of_a_frame_of_one_value_or_with_nan() -> None:
    flat = np.full((128, 128), 7, np.uint16)
    assert values(flat, flat) == {}
    ramp = np.tile(np.arange(128, dtype=np.uint16), (128, 1))
    assert values(ramp, ramp + np.uint16(1)) == {}
    holed = exposed(scene(1, (128, 128)), 1).astype(np.float32)
    holed[5, 5] = np.nan
    assert values(holed, holed) == {}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 90), st.integers(0, 300), st.integers(0, 300))
def test_patches_lie_inside_frames_of_any_size(times: int, tall: int, wide: int) -> None:
    patches = Patches((tall, wide))
    assert (len(patches.corners) == 0) == (min(tall, wide) < 64)
    assert all(0 <= y <= tall - 64 and 0 <= x <= wide - 64 for y, x in patches.corners)
    assert len(set(patches.corners)) == len(patches.corners) <= 36


@pytest.mark.parametrize("shape", [(64, 96), (300, 200)])
def test_images_of_another_field_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"expected one of the field"):
        Patches((128, 128)).of(np.zeros(shape))


def test_what_restores_is_told_from_what_makes_something_else() -> None:
    electrons = scene(14)
    raw, truth = exposed(electrons, 15), expected(electrons)
    assert restores(raw, truth)
    assert restores(raw, np.kron(truth, np.ones((2, 2))))
    assert restores(raw, raw)
    assert not restores(raw, (truth > 300).astype(np.float32))
    assert not restores(raw, 1000 - truth)
    assert not restores(raw, truth[:-1])
    assert not restores(raw, np.stack([truth, truth]))
    assert not restores(raw, np.zeros_like(truth))
    assert not restores(raw, truth / truth.max())


def test_a_residual_without_spread_has_its_bias_told() -> None:
    level = np.full((64, 64), 4.0, np.float32)
    assert residual_values(level, level, 1.0) == {"bias": 0.0, "removed": 0.0}
    assert residual_values(level + 1, level, 1.0)["bias"] == np.inf
