"""The classifier of crops as plain PyTorch, its training, its calibration, and the numbers that tell its quality."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from onscope.export.zoo import _mitosis_task
from onscope.export.zoo._crops import NAMES, SIDE
from onscope.export.zoo._crops_recipes import DIVIDING, DYING
from onscope.export.zoo._mitosis_quality import Judged
from onscope.export.zoo._mitosis_task import MitosisTask, balanced_weights, best_temperature, turned
from onscope.export.zoo._trainer import train
from onscope.export.zoo.mitosis import Mitosis
from onscope.export.zoo.train import app


def blobs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Crops that a network can tell apart: discs of another size for each class."""
    rng = np.random.default_rng(seed)
    names = np.arange(count) % len(NAMES)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    radius = 4 + 4.0 * names[:, None, None]
    mean = 100 + 300 * (np.hypot(y, x)[None] < radius) * rng.uniform(0.7, 1.4, (count, 1, 1))
    return rng.poisson(mean).astype(np.uint16), names


def awake(seed: int = 0) -> Mitosis:
    """A network whose blocks do something, as after a training."""
    torch.manual_seed(seed)
    network = Mitosis().eval()
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith("share"):
                value.fill_(0.5)
    return network


def test_gain_and_offset_of_the_camera_do_not_matter() -> None:
    network = awake()
    counts = torch.from_numpy(blobs(10)[0].astype(np.float32))[:, None]
    with torch.no_grad():
        assert torch.allclose(network.scores(3 * counts + 400), network.scores(counts), atol=1e-3)


def test_a_crop_gets_the_same_answer_alone_and_among_others() -> None:
    network = awake()
    pixels = torch.from_numpy(blobs(12)[0])[:, None]
    with torch.no_grad():
        together = network(pixels)
        alone = torch.cat([network(one[None]) for one in pixels])
    assert together.shape == (12, len(NAMES))
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(together.sum(dim=1), torch.ones(12), atol=1e-5)


@pytest.mark.parametrize("counts", [0, 100, 65535])
def test_empty_and_saturated_crops_give_numbers(counts: int) -> None:
    with torch.no_grad():
        answer = awake()(torch.full((2, 1, SIDE, SIDE), counts, dtype=torch.uint16))
    assert torch.isfinite(answer).all()


@pytest.mark.long
def test_training_is_seeded_and_learns() -> None:
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        task = MitosisTask(blobs(60), batch=10)
        network, account = train("mitosis", task, seed=3, steps=80, learning_rate=3e-3)
        found.append((network, account))
    (first, account), (second, _) = found
    assert isinstance(first, Mitosis)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    assert account.curve[-1] < 0.8 * np.log(len(NAMES)) < account.curve[0]
    temperature = task.calibrate(first, blobs(50, seed=1))
    assert float(first.temperature) == pytest.approx(temperature)
    assert float(first.state_dict()["temperature"]) == pytest.approx(temperature)


@pytest.mark.long
def test_the_command_trains_on_recipes_and_writes_a_calibrated_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_mitosis_task, "TRAINING", ((DYING, 1), (DIVIDING, 1)))
    outcome = CliRunner().invoke(app, ["mitosis", "--out", str(tmp_path), "--steps", "2"])
    assert outcome.exit_code == 0, outcome.output
    state = torch.load(tmp_path / "mitosis.pt", weights_only=True)
    Mitosis().load_state_dict(state)
    assert float(state["temperature"]) != 1.0
    assert json.loads((tmp_path / "mitosis.json").read_text(encoding="utf-8"))["steps"] == 2


def test_crops_are_turned_in_eight_ways() -> None:
    crop = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    ways = [turned(crop, way) for way in range(8)]
    assert all(not np.array_equal(a, b) for n, a in enumerate(ways) for b in ways[:n])
    assert all(np.array_equal(np.sort(way, axis=None), crop.ravel()) for way in ways)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_is_found(true: float) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (6000, len(NAMES)))
    chances = np.exp(scores / true)
    chances /= chances.sum(axis=1, keepdims=True)
    names = (chances.cumsum(axis=1) > rng.random((6000, 1))).argmax(axis=1)
    assert best_temperature(scores, names, np.ones(6000)) == pytest.approx(true, rel=0.08)


def test_weights_make_classes_count_alike() -> None:
    names = np.array([0, 0, 0, 1, 3, 3])
    weights = balanced_weights(names)
    assert weights.mean() == pytest.approx(1)
    assert [weights[names == name].sum() for name in (0, 1, 3)] == pytest.approx([2, 2, 2])


def test_quality_is_counted_right() -> None:
    names = np.array([0, 0, 0, 0, 2, 2])
    chances = np.zeros((6, len(NAMES)))
    chances[[0, 1, 2, 4], [0, 0, 0, 2]] = 0.9
    chances[[3, 5], [2, 2]] = 0.9
    chances += 0.02 * (chances == 0)
    one = Judged(names, np.array(["interphase"] * 4 + ["metaphase"] * 2), chances, np.ones(6))
    assert one.confusion[0, 0] == 3
    assert one.confusion[0, 2] == 1
    assert one.recall[[0, 2]] == pytest.approx([0.75, 1.0])
    assert one.precision[[0, 2]] == pytest.approx([1.0, 2 / 3])
    assert np.isnan(one.recall[1])
    assert one.accuracy == pytest.approx(5 / 6)
    assert one.calibration_error == pytest.approx(abs(5 / 6 - 0.9))
    assert one.alike().accuracy == pytest.approx((0.75 + 1.0) / 2)
    assert one.frequencies == pytest.approx([4 / 6, 0, 2 / 6, 0, 0])
    told = one.at(np.array([0.98, 0.005, 0.005, 0.005, 0.005]))
    assert told.chances.sum(axis=1) == pytest.approx(np.ones(6))
    assert told.chances[0, 0] > one.chances[0, 0]


def test_right_probabilities_have_no_calibration_error() -> None:
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.full(len(NAMES), 0.4), 20_000)
    names = (chances.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    one = Judged(names, np.full(20_000, "interphase"), chances, np.ones(20_000))
    assert one.calibration_error < 0.015  # 15 bins of standard deviation 0.5 / sqrt(n) each: 0.01 in the mean at most
    wrong = Judged(names, one.kinds, chances**3 / (chances**3).sum(axis=1, keepdims=True), one.weights)
    assert wrong.calibration_error > 0.05
