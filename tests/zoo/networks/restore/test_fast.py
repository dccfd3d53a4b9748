"""FAST: size, movies that are divided for training, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.restore import Fast
from onscope.export.zoo.networks.restore.fast import halves

from ..proof import frame, parameters, proven, seeded


def test_it_is_small() -> None:
    """Its size is chosen here: layer by layer."""
    assert parameters(Fast) == (9 * 20 + 1) * 16 + 3 * (9 * 16 + 1) * 16 + (9 * 16 + 1) * 4


def test_the_two_halves_are_neighbours() -> None:
    number = torch.arange(96.0).reshape(1, 1, 8, 12).expand(1, 3, 8, 12)
    one, other = halves(number, seed=1)
    assert one.shape == other.shape == (1, 3, 4, 6)
    assert set((one - other).abs().flatten().tolist()) == {1, 12}  # beside or below each other
    assert torch.equal(one[:, 0], one[:, 2])
    blocks = (one // 24) * 6 + (one % 12) // 2  # both of one block of 2x2 pixels
    assert torch.equal(blocks, (other // 24) * 6 + (other % 12) // 2)
    assert not torch.equal(one, halves(number, seed=2)[0])


@pytest.mark.slow
def test_noise_goes_without_clean_movies() -> None:
    """Trained on the halves of a noisy movie for its newest frame, the error of another one falls by more than half."""
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    clean = 0.5 + 0.4 * torch.sin(y / 9) * torch.cos(x / 7)
    movie, other = clean + 0.2 * torch.randn(2, 1, 8, 96, 96)
    network = Fast(features=8, layers=2)
    steps = torch.optim.Adam(network.parameters(), 5e-3)
    for seed in range(200):
        begin = seed % 4
        given, target = halves(movie[:, begin : begin + 5], seed)
        loss = (network(given) - target[:, -1:]).square().mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
    with torch.no_grad():
        after = (network(other[:, :5])[0, 0] - clean).square().mean()
    assert float(after) < 0.5 * float((other[0, 4] - clean).square().mean())


def test_parity(tmp_path: Path) -> None:
    proven(
        seeded(Fast), tmp_path / "package", frame(1, 5, 24, 32), [(1, 5, 18, 20), (2, 5, 16, 16)], axes="btyx",
        output_axes="bcyx", minimum=16, step=2,
    )  # fmt: skip
