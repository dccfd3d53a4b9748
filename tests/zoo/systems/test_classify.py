"""Classifiers: what they learn from, what they are held against, and that a memory is carried."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from onscope.export.zoo.networks.classify import CnnLstm, LeNet5, ResNet
from onscope.export.zoo.recipes import Part, made
from onscope.export.zoo.systems.classify._classified import accuracy, macro_f1
from onscope.export.zoo.systems.classify._course_task import CourseTask
from onscope.export.zoo.systems.classify._courses import COURSES, FIELD, SIDE, TIMES, Seen, filmed, watched
from onscope.export.zoo.systems.classify._features import SupportVectors, described
from onscope.export.zoo.systems.classify._lenet_task import LenetTask
from onscope.export.zoo.systems.classify._nuclei_crops import crop_of
from onscope.export.zoo.systems.classify._pattern_task import PatternTask
from onscope.export.zoo.systems.classify.cnn_lstm_cells import smoothed

Array = npt.NDArray[Any]


def discs(radius: float, side: int = 64) -> Array:
    y, x = np.mgrid[:side, :side] - side / 2
    return np.asarray(np.hypot(y, x) < radius, np.float16)


def losses(task: PatternTask | LenetTask | CourseTask, steps: int, rate: float) -> list[float]:
    rng, optimizer = np.random.default_rng(0), torch.optim.Adam(task.network.parameters(), lr=rate)
    found = []
    for _ in range(steps):
        loss = task.loss(rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        found.append(float(loss.detach()))
    return found


def test_a_resnet_learns_patterns() -> None:
    torch.manual_seed(0)
    light = np.stack([discs(8), discs(22)])[None]
    found = losses(PatternTask(ResNet(18, 1, 2, 4), light, batch=6, side=48), 25, 3e-3)
    assert np.mean(found[-5:]) < 0.7 * np.mean(found[:5])


def test_lenet_learns_crops() -> None:
    torch.manual_seed(0)
    bank = {"light": np.stack([discs(8), discs(22)])[None], "names": np.array([[0, 2]])}
    found = losses(LenetTask(LeNet5(3), bank, batch=8), 60, 3e-3)
    assert np.mean(found[-5:]) < 0.7 * np.mean(found[:5])


def test_a_memory_learns_courses() -> None:
    torch.manual_seed(0)
    light = np.stack([[discs(8), discs(22), discs(8)], [discs(22), discs(8), discs(8)]])
    task = CourseTask(CnnLstm(1, 5, 8, 18, 2), {"light": light, "names": np.array([[0, 1, 0], [1, 0, 0]])}, batch=4)
    found = losses(task, 25, 1e-2)
    assert np.mean(found[-5:]) < 0.7 * np.mean(found[:5])


def test_the_network_is_what_is_trained() -> None:
    """Frames one by one, as live, and all at once, as in training."""
    torch.manual_seed(0)
    network = CnnLstm(1, 3, 6, 18, 2).eval()
    frames = torch.rand(4, 1, 40, 40)
    hidden = cell = one_hidden = one_cell = torch.zeros(1, 6)
    with torch.no_grad():
        seen = network.seen(frames)
        for time in range(4):
            scores, hidden, cell = network.remembered(seen[time : time + 1], hidden, cell)
            told, one_hidden, one_cell = network(frames[time : time + 1], one_hidden, one_cell)
            assert torch.allclose(told, torch.softmax(scores, dim=1), atol=1e-5)


def test_courses_are_those_of_the_cell_in_the_middle() -> None:
    rng = np.random.default_rng(0)
    kinds = [0, 1, 1, 2, 2, 3, 3, 3, 0, 0, 0, 0]
    near, edge, far = np.array([FIELD / 2, FIELD / 2]), np.array([5.0, 5.0]), np.array([FIELD / 2, FIELD / 2 + 60])
    field = [
        Seen(rng.random((FIELD, FIELD), np.float32), np.stack([near + time / 10, edge, far]), np.array([kind, 4, 0]))
        for time, kind in enumerate(kinds)
    ]
    (first, names), (_, others) = watched(field)  # not the one at the edge, and what changes first
    assert names.tolist() == kinds
    assert others.tolist() == [0] * TIMES
    assert first.shape == (TIMES, SIDE, SIDE)
    field[3] = Seen(field[3].photons, far[None], np.array([0]))  # it was gone once
    assert [told.tolist() for _, told in watched(field)] == [[0] * TIMES]


@pytest.mark.slow
def test_a_culture_gives_courses() -> None:
    found = watched(made(COURSES, Part.VALIDATION, 0))
    assert len(found) > 3
    assert len(np.unique(np.concatenate([names for _, names in found]))) > 2


def test_one_camera_films_a_course() -> None:
    movie = filmed(np.stack([discs(10)] * 3), np.random.default_rng(0), 100.0)
    assert movie.shape == (3, 64, 64)
    assert movie.dtype == np.uint16
    assert not np.array_equal(movie[0], movie[1])
    assert movie[:, 32, 32].mean() > movie[:, 2, 2].mean()
    assert crop_of(discs(10), np.random.default_rng(0)).shape == (32, 32)


def test_support_vectors_part_what_no_line_parts() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-2, 2, (400, 2))
    names = (np.hypot(*points.T) > 1.2).astype(int).tolist()
    machine = SupportVectors(points[:300], names[:300], 2)
    assert accuracy(machine(points[300:]).tolist(), names[300:]) > 0.93


def test_features_know_no_camera() -> None:
    """Gain and offset change none of them."""
    frame = np.random.default_rng(0).poisson(50 + 200 * discs(20).astype(float))
    assert np.allclose(described(frame), described(3 * frame + 100), atol=1e-3)
    assert np.isfinite(described(np.full((32, 32), 7))).all()


def test_metrics_of_a_known_case() -> None:
    assert accuracy([0, 0, 1, 1], [0, 1, 1, 1]) == 0.75
    assert macro_f1([0, 0, 1, 1], [0, 1, 1, 1]) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert np.allclose(smoothed(np.array([[1.0], [0.0], [2.0], [4.0]]))[:, 0], [1, 0.5, 1, 2])
