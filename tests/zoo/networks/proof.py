"""What all reference networks must pass: the normal export, equal to the network within the limits of parity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from onscope.export import export_torch
from onscope.runtime import Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import prove

Array = npt.NDArray[np.float32]
Network = TypeVar("Network", bound=nn.Module)
LIMIT = 2e-4
"""Of an output's range, as in the export's own proof."""
TOLD = {"name": "a network", "description": "For a test.", "authors": ["A. Author"], "license": "BSD-3-Clause"}


def seeded(make: Callable[[], Network], *shapes: Sequence[int]) -> Network:
    """The network in evaluation, with seeded weights.

    With `shapes` its normalisations are settled on random inputs of them, so that signals keep alive and no
    normalisation is the identity.
    """
    torch.manual_seed(0)
    network = make()
    norms = [
        layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
    ]
    for layer in norms:
        layer.momentum = None  # the mean of all that it sees
        nn.init.normal_(layer.weight, 1, 0.05)
        nn.init.normal_(layer.bias, 0, 0.05)
    if shapes:
        with torch.no_grad():
            network.train()(*(torch.rand(tuple(shape)) for shape in shapes))
    return network.eval()


def answers(network: nn.Module, *inputs: Array) -> list[Array]:
    with torch.no_grad():
        found = network(*map(torch.from_numpy, inputs))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


def noise(*shape: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).random(shape, np.float32)


def frame(*shape: int, seed: int = 0) -> Array:
    """Pixels from 0 to 1 with neighbours that resemble each other."""
    random = np.random.default_rng(seed)
    rough = random.random((*shape[:-2], -(-shape[-2] // 4), -(-shape[-1] // 4)))
    smooth = np.kron(rough, np.ones((4, 4)))[..., : shape[-2], : shape[-1]]
    return (0.8 * smooth + 0.2 * random.random(shape)).astype(np.float32)


def proven(
    network: nn.Module, folder: Path, example: Array | Sequence[int], others: Sequence[Sequence[int]] = (), **told: Any
) -> Package:
    """Exported with an example (a shape: noise), validated, and held against the network on inputs of `others`.

    `told` is of `export_torch`; without `others` another input has the example's shape. All outputs must say something.
    """
    given = example if isinstance(example, np.ndarray) else noise(*example)
    report = export_torch(network, given, folder, **{**TOLD, **told})
    assert report.passed
    assert max(one.max_relative for one in report.parity) < LIMIT
    assert report.parameters == sum(parameter.numel() for parameter in network.parameters())
    package = Package.load(report.folder)
    session = open_session(package.weights, "cpu", 1)
    assert all(one.passed for one in prove(package, session))
    for shape in others or [given.shape]:
        other = noise(*shape, seed=2)
        for have, want in zip(session.run([other]), answers(network, other), strict=True):
            assert have.shape == want.shape
            assert np.ptp(want) > 1e-3
            assert np.abs(have - want).max() <= LIMIT * np.ptp(want)
    return package


def parameters(make: Callable[[], nn.Module]) -> int:
    """How many a network would have; nothing is allocated."""
    return sum(parameter.numel() for parameter in _made(make))


def weights(make: Callable[[], nn.Module]) -> int:
    """Without biases, as the literature on super-resolution counts."""
    return sum(parameter.numel() for parameter in _made(make) if parameter.ndim > 1)


def _made(make: Callable[[], nn.Module]) -> list[nn.Parameter]:
    with torch.device("meta"):
        return list(make().parameters())


def shape_of(network: nn.Module, *shapes: Sequence[int]) -> tuple[int, ...]:
    with torch.no_grad():
        found: Tensor = network.eval()(*(torch.zeros(tuple(shape)) for shape in shapes))
    return tuple(found.shape)
