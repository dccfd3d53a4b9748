"""Recurrent attention: one instance per step, at any size, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.track import RecurrentAttention

from ..proof import frame, proven, seeded, shape_of


def test_shapes_and_ranges() -> None:
    network = seeded(lambda: RecurrentAttention(3, 4, 2))
    assert shape_of(network, (2, 3, 20, 28)) == (2, 4, 20, 28)
    window = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        masks, scores, regions = network.steps(window)
        assert torch.allclose(network(window), masks * scores[:, :, None, None])
    assert (masks.shape, scores.shape, regions.shape) == ((1, 4, 16, 16), (1, 4), (1, 4, 4, 4))
    assert all(float(one.min()) >= 0 and float(one.max()) <= 1 for one in (masks, scores, regions))


def test_each_step_knows_what_was_found_and_what_came_before() -> None:
    """Without the memory and the canvas all steps would answer alike."""
    network = seeded(lambda: RecurrentAttention(1, 3, 4))
    with torch.no_grad():
        masks = network.steps(torch.rand(1, 1, 16, 16))[0]
    assert float((masks[:, 1:] - masks[:, :-1]).abs().amax(dim=(2, 3)).min()) > 1e-4


def test_two_rods_are_found_one_after_the_other() -> None:
    torch.manual_seed(0)
    network = RecurrentAttention(1, 2, 6)
    truth = torch.zeros(1, 2, 24, 24)
    truth[0, 0, 5:8, 2:20] = 1
    truth[0, 1, 15:22, 16:19] = 1
    window = truth.sum(dim=1, keepdim=True)
    steps = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(150):
        masks, scores, _ = network.steps(window)
        ways = [  # instances have no order: the better one counts
            torch.nn.functional.binary_cross_entropy(masks.clamp(1e-6, 1 - 1e-6), way) for way in (truth, truth.flip(1))
        ]
        loss = torch.minimum(*ways) - torch.log(scores).mean()
        steps.zero_grad()
        torch.autograd.backward(loss)
        steps.step()
    with torch.no_grad():
        found = network(window) > 0.5
    found = found if float((found * truth).sum()) > float((found * truth.flip(1)).sum()) else found.flip(1)
    both = (found & (truth > 0)).sum(dim=(2, 3)) / (found | (truth > 0)).sum(dim=(2, 3))
    assert float(both.min()) > 0.6


@pytest.mark.slow
def test_parity(tmp_path: Path) -> None:
    proven(
        seeded(lambda: RecurrentAttention(2, 3, 4)), tmp_path / "package", frame(1, 2, 24, 32),
        [(1, 2, 16, 20), (2, 2, 20, 16)], axes="btyx", output_axes="bcyx", minimum=16, step=4,
    )  # fmt: skip
