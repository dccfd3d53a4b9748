"""Molecules inside the graph: found where they are, counted on fine pixels; ANNA-PALM's data and training."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from onscope.export.zoo._trainer import train
from onscope.export.zoo.systems.superresolve._anna_palm_network import LocalisingAnnaPalm
from onscope.export.zoo.systems.superresolve._anna_palm_task import AnnaPalmTask
from onscope.export.zoo.systems.superresolve._blinking import LEVEL, density
from onscope.export.zoo.systems.superresolve._localising import Localisations
from onscope.specimen import View

Array = npt.NDArray[Any]
PLACES = [(9.0, 12.0), (20.3, 8.4), (25.45, 30.1), (12.8, 33.25)]


def frame(places: list[tuple[float, float]], side: int = 40, photons: float = 200.0, seed: int = 0) -> Array:
    """Spots of 1.1 pixels (sigma) over a noisy background."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    light = np.zeros((side, side))
    for row, column in places:
        light += np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 1.1**2))
    return np.asarray(rng.poisson(10 + photons * light), np.float32) * 7 + 200


def counted(frames: Array) -> Array:
    with torch.no_grad():
        return np.asarray(Localisations(4)(torch.from_numpy(frames)[None])[0, 0].numpy())


def test_molecules_are_counted_where_they_are() -> None:
    found = counted(frame(PLACES)[None])
    assert found.shape == (160, 160)
    assert found.sum() == pytest.approx(len(PLACES), abs=0.1)
    rows, columns = np.mgrid[:160, :160]
    for y, x in PLACES:
        near = np.hypot((rows - 1.5) / 4 - y, (columns - 1.5) / 4 - x) < 0.8
        assert found[near].sum() == pytest.approx(1, abs=0.05)
        middle = [float((found * near * place).sum() / found[near].sum() - 1.5) / 4 for place in (rows, columns)]
        assert middle == pytest.approx([y, x], abs=0.2)  # a fine pixel is a quarter


def test_counts_add_up_over_frames_whatever_gain_and_offset() -> None:
    frames = np.stack([frame(PLACES[:2], seed=1), 3 * frame(PLACES[2:], seed=2) + 1000])
    assert counted(frames).sum() == pytest.approx(4, abs=0.2)
    single = counted(frames[:1]) + counted(frames[1:])
    assert np.allclose(counted(frames), single, atol=1e-4)


def test_next_to_nothing_is_found_in_noise() -> None:
    assert counted(np.stack([frame([], seed=seed) for seed in range(10)])).sum() < 10 * 1600 * 1e-3


def test_a_filament_s_density_is_one_in_its_middle() -> None:
    x = np.arange(0, 4, 1 / LEVEL)
    low = np.stack([np.full_like(x, 0.05), np.full_like(x, 1.0), x])
    view = View((1.0, 2.0), (60, 100), 0.0325)
    found = density(low, view)
    assert found[:, 20:80].max(axis=0).mean() == pytest.approx(1, rel=0.05)
    assert abs(int(found[:, 50].argmax()) - 29.5) < 1
    high = low.copy()
    high[0] = 1.0
    assert density(high, view).max() < 0.01


def test_the_loss_falls_before_and_behind_the_discriminator() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    movies, densities = [], []
    for seed in range(2):
        column = rng.uniform(8, 24)
        spots = [[(float(y), column)] for y in rng.uniform(2, 30, 6)]
        movies.append(np.stack([frame(one, 32, seed=seed) for one in spots]))
        y = np.linspace(0, 1, 200)
        places = np.stack([np.zeros_like(y), y, np.full_like(y, (column + 0.5) / 32)])
        densities.append(density(places, View((0.5, 0.5), (128, 128), 1 / 128)))
    light = np.stack(movies).astype(np.uint16), np.stack(densities)
    task = AnnaPalmTask(LocalisingAnnaPalm(4, 3), 4, batch=2, side=16, alone=40, light=light)
    frames, truth = task.examples(rng)
    assert frames.shape == (2, 4, 16, 16)
    assert truth.shape == (2, 1, 64, 64)
    assert float(truth.max()) <= 1
    _, account = train("lines", task, seed=1, steps=60, learning_rate=3e-3)
    assert account.curve[12] < account.curve[0] - 0.5
    assert task.seen > task.alone
