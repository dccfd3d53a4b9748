"""Ghost imaging: the correlation finds the object, and networks of one size are exported as such."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from onscope.export import Choices, export_original
from onscope.export.pytorch import TorchNetwork
from onscope.export.zoo.networks.restore import GhostImaging, GhostImagingFromSeries
from onscope.runtime import Package
from onscope.runtime.engines import open_session

from .proof import TOLD, frame, parameters, seeded


def test_shapes_and_parameters() -> None:
    # Dense layers alone: three hidden ones and the last, each 1024 to 1024. The paper prints no total.
    assert parameters(GhostImaging()) == 4 * (1024 + 1) * 1024
    assert GhostImaging(8, hidden=5, layers=2)(torch.rand(3, 1, 8, 8)).shape == (3, 1, 8, 8)


def test_the_correlation_finds_the_object() -> None:
    random = torch.Generator().manual_seed(0)
    truth = torch.zeros(16, 16)
    truth[4:9, 6:13] = 1
    patterns = torch.rand(4000, 16, 16, generator=random)
    series = (patterns * truth).sum(dim=(1, 2))[None, None, None]
    crude = GhostImagingFromSeries(patterns, hidden=2).correlated(series)[0, 0]
    assert float(torch.corrcoef(torch.stack((crude.flatten(), truth.flatten())))[0, 1]) > 0.9


def fixed_size(network: nn.Module, shape: tuple[int, ...], folder: Path) -> None:
    told = {**TOLD, "authors": (TOLD["authors"][0],)}
    example = frame(*shape)
    choices = Choices(example=example, axes="bcyx", output_axes=("bcyx",), fixed=True, **told)  # type: ignore[arg-type]
    report = export_original(TorchNetwork(seeded(network), "a network of one size", None), folder, choices, None)
    assert report.passed
    with torch.no_grad():
        expected = network(torch.from_numpy(example)).numpy()
    found = open_session(Package.load(report.folder).weights, "cpu", 1).run([example])[0]
    assert np.abs(found - expected).max() <= 2e-4 * np.ptp(expected)


def test_the_export_is_equal_at_its_own_size(tmp_path: Path) -> None:
    fixed_size(GhostImaging(16, hidden=12), (1, 1, 16, 16), tmp_path / "package")
