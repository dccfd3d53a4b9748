"""The yardsticks themselves: matching, references, targets."""

from __future__ import annotations

import numpy as np
import pytest

from onscope.export.zoo._losses import spot_targets
from onscope.export.zoo._metrics import best_gaussian, match, psnr, reference_spots
from onscope.export.zoo._scenes import draw_demo, signal_to_noise
from onscope.specimen import DEMO_SENSOR, Beads, render

SHAPE = (100, 100)


def test_psnr_is_span_over_rms_error() -> None:
    truth = np.linspace(0, 100, 50).reshape(5, 10)
    assert psnr(truth + 1, truth) == pytest.approx(40.0)


def test_match_pairs_each_spot_once() -> None:
    truth = np.array([[10.0, 10.0], [20.0, 20.0], [50.0, 50.0]])
    spots = np.array([[10.3, 10.4], [10.1, 10.1], [20.0, 21.0], [80.0, 80.0]])
    found = match(spots, truth, SHAPE)
    assert (found.matched, found.spurious, found.missed) == (2, 2, 1)
    assert found.precision == pytest.approx(0.5)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(4 / 7)
    assert found.rms_px == pytest.approx(np.sqrt((0.02 + 1.0) / 2))


def test_match_beyond_the_radius_is_none_and_faint_or_border_ones_do_not_count() -> None:
    truth = np.array([[10.0, 10.0]])
    assert match(np.array([[12.0, 10.0]]), truth, SHAPE).matched == 0
    faint = match(np.array([[40.0, 40.0], [0.5, 60.0]]), truth, SHAPE, faint=np.array([[40.5, 40.0]]))
    assert (faint.matched, faint.spurious, faint.missed) == (0, 0, 1)
    nothing = match(np.zeros((0, 2)), np.zeros((0, 2)), SHAPE)
    assert (nothing.matched, nothing.spurious, nothing.missed) == (0, 0, 0)


def test_reference_spots_are_sub_pixel_exact() -> None:
    beads = Beads(np.array([20.3, 60.75]), np.array([30.6, 71.2]), np.array([900.0, 1500.0]), np.array([1.8, 2.4]))
    found = reference_spots(render(beads, SHAPE) + 5, least=3.0)
    assert found[np.argsort(found[:, 0])] == pytest.approx(np.stack((beads.y, beads.x), axis=1), abs=0.02)


def test_signal_to_noise_is_that_of_a_matched_filter() -> None:
    bead = Beads(np.array([20.2]), np.array([19.7]), np.array([60.0]), np.array([1.5]))
    mean = render(bead, (40, 40))
    template = mean / mean.sum()
    rng = np.random.default_rng(0)
    empty = [np.sum(DEMO_SENSOR.expose(np.full((40, 40), 4.0, np.float32), rng) * template) for _ in range(600)]
    signal = float(np.sum(mean * template)) * 0.8 * 2.2
    assert signal_to_noise(bead, DEMO_SENSOR, 4.0)[0] == pytest.approx(signal / np.std(empty), rel=0.12)


def test_best_gaussian_knows_the_truth() -> None:
    example = draw_demo(1, (96, 96))
    assert best_gaussian(example.frame, example.truth) > psnr(example.frame, example.truth) + 5


def test_targets_hold_the_position_and_leave_doubtful_beads_open() -> None:
    beads = Beads(np.array([10.25, 31.0]), np.array([21.5, 8.0]), np.array([900.0, 20.0]), np.array([1.5, 1.5]))
    heat, offsets, weight = spot_targets(beads, np.array([30.0, 5.0]), (40, 50))
    assert heat.shape == (20, 25)
    assert np.argwhere(heat == 1).tolist() == [[5, 10], [5, 11]]
    assert offsets[:, 5, 11] == pytest.approx([0.25, -0.5, 1.0])
    assert offsets[:, 5, 10] == pytest.approx([0.25, 1.5, 1.0])
    assert weight[15, 4] == 0
    assert weight[5, 11] == 1
