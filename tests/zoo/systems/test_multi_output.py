"""The multi-output tracker's system: what it learns from, that it learns, and what it is held against."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from onscope.export.zoo.networks.track import MultiOutputTracker
from onscope.export.zoo.systems._augment import turned
from onscope.export.zoo.systems.track._average_precision import average_precision
from onscope.export.zoo.systems.track._flow import flowed
from onscope.export.zoo.systems.track._moving import Seen, moves
from onscope.export.zoo.systems.track._multi_output_task import MultiOutputTask, turned_arrow

Array = np.ndarray[Any, np.dtype[Any]]
SIDE = 16


def blob(y: float, x: float, side: int = 64) -> Array:
    rows, columns = np.mgrid[:side, :side]
    return np.asarray(100 + 900 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 18), np.uint16)


def bank() -> dict[str, Array]:
    """One cell per pair of frames, which moves by one to four pixels, or divides where it is."""
    rng = np.random.default_rng(0)
    before, after, cells = [], [], []
    for n in range(24):
        (y, x), (dy, dx) = rng.uniform(20, 44, 2), rng.integers(-4, 5, 2)
        divides = n % 3 == 0
        before.append(blob(y, x))
        moved = blob(y + dy, x + dx)
        after.append(np.maximum(blob(y + dy - 5, x + dx), blob(y + dy + 5, x + dx)) if divides else moved)
        cells.append((n, 1, y, x, dy, dx, float(divides)))
    return {"before": np.stack(before), "after": np.stack(after), "cells": np.array(cells, np.float32)}


@pytest.mark.parametrize("way", range(8))
def test_arrows_turn_as_their_crops_do(way: int) -> None:
    crop = np.zeros((SIDE, SIDE))
    crop[SIDE // 2 + 3, SIDE // 2 - 2] = 1
    y, x = np.argwhere(turned(crop, way))[0] - SIDE // 2
    assert turned_arrow(np.array([3, -2]), way, SIDE).tolist() == [y, x]


def test_an_example_says_where_the_cell_is_now() -> None:
    network = MultiOutputTracker(SIDE * 2, reach=3, width=2, hidden=8)
    task = MultiOutputTask(network, SIDE * 2, bank())
    rng = np.random.default_rng(1)
    for _ in range(20):
        crops, arrow, mitosis = task.example(rng)
        assert crops.shape == (2, SIDE * 2, SIDE * 2)
        weights = np.clip(crops[1] - 0.1, 0, None)
        middle = [float((weights * grid).sum() / weights.sum()) for grid in np.mgrid[: SIDE * 2, : SIDE * 2]]
        assert np.allclose(middle, SIDE + arrow, atol=0.8)
        assert mitosis in (0, 1)


def test_it_learns() -> None:
    torch.manual_seed(0)
    task = MultiOutputTask(MultiOutputTracker(SIDE * 2, reach=3, width=4, hidden=32), SIDE * 2, bank(), batch=16)
    rng, optimiser = np.random.default_rng(0), torch.optim.Adam(task.network.parameters(), 3e-3)
    losses = []
    for _ in range(90):
        loss = task.loss(rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.85 * np.mean(losses[:5])


def test_moves_of_what_stays_divides_and_goes() -> None:
    before = Seen(np.zeros((9, 9), np.uint16), {1: (10, 10), 2: (30, 30), 3: (50, 50)}, {1: 0, 2: 0, 3: 0}, frozenset())
    after = Seen(
        before.counts, {1: (12, 9), 5: (28, 30), 6: (36, 34), 7: (80, 80)}, {1: 0, 5: 2, 6: 2, 7: 9}, frozenset({1})
    )
    assert moves(before, after).tolist() == [[1, 10, 10, 2, -1, 1], [2, 30, 30, 2, 2, 1]]


def test_flow_follows_what_moves() -> None:
    found = flowed(blob(30, 30), blob(33, 28), np.array([[30.0, 30.0]]))
    assert np.allclose(found, [[33, 28]], atol=1)


def test_average_precision() -> None:
    assert average_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]) == pytest.approx((1 + 2 / 3) / 2)
    assert math.isnan(average_precision([0, 0], [0.1, 0.2]))
