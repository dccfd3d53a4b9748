"""Networks with seeded weights through the normal export, and what the package then answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from onscope.export import Choices, export_original
from onscope.export.pytorch import TorchNetwork
from onscope.runtime import Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import prove

Array = npt.NDArray[np.float32]
Network = TypeVar("Network", bound=nn.Module)
LIMIT = 2e-4
"""Of an output's range, as in the export's own proof."""


def seeded(make: Callable[[], Network], *shapes: Sequence[int]) -> Network:
    """The network in evaluation, its normalisations settled on random inputs of `shapes`: signals keep alive."""
    torch.manual_seed(0)
    network = make()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
            layer.momentum = None  # the mean of all that it sees
    with torch.no_grad():
        network.train()(*(torch.rand(tuple(shape)) for shape in shapes))
    return network.eval()


def answers(network: nn.Module, *inputs: Array) -> list[Array]:
    with torch.no_grad():
        found = network(*map(torch.from_numpy, inputs))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


def noise(*shape: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).random(shape, np.float32)


def proven(network: nn.Module, folder: Path, shape: Sequence[int], others: Sequence[Sequence[int]], **told: Any) -> Any:
    """Exported with a random example of `shape`, validated, and held against the network on inputs of `others`.

    `told` is of `Choices`. Returns the package.
    """
    report = export_original(TorchNetwork(network), folder, Choices(example=noise(*shape), name="a network", **told))
    assert report.passed
    assert report.parameters == sum(parameter.numel() for parameter in network.parameters())
    package = Package.load(report.folder)
    session = open_session(package.weights, "cpu", 1)
    assert all(one.passed for one in prove(package, session))
    for other in others:
        given = noise(*other, seed=2)
        (want,), (have,) = answers(network, given), session.run([given])
        assert have.shape == want.shape
        assert np.ptp(want) > 1e-3  # it says something
        assert np.abs(have - want).max() <= LIMIT * np.ptp(want)
    return package


def parameters(make: Callable[[], nn.Module]) -> int:
    """How many a network would have; nothing is allocated."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in make().parameters())


def shape_of(network: nn.Module, *shapes: Sequence[int]) -> tuple[int, ...]:
    with torch.no_grad():
        found: Tensor = network.eval()(*(torch.zeros(tuple(shape)) for shape in shapes))
    return tuple(found.shape)
