"""The multi-output tracker: columns, what its heads learn together, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.track import MultiOutputTracker
from onscope.export.zoo.networks.track.multi_output import COLUMNS

from ..proof import frame, proven, seeded


def test_candidates_lie_around_the_last_place() -> None:
    network = MultiOutputTracker(16, reach=2, width=2, hidden=8)
    assert network.places.shape == (25, 2)
    assert network.places[0].tolist() == [-4, -4]
    assert network.places[13].tolist() == [0, 2]
    assert network.mark[0, 0].argmax() == 8 * 16 + 8
    with pytest.raises(ValueError, match="found crops of 20 pixels, expected a multiple of 8"):
        MultiOutputTracker(20)
    with pytest.raises(ValueError, match="found candidates up to 8 pixels off, expected less than 8"):
        MultiOutputTracker(16, reach=4)


def test_columns() -> None:
    network = seeded(lambda: MultiOutputTracker(16, reach=2, width=2, hidden=8), (2, 2, 16, 16))
    crops = torch.rand(3, 2, 16, 16)
    with torch.no_grad():
        found = network(crops)
        candidates, mitosis = network.logits(crops)
    assert found.shape == (3, len(COLUMNS))
    shares = torch.softmax(candidates, dim=1)
    assert torch.allclose(found[:, :2], (shares[:, :, None] * network.places).sum(dim=1), atol=1e-5)
    assert torch.allclose(found[:, 2], shares.amax(dim=1))
    assert torch.allclose(found[:, 3:], torch.sigmoid(mitosis))


@pytest.mark.long
def test_motion_and_mitosis_are_learned_together() -> None:
    """Spots that move one step, and grow where cells divide."""
    torch.manual_seed(0)
    network = MultiOutputTracker(16, reach=1, width=4, hidden=16)
    random = torch.Generator().manual_seed(1)
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    moved = torch.randint(0, 9, (64,), generator=random)
    divides = torch.randint(0, 2, (64,), generator=random).float()
    to = network.places[moved] + 7.5
    spots = [
        torch.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (4 + 8 * float(divided)))
        for (cy, cx), divided in zip([*to.tolist(), *[(7.5, 7.5)] * 64], [*divides, *torch.zeros(64)], strict=True)
    ]
    crops = torch.stack((torch.stack(spots[64:]), torch.stack(spots[:64])), dim=1)
    steps = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(250):
        candidates, mitosis = network.logits(crops)
        loss = torch.nn.functional.cross_entropy(candidates, moved)
        loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(mitosis[:, 0], divides)
        steps.zero_grad()
        torch.autograd.backward(loss)
        steps.step()
    with torch.no_grad():
        found = network.eval()(crops)
    assert float(((found[:, 3] > 0.5) == (divides > 0.5)).float().mean()) > 0.9
    assert float((found[:, :2] - network.places[moved]).abs().mean()) < 0.5


def test_parity(tmp_path: Path) -> None:
    network = seeded(lambda: MultiOutputTracker(16, reach=2, width=4, hidden=12), (4, 2, 16, 16))
    proven(
        network, tmp_path / "package", frame(1, 2, 16, 16), [(1, 2, 16, 16), (5, 2, 16, 16)], fixed=True, axes="btyx",
        output_axes="bc", output_names=("moved",), settings={"decode": "vectors", "columns": list(COLUMNS)},
    )  # fmt: skip
