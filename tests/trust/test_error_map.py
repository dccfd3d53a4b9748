"""What is put in, left out or blurred shows in the map; a blur that explains all of it is found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from onscope.runtime.trust import disagreement, error_map, resolution_scaled

from .frames import GAIN, expected, exposed, looked_at, scene


def test_an_invented_object_is_dark_in_the_map_and_a_missing_one_bright() -> None:
    electrons = scene(1)
    raw, answer = exposed(electrons, 2), expected(electrons).copy()
    quiet = error_map(raw, answer)
    answer[96:112, 200:216] += 60  # two blocks of 8 x 8 on each side
    raw[240:256, 40:56] += 60
    found = error_map(raw, answer)
    assert found.map.shape == (48, 48)
    assert found.map[12:14, 25:27].max() < -30
    assert found.map[30:32, 5:7].min() > 30
    elsewhere = np.ones_like(found.map, bool)
    elsewhere[12:14, 25:27] = elsewhere[30:32, 5:7] = False
    assert abs(found.map[elsewhere]).max() < 10
    assert found.rse > 1.5 * quiet.rse


def test_what_remains_of_the_truth_is_the_noise_of_a_mean_of_64_pixels() -> None:
    flat = np.full((384, 384), 50.0, np.float32)
    found = error_map(exposed(flat, 3), expected(flat))
    assert found.rse == pytest.approx(np.sqrt(50 * GAIN**2 + 9) / 8, rel=0.1)


@pytest.mark.parametrize("sigma", [0.0, 1.2, 3.0])
def test_blurred_back_a_sharper_image_gives_the_raw_one(sigma: float) -> None:
    """The raw frame is the sharp scene behind a blur; its width, gain and offset are found again."""
    sharp = scene(4)
    blurred = cv2.GaussianBlur(sharp, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) if sigma else sharp
    raw = expected(blurred)
    found = resolution_scaled(raw, sharp)
    assert found.sigma_px == pytest.approx(sigma, abs=0.1)
    assert found.slope == pytest.approx(GAIN, rel=0.02)
    assert found.rsp > 0.9999
    assert found.rse < 0.02 * float(raw.std())
    noisy = resolution_scaled(exposed(blurred, 5), sharp)
    assert noisy.sigma_px == pytest.approx(sigma, abs=0.4)


def test_a_width_that_is_given_is_taken() -> None:
    sharp = scene(6, (128, 128))
    raw = expected(cv2.GaussianBlur(sharp, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT))
    assert resolution_scaled(raw, sharp, 2.0).rse < 0.1 * resolution_scaled(raw, sharp, 0.0).rse


def test_four_times_the_pixels_are_compared_on_the_grid_of_the_frame() -> None:
    electrons = scene(7)
    raw = exposed(electrons, 8)
    fine = np.kron(expected(electrons), np.ones((2, 2), np.float32))
    assert error_map(raw, fine).map == pytest.approx(error_map(raw, expected(electrons)).map, abs=1e-2)
    assert resolution_scaled(raw, fine, 0.0).rsp == pytest.approx(resolution_scaled(raw, expected(electrons), 0.0).rsp)
    with pytest.raises(ValueError, match="whole multiple"):
        error_map(raw, fine[:-1])


def test_disagreement_is_a_share_of_what_the_network_changes() -> None:
    electrons = scene(9)
    raw, answer = looked_at(exposed(electrons, 10)), looked_at(expected(electrons))
    assert disagreement(raw, answer, answer) == 0
    assert disagreement(raw, answer, answer + 0.05 * (answer - raw)) == pytest.approx(0.05, rel=1e-3)
    assert np.isnan(disagreement(raw, raw, raw))
