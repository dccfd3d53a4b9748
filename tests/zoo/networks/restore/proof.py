"""What all reference networks must pass: the normal export, equal to the network within the limits of parity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from onscope.export import Report, export_torch
from onscope.runtime import Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import prove

TOLD = {"name": "a network", "description": "For a test.", "authors": ["A. Author"], "license": "BSD-3-Clause"}


def seeded(network: nn.Module, seed: int = 0) -> nn.Module:
    """With seeded weights that let every layer matter: signals keep their size, and batch norms are no identity."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5, generator=random)
            elif tensor.ndim > 1:
                tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=random)
            else:
                offset = 0.0 if name.endswith(("bias", "running_mean")) else float(tensor.mean())
                tensor.normal_(offset, 0.05, generator=random)
    return network.eval()


def frame(*shape: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Pixels from 0 to 1 with neighbours that resemble each other."""
    random = np.random.default_rng(seed)
    rough = random.random((*shape[:-2], -(-shape[-2] // 4), -(-shape[-1] // 4)))
    smooth = np.kron(rough, np.ones((4, 4)))[..., : shape[-2], : shape[-1]]
    return (0.8 * smooth + 0.2 * random.random(shape)).astype(np.float32)


def proven(network: nn.Module, example: npt.NDArray[Any], folder: Path, **options: Any) -> tuple[Report, Package]:
    """Export a seeded network; the package passes its own proof, and answers other pixels as the network does."""
    report = export_torch(seeded(network), example, folder / "package", **{**TOLD, **options})
    assert report.passed
    assert max(one.max_relative for one in report.parity) < 2e-4
    package = Package.load(report.folder)
    session = open_session(package.weights, "cpu", 1)
    assert all(one.passed for one in prove(package, session))
    other = frame(*example.shape, seed=1)
    with torch.no_grad():
        answers = network(torch.from_numpy(other))
    expected = [one.numpy() for one in (answers if isinstance(answers, tuple) else (answers,))]
    for found, wanted in zip(session.run([other]), expected, strict=True):
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() <= 2e-4 * np.ptp(wanted)
    return report, package


def weights(network: nn.Module) -> int:
    """Without biases, as the literature on super-resolution counts."""
    return sum(one.numel() for one in network.parameters() if one.ndim > 1)


def parameters(network: nn.Module) -> int:
    return sum(one.numel() for one in network.parameters())
