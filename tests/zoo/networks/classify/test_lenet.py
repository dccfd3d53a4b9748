"""LeNet-5: parameters of each layer as published, chances, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import torch

from onscope.export.zoo.networks.classify import LeNet5
from onscope.export.zoo.networks.classify.lenet import CONNECTED, scaled_tanh
from tests.zoo.networks.proof import parameters, proven, seeded


def test_parameters() -> None:
    """60,000, of which 1,516 in C3, as section II.B of the paper has them."""
    network = LeNet5()
    layers = {name: sum(one.numel() for one in layer.parameters()) for name, layer in network.named_children()}
    assert layers == {"c1": 156, "s2": 12, "s4": 32, "c5": 48_120, "f6": 10_164}
    assert network.c3_weight.numel() + network.c3_bias.numel() == 1516
    assert parameters(LeNet5) == 60_000
    assert sum(map(len, CONNECTED)) == 60


def test_chances() -> None:
    network = seeded(lambda: LeNet5(3), (2, 1, 32, 32))
    with torch.no_grad():
        chances = network(torch.rand(4, 1, 32, 32))
    assert torch.allclose(chances.sum(dim=1), torch.ones(4))
    assert abs(float(scaled_tanh(torch.tensor(1.0))) - 1) < 1e-4


def test_parity(tmp_path: Path) -> None:
    network = seeded(LeNet5, (2, 1, 32, 32))
    with torch.no_grad():  # codes that differ little, so that an untrained network is in doubt
        network.codes.mul_(0.1)
    proven(
        network, tmp_path / "package", (1, 1, 32, 32), [(1, 1, 32, 32), (5, 1, 32, 32)], fixed=True,
        output_axes=("bc",), settings={"decode": "classes", "classes": list("0123456789")},
    )  # fmt: skip
