"""Trainings against a discriminator, pairs of two kinds of light, filters brought to the truth's brightness."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from onscope.export.zoo._metrics import psnr
from onscope.export.zoo.networks.superresolve import CrossModalityDiscriminator, SrganDiscriminator, SrResNet
from onscope.export.zoo.systems.superresolve._adversarial_task import AdversarialTask
from onscope.export.zoo.systems.superresolve._enlarging import best_enlargements
from onscope.export.zoo.systems.superresolve._fine import behind_coarse_pixels, coarse
from onscope.export.zoo.systems.superresolve._resolution import spectrum_error_db

from .test_enlarging import lines


def task(alone: int, weight: float = 0.2) -> AdversarialTask:
    torch.manual_seed(0)
    light = np.stack([lines(64, seed) for seed in range(4)])
    sizes = {"light": light, "batch": 2, "side": 16, "field": 24}
    return AdversarialTask(SrResNet(4, 1, scale=2), SrganDiscriminator(2, side=32, dense=8), alone, weight, **sizes)


def test_the_discriminator_is_silent_at_first_and_learns_later() -> None:
    one = task(alone=1)
    before = [parameter.clone() for parameter in one.discriminator.parameters()]
    rng = np.random.default_rng(0)
    one.loss(rng)
    assert all(torch.equal(a, b) for a, b in zip(before, one.discriminator.parameters(), strict=True))
    one.loss(rng).backward()  # type: ignore[no-untyped-call]
    assert not all(torch.equal(a, b) for a, b in zip(before, one.discriminator.parameters(), strict=True))
    # The network is taught by its word; it itself is not taught to say "real" of what is drawn.
    assert all(parameter.requires_grad for parameter in one.discriminator.parameters())
    assert all(parameter.grad is not None for parameter in one.network.parameters())


def test_the_discriminator_s_word_counts_by_its_weight() -> None:
    losses = [float(task(0, weight).loss(np.random.default_rng(1)).detach()) for weight in (0.0, 1.0, 2.0)]
    assert losses[1] > losses[0]
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0], rel=1e-4)


def test_the_discriminator_tells_lines_from_noise_after_a_while() -> None:
    one = task(0)
    one.discriminator = CrossModalityDiscriminator(4, 3)
    one.learner = torch.optim.Adam(one.discriminator.parameters(), lr=3e-3)
    rng = np.random.default_rng(2)
    noise = torch.from_numpy(rng.random((2, 1, 32, 32)).astype(np.float32))
    for _ in range(30):
        one._teach(noise, one.examples(rng)[1])
    with torch.no_grad():
        real, drawn = one.discriminator(one.examples(rng)[1]), one.discriminator(noise)
    assert float(real.mean()) > float(drawn.mean()) + 1


def test_the_truth_may_be_of_another_light_than_the_frame() -> None:
    seen, sharp = lines(64, 1), lines(64, 2)
    frame = behind_coarse_pixels(seen, np.random.default_rng(0), 1000.0, sharp=sharp)
    assert np.corrcoef(frame.counts.ravel(), coarse(seen).ravel())[0, 1] > 0.95
    assert np.corrcoef(frame.truth.ravel(), sharp.ravel())[0, 1] > 0.999


def test_filters_may_be_brought_to_the_truth_s_brightness() -> None:
    light = lines(64, 3)
    frame = behind_coarse_pixels(light, np.random.default_rng(0), 2000.0, sharp=0.2 * light)
    as_it_is, fitted = (
        psnr(best_enlargements(frame.counts, frame.truth, one)["Richardson-Lucy"], frame.truth) for one in (False, True)
    )
    assert as_it_is < 10
    assert fitted > 20


def test_the_spectrum_s_error_is_that_of_strengths_alone() -> None:
    truth = np.random.default_rng(4).normal(size=(64, 64))
    other = np.random.default_rng(5).normal(size=(64, 64))
    assert spectrum_error_db(truth, truth) == 0
    assert spectrum_error_db(10 * truth, truth) == pytest.approx(20)
    assert spectrum_error_db(other, truth) < 3
