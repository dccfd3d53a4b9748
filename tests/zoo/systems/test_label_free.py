"""Training and measuring of the systems that tell labels from bright field, on cells that are made up here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from onscope.export.zoo.networks.restore import FNet, InSilicoLabelling
from onscope.export.zoo.systems.label_free._fnet_task import FNetTask, cut
from onscope.export.zoo.systems.label_free._labels_task import BINS, TOP, LabelsTask, binned
from onscope.export.zoo.systems.label_free._regression import fitted, of_pixels, of_surroundings, standardised
from onscope.export.zoo.systems.label_free._stacks import PLANES, Cells, through_a_camera
from onscope.export.zoo.systems.label_free.fnet_nuclei import correlation


def made_up(seed: int = 0, side: int = 48) -> Cells:
    """Light of even noise, and fluorescence that is 10 times the first plane's deviation from 1."""
    light = 1 + np.random.default_rng(seed).uniform(-0.1, 0.1, (PLANES, side, side))
    glow = 10 * np.abs(light[:1] - 1)
    return Cells(
        light.astype(np.float16),
        np.repeat(glow, PLANES, axis=0).astype(np.float16),
        np.repeat(glow, 3, axis=0).astype(np.float16),
    )


def fallen(task: FNetTask | LabelsTask, steps: int) -> tuple[float, float]:
    optimizer = torch.optim.Adam(task.network.parameters(), lr=1e-2)
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(steps):
        loss = task.loss(rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses[:3])), float(np.mean(losses[-3:]))


def test_fnet_learns() -> None:
    torch.manual_seed(0)
    first, last = fallen(FNetTask(FNet(2, 1), [made_up()], batch=1, side=16), 25)
    assert last < 0.7 * first


def test_labelling_learns() -> None:
    torch.manual_seed(0)
    network = InSilicoLabelling(PLANES, 3, base_depth=8, scales=1, upper=0, bins=BINS)
    first, last = fallen(LabelsTask(network, [made_up()], side=16), 15)
    assert last < 0.9 * first


def test_crops_of_light_and_label_are_turned_alike() -> None:
    numbers = np.arange(PLANES * 12 * 12, dtype=np.float16).reshape(PLANES, 12, 12)
    light, nuclei = cut(Cells(numbers, numbers, numbers[:3]), ("light", "nuclei"), 8, np.random.default_rng(0))
    assert light.shape == (PLANES, 8, 8)
    assert np.array_equal(light, nuclei)


def test_bins() -> None:
    assert binned(np.array([-1, 0, TOP / 2, TOP, 9], np.float16)).tolist() == [
        0,
        0,
        (BINS - 1) // 2 + 1,
        BINS - 1,
        BINS - 1,
    ]


def test_bright_field_stays_below_saturation() -> None:
    for seed in range(30):
        counts = through_a_camera(np.ones((2, 8, 8)), np.random.default_rng(seed), 1e6)
        assert counts.dtype == np.uint16
        assert len(np.unique(counts)) > 1


@pytest.mark.parametrize("features", [of_pixels, of_surroundings])
def test_a_polynomial_of_the_planes_is_found(features: object) -> None:
    field = made_up(side=64)
    squares = ((field.light[2] - 1) * 20) ** 2
    field = Cells(field.light, np.repeat(squares[None], PLANES, axis=0), field.labels)
    weights = fitted(features, [field] * 3, "nuclei", np.random.default_rng(0))  # type: ignore[arg-type]
    stack = standardised(through_a_camera(field.light, np.random.default_rng(9), 1e4))
    told = np.einsum("fyx,fn->nyx", features(stack), weights)  # type: ignore[operator]
    assert correlation(told, field.nuclei) > 0.8


def test_correlation() -> None:
    image = np.arange(12.0).reshape(3, 4)
    assert correlation(image, 5 - 2 * image) == pytest.approx(-1)
    assert correlation(image, 3 * image + 1) == pytest.approx(1)
    assert correlation(image, np.ones((3, 4))) == 0
