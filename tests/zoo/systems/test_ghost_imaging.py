"""Ghost imaging of frames: only sums are used, the classical images find the object, the network learns."""

from __future__ import annotations

import numpy as np
import torch

from onscope.export.zoo.systems.diffractive import ghost_imaging
from onscope.export.zoo.systems.diffractive._ghost_task import GhostTask, SingleDetector, light_patterns

SIDE = 16


def test_the_same_sums_give_the_same_answer() -> None:
    torch.manual_seed(0)
    network = SingleDetector(60, SIDE, 12, 1).eval()
    frame = 100 + 900 * torch.rand(1, 1, SIDE, SIDE)
    # what no pattern sees, and even light does not either
    seen = torch.cat((network.ghost.patterns, torch.ones(1, SIDE * SIDE))).double()
    unseen = torch.randn(SIDE * SIDE, dtype=torch.float64)
    unseen = unseen - torch.linalg.pinv(seen) @ (seen @ unseen)
    other = frame + 80 * unseen.float().reshape(1, 1, SIDE, SIDE)
    with torch.no_grad():
        assert float((frame - other).abs().max()) > 50
        assert torch.allclose(network(frame), network(other), rtol=1e-3, atol=0.5)


def test_each_part_of_a_larger_frame_is_a_detector_of_its_own() -> None:
    torch.manual_seed(0)
    network = SingleDetector(60, SIDE, 12, 1).eval()
    frame = 100 + 900 * torch.rand(2, 1, 3 * SIDE, 2 * SIDE)
    with torch.no_grad():
        whole, part = network(frame), network(frame[:, :, SIDE : 2 * SIDE, SIDE:].contiguous())
    assert torch.allclose(whole[:, :, SIDE : 2 * SIDE, SIDE:], part, rtol=1e-4, atol=1e-2)


def test_mean_and_contrast_come_from_the_sums() -> None:
    network = SingleDetector(400, SIDE, 12, 1)
    frame = 300 + 40 * torch.randn(4, 1, SIDE, SIDE)
    series, mean = network.measured(frame)
    assert torch.allclose(mean[:, 0], frame.mean(dim=(1, 2, 3)))
    assert torch.allclose(network.spread(series)[:, 0], frame.flatten(1).std(dim=1), rtol=0.2)


def test_patterns_are_always_the_same_and_half_of_them_light() -> None:
    patterns = light_patterns(50, SIDE)
    assert torch.equal(patterns, light_patterns(50, SIDE))
    assert set(patterns.flatten().tolist()) == {0.0, 1.0}
    assert 0.45 < float(patterns.mean()) < 0.55


def test_classical_images_find_the_object() -> None:
    truth = np.zeros((ghost_imaging.SIDE, ghost_imaging.SIDE))
    truth[8:16, 10:22] = 100
    found = ghost_imaging.classical(truth + 50)
    inside = truth > 0
    for image in found.values():
        assert image[inside].mean() > image[~inside].mean() + 2 * image[~inside].std() / np.sqrt(inside.sum())
    assert ghost_imaging._alike(found["least squares"], truth) > 0.3
    assert ghost_imaging._alike(ghost_imaging.smoothed(found["least squares"], truth), truth) > 0.7


def test_it_learns() -> None:
    torch.manual_seed(0)
    rows, columns = np.mgrid[:64, :64]
    light = np.stack([np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 60) for y, x in ((20, 20), (40, 30), (30, 45))])
    task = GhostTask(SingleDetector(80, SIDE, 32, 1), SIDE, light.astype(np.float32), batch=16)
    rng, optimiser = np.random.default_rng(0), torch.optim.Adam(task.network.parameters(), 2e-3)
    losses = []
    for _ in range(80):
        loss = task.loss(rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])
