"""The network for nuclei as plain PyTorch, and its training: turning is exact, seeds decide, learning happens."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from onscope.export.zoo._nuclei_task import NucleiTask, relit, star_loss, turned
from onscope.export.zoo._stars import GRID, RAYS, targets
from onscope.export.zoo._trainer import train
from onscope.export.zoo.recipes import STARS, Part, Stars, made
from onscope.export.zoo.stars_nuclei import LARGEST_PX, TYPICAL_PX, StarsNuclei, distances

SIDE = 63


def field(seed: int) -> Stars:
    """Bright ellipses on a dark ground, with noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number, place in enumerate(((16, 18), (40, 44)), start=1):
        y, x = place + rng.uniform(-4, 4, 2)
        labels[((rows - y) / rng.uniform(7, 11)) ** 2 + ((columns - x) / rng.uniform(8, 12)) ** 2 <= 1] = number
    frame = (labels > 0) + 0.1 * rng.standard_normal(labels.shape)
    chance, rays = targets(labels)
    return Stars(frame.astype(np.float16), chance.astype(np.float16), rays.astype(np.float16))


@pytest.mark.parametrize("size", [(32, 32), (33, 61), (64, 96)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    network = StarsNuclei()
    with torch.no_grad():
        answer = network(torch.randn(1, 1, *size))
    assert answer.shape == (1, 1 + RAYS, -(-size[0] // GRID), -(-size[1] // GRID))
    assert 0 <= answer[:, 0].min() <= answer[:, 0].max() <= 1
    assert 0 < answer[:, 1:].min() <= answer[:, 1:].max() <= LARGEST_PX * 1.001


def test_it_is_small_enough_and_begins_with_typical_distances() -> None:
    torch.manual_seed(0)
    network = StarsNuclei()
    assert sum(parameter.numel() for parameter in network.parameters()) < 400_000
    with torch.no_grad():
        answer = network(0.3 * torch.randn(1, 1, 64, 64))
    assert float(answer[:, 1:].median()) == pytest.approx(TYPICAL_PX, rel=0.5)


@pytest.mark.parametrize("way", range(8))
def test_turned_targets_are_those_of_the_turned_image(way: int) -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    long = (rows - 30) ** 2 / 400 + (columns - 28 - 0.3 * (rows - 30)) ** 2 / 90 <= 1
    labels = (long + 2 * ((rows - 50) ** 2 + (columns - 50) ** 2 < 50)).astype(np.int32)
    exact: Any = targets(labels)  # not rounded to 16 bits
    one = Stars(labels.astype(np.float16), *exact)
    frame, chance, rays = turned(one, way)
    expected = targets(np.rint(frame).astype(np.int32))
    assert np.allclose(chance, expected[0], atol=1e-5)
    assert np.abs(rays - expected[1]).max() < 0.5
    assert np.abs(rays - expected[1]).mean() < 1e-3


def test_the_loss_is_least_for_the_truth() -> None:
    one = field(0)
    chance = torch.from_numpy(one.chance.astype(np.float32))[None]
    truth = torch.from_numpy(one.distances.astype(np.float32))[None]
    logs = torch.log(truth.clamp(min=1e-3))
    right = torch.cat((torch.logit(chance, eps=1e-3)[:, None], logs), dim=1)
    wrong = torch.cat((torch.logit(chance, eps=1e-3)[:, None], logs + 0.2), dim=1)
    assert torch.allclose(distances(right), truth, atol=2e-3)
    larger = star_loss(wrong, chance, truth) - star_loss(right, chance, truth)
    assert float(larger) == pytest.approx(2 * (np.exp(0.2) - 1), rel=0.05)  # all distances are 22 % too long
    assert star_loss(right.flip(2), chance, truth) > star_loss(wrong, chance, truth)


def test_light_is_changed_but_not_what_is_seen() -> None:
    frame: npt.NDArray[Any] = field(1).frame.astype(np.float32)
    for seed in range(20):
        other = relit(frame, np.random.default_rng(seed))
        assert other.dtype == np.float32
        assert np.isfinite(other).all()
        assert np.corrcoef(frame.ravel(), other.ravel())[0, 1] > 0.8


@pytest.mark.long
def test_training_is_seeded_and_lowers_the_loss() -> None:
    fields = [field(seed) for seed in range(4)]
    ends = []
    for _ in range(2):
        torch.manual_seed(1)
        network, account = train("nuclei", NucleiTask(fields, batch=2), seed=1, steps=60, learning_rate=2e-3)
        ends.append((network.state_dict(), account.curve))
    assert ends[0][1] == ends[1][1]
    assert all(torch.equal(ends[0][0][name], ends[1][0][name]) for name in ends[0][0])
    assert ends[0][1][-1] < 0.75 * ends[0][1][0]


def test_the_recipe_gives_normalised_frames_with_their_targets() -> None:
    examples = made(STARS, Part.VALIDATION, 11)
    assert len(examples) == 8
    for one in examples:
        assert one.frame.shape == (255, 255)
        assert one.chance.shape == one.distances.shape[1:] == (128, 128)
        assert np.percentile(one.frame.astype(np.float32), (1, 99.8)) == pytest.approx((0, 1), abs=0.05)
        inside = one.chance > 0.5
        assert inside.sum() > 50
        bright = one.frame[::GRID, ::GRID].astype(np.float32)
        assert bright[inside].mean() > bright[one.chance == 0].mean() + 0.05
