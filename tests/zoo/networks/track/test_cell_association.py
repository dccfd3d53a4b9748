"""The 3-D association network: rows that add up, empty rows, what it learns, and an export of four inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onscope.export import FurtherInput, export_torch
from onscope.export.zoo.networks.track import CellAssociation
from onscope.runtime import Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import prove

from ..proof import LIMIT, TOLD, answers, noise, seeded


def cells(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Crops of cells of different brightness and size, and their places."""
    random = torch.Generator().manual_seed(seed)
    z, y, x = torch.meshgrid(*[torch.arange(8.0) - 3.5] * 3, indexing="ij")
    wide = 1 + 2 * torch.rand(count, generator=random)
    bright = 0.3 + torch.rand(count, generator=random)
    crops = bright[:, None, None, None] * torch.exp(-(z**2 + y**2 + x**2) / wide[:, None, None, None] ** 2)
    return crops[None], 4 * torch.rand(1, count, 3, generator=random)


def test_rows_add_up_and_what_is_empty_gets_nothing() -> None:
    network = seeded(lambda: CellAssociation(2, 8))
    before, places = cells(3)
    now, places_now = cells(4, seed=1)
    now[:, 2] = 0
    with torch.no_grad():
        found = network(before, now, places, places_now)
    assert found.shape == (1, 3, 5)
    assert torch.allclose(found.sum(dim=2), torch.ones(1, 3))
    assert float(found[:, :, 2].max()) < 1e-6


def test_the_order_of_cells_does_not_matter() -> None:
    network = seeded(lambda: CellAssociation(2, 8))
    before, places = cells(3)
    now, places_now = cells(4, seed=1)
    order = torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        found = network(before, now, places, places_now)
        other = network(before, now[:, order], places, places_now[:, order])
    assert torch.allclose(other[:, :, :4], found[:, :, order], atol=1e-6)
    assert torch.allclose(other[:, :, 4], found[:, :, 4], atol=1e-6)


def test_it_learns_who_is_who() -> None:
    torch.manual_seed(0)
    network = CellAssociation(4, 16)
    steps = torch.optim.Adam(network.parameters(), 3e-3)

    def pair(seed: int) -> tuple[list[torch.Tensor], torch.Tensor]:
        crops, places = cells(5, seed)
        random = torch.Generator().manual_seed(seed)
        order = torch.randperm(5, generator=random)
        moved = places + 0.3 * torch.randn(places.shape, generator=random)
        return [crops, crops[:, order], places, moved[:, order]], torch.argsort(order)

    for seed in range(80):
        inputs, truth = pair(seed)
        loss = torch.nn.functional.cross_entropy(network.logits(*inputs)[0], truth)
        steps.zero_grad()
        torch.autograd.backward(loss)
        steps.step()
    with torch.no_grad():
        right = [
            (network(*inputs)[0].argmax(dim=1) == truth).float().mean() for inputs, truth in map(pair, range(900, 920))
        ]
    assert float(torch.stack(right).mean()) > 0.85


@pytest.mark.slow
def test_parity(tmp_path: Path) -> None:
    network = seeded(lambda: CellAssociation(2, 8))
    further = [
        FurtherInput("now", "bczyx", (1, 4, 8, 8, 8)),
        FurtherInput("places_before", "bic", (1, 3, 3)),
        FurtherInput("places_now", "bic", (1, 4, 3)),
    ]
    told: dict[str, Any] = dict(TOLD)
    report = export_torch(
        network, noise(1, 3, 8, 8, 8), tmp_path / "package", axes="bczyx", output_axes="bic", fixed=True,
        input_name="before", output_names=("association",), further=further, **told,
    )  # fmt: skip
    assert report.passed
    package = Package.load(report.folder)
    session = open_session(package.weights, "cpu", 1)
    assert all(one.passed for one in prove(package, session))
    inputs = [noise(*shape, seed=3) for shape in ((1, 3, 8, 8, 8), (1, 4, 8, 8, 8), (1, 3, 3), (1, 4, 3))]
    (want,), (have,) = answers(network, *inputs), session.run(inputs)
    assert want.shape == have.shape == (1, 3, 5)
    assert np.abs(have - want).max() <= LIMIT * np.ptp(want)
