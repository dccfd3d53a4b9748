"""Key points of bacteria: where the truth has them, how they are learned, and what is held against them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from onscope.export.zoo.networks.segment import Leap
from onscope.export.zoo.recipes import Part, made
from onscope.export.zoo.systems.segment._leap_task import LeapTask, heat_map
from onscope.export.zoo.systems.segment._rods import Rods
from onscope.export.zoo.systems.segment.leap_poles import HELD_OUT, best_ellipses, judged


def rod() -> Rods:
    """A bright rod 10 pixels wide, its round ends 30 pixels apart, at 30 degrees."""
    y, x = np.mgrid[:80, :80]
    centre, angle = np.array([41.0, 37.5]), np.pi / 6
    axis = np.array([np.sin(angle), np.cos(angle)])
    along = np.clip((y - centre[0]) * axis[0] + (x - centre[1]) * axis[1], -15, 15)
    away = np.hypot(y - centre[0] - along * axis[0], x - centre[1] - along * axis[1])
    counts = np.random.default_rng(0).poisson(20 + 300 * (away < 5)).astype(np.uint16)
    return Rods(counts, {"pole": np.stack([centre + 15 * axis, centre - 15 * axis]), "middle": centre[None]}, "bodies")


def test_ellipses_find_one_rod() -> None:
    one = rod()
    found = best_ellipses(one)
    for name in ("pole", "middle"):
        score, away = judged([one], [found], name)
        assert score == 1.0
        assert away < 0.3


def test_judgement_of_a_known_case() -> None:
    one = rod()
    off = {
        "pole": np.concatenate([one.points["pole"][:1] + np.array([0.0, 2.0]), [[5.0, 5.0]]]),
        "middle": np.zeros((0, 2)),
    }
    assert judged([one], [off], "pole") == pytest.approx((0.5, 2.0))
    assert judged([one], [off], "middle") == (0.0, 4.0)


def test_a_heat_map_is_one_at_its_points() -> None:
    found = heat_map(np.array([[10.0, 20.0], [12.0, 20.0]]), (32, 40))
    assert found.shape == (32, 40)
    assert (found[10, 20], found[12, 20]) == (1.0, 1.0)
    assert 0.5 < found[11, 20] < 1
    assert found[30, 2] < 1e-6


def test_leap_learns() -> None:
    torch.manual_seed(0)
    one = rod()
    maps = [heat_map(one.points[name], one.counts.shape) for name in ("pole", "middle")]
    fields = np.stack([np.stack([one.counts / 320, *maps])]).astype(np.float16)
    task = LeapTask(Leap(1, 2, 4), fields, batch=2, side=64)
    rng, optimizer = np.random.default_rng(0), torch.optim.Adam(task.network.parameters(), lr=5e-3)
    found = []
    for _ in range(50):
        loss = task.loss(rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        found.append(float(loss.detach()))
    assert np.mean(found[-5:]) < 0.7 * np.mean(found[:5])


@pytest.mark.slow
@pytest.mark.parametrize("light", ["phase", "bodies"])
def test_poles_lie_in_rods(light: str) -> None:
    (one,) = made(HELD_OUT[light], Part.VALIDATION, 0)
    poles, middles = one.points["pole"], one.points["middle"]
    assert len(middles) > 5
    brightness = partial(_mean_at, one.counts)
    inside, everywhere = brightness(np.concatenate([poles, middles])), one.counts.mean()
    assert inside > 1.2 * everywhere if light == "bodies" else inside != everywhere


def _mean_at(image: np.ndarray, places: np.ndarray) -> float:
    rows, columns = np.clip(np.rint(places).astype(int), 0, np.array(image.shape) - 1).T
    return float(image[rows, columns].mean())
