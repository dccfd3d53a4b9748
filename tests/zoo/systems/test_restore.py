"""Training and measuring of the systems that take noise away, on data that is made up here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from onscope.export.zoo.networks.restore import Care, DeepCadRt, Fast
from onscope.export.zoo.systems.restore._care_task import CareTask
from onscope.export.zoo.systems.restore._movie_filters import best_filters, changed, followed
from onscope.export.zoo.systems.restore._movie_task import DeepCadTask, FastTask, MovieTask, normalised

WINDOW = 8


def squares(*shape: int) -> np.ndarray:
    """Light of 0 and 1 in squares of 8 pixels, float16, the last two axes y and x."""
    y, x = np.indices(shape[-2:]) // 8
    return np.broadcast_to(((y + x) % 2).astype(np.float16), shape)


def fallen(task: CareTask | MovieTask, steps: int) -> tuple[float, float]:
    """The first and the last loss on one and the same batch: from batch to batch the light varies too much to tell."""
    optimizer = torch.optim.Adam(task.network.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        loss = task.loss(np.random.default_rng(0))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses[0], losses[-1]


def test_care_learns() -> None:
    torch.manual_seed(0)
    network = Care(2, 1, kernel=3, probabilistic=True, shared=False, residual=False)
    task = CareTask(network, squares(2, 64, 64), batch=2, side=32)
    first, last = fallen(task, 25)
    assert last < first - 1


def test_care_sees_frames_and_truth_in_the_same_units() -> None:
    task = CareTask(Care(2, 1, kernel=3, probabilistic=True), squares(2, 64, 64), side=32)
    rng = np.random.default_rng(1)
    pairs = [task._pair(rng) for _ in range(20)]
    assert all(frame.shape == truth.shape == (32, 32) and frame.dtype == np.float32 for frame, truth in pairs)
    errors = [float(np.mean(frame - truth)) for frame, truth in pairs]
    assert np.mean(np.abs(errors)) < 0.05  # noise has no mean
    assert all(len(np.unique(truth)) <= 2 + 32 * 32 // 50 for _, truth in pairs)  # two brightnesses, saturation aside


@pytest.mark.parametrize("which", ["deepcad", "fast"])
def test_movies_teach_by_their_noisy_frames_alone(which: str) -> None:
    torch.manual_seed(0)
    light = squares(2, 20, 64, 64)
    task: MovieTask = (
        DeepCadTask(DeepCadRt(2, causal=True), 8, light, batch=1, side=32)
        if which == "deepcad"
        else FastTask(Fast(), 5, light, batch=1, side=32)
    )
    first, last = fallen(task, 30)
    assert last < first - 0.3  # of the 3 dB that there are


def test_first_weights_leave_signals_their_size() -> None:
    """What reaches the last layer varies more from pixel to pixel than by torch's own first weights, and is unused."""
    torch.manual_seed(0)
    network = DeepCadRt(4, causal=True)
    seen: list[float] = []
    network.last.register_forward_pre_hook(lambda _, given: seen.append(float(given[0].std())))
    movie = torch.rand(1, WINDOW, 32, 32)
    with torch.no_grad():
        network(movie)
        task = DeepCadTask(network, WINDOW, squares(2, 20, 64, 64), batch=2)
        assert not network(movie).any()
    assert seen[1] > 4 * seen[0]
    assert [part.shape for part in task.pairs(np.random.default_rng(0))] == [(2, WINDOW, 64, 64)] * 2


@pytest.mark.parametrize("seed", range(4))
def test_targets_are_the_frames_beside_those_shown(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from onscope.export.zoo.systems.restore import _movie_task, _movies

    def numbered(light: np.ndarray, rng: np.random.Generator, peak: float) -> _movies.Movie:
        counts = np.broadcast_to(np.arange(len(light), dtype=np.uint16)[:, None, None], light.shape)
        return _movies.Movie(counts, light)

    monkeypatch.setattr(_movie_task, "filmed", numbered)
    monkeypatch.setattr(_movie_task, "BEGINNING", 0.0)
    monkeypatch.setattr(_movie_task, "normalised", lambda window, target: (window, target))
    task = MovieTask(DeepCadRt(2, causal=True), WINDOW, squares(1, 20, 40, 40), side=32)
    window, target = task._pair(np.random.default_rng(seed))
    frames, aims = (np.array([int(one[0, 0]) for one in part]) for part in (window, target))
    assert len(frames) == len(aims) == WINDOW
    assert set(np.diff(frames)) == {2}
    assert np.unique(aims - frames).tolist() in ([-1], [1])


def test_units_are_those_of_the_window() -> None:
    window, target = normalised(np.arange(200.0).reshape(8, 5, 5), np.full((1, 5, 5), 199.0))
    assert window.dtype == np.float32
    assert np.percentile(window, 3) == pytest.approx(0, abs=1e-6)
    assert np.percentile(window, 99.8) == pytest.approx(1)
    assert target[0, 0, 0] == window.max()


def test_a_still_movie_is_best_averaged_over_all_frames() -> None:
    truth = np.repeat(squares(1, 32, 32).astype(np.float32) * 100, 12, axis=0)
    counts = truth + np.random.default_rng(0).normal(0, 20, truth.shape)
    found = best_filters(counts, truth, 8)
    assert np.allclose(found["mean of frames"][0], counts[1:9].mean(axis=0), atol=1e-3)
    assert found["Gaussian"].shape == found["mean of frames, blurred"].shape == (4, 32, 32)


def test_how_fast_changes_are_followed() -> None:
    before = np.zeros((3, 16, 16), np.float32)
    truth = before.copy()
    truth[1, :8] = 10  # half of a frame lights up
    sudden = changed(before, truth)
    assert sudden.sum() == 128
    assert followed(truth, before, truth, sudden) == 1
    assert followed((truth + before) / 2, before, truth, sudden) == 0.5
    assert followed(before, before, truth, sudden) == 0


def test_few_changes_tell_nothing() -> None:
    before = np.zeros((2, 16, 16), np.float32)
    truth = before.copy()
    truth[0, 0, :5] = 1
    assert not changed(before, truth).any()
