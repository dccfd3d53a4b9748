"""Association in stacks: cells are found with their places and crops, and compared with the memory's."""

from __future__ import annotations

import pytest
import torch

from onscope.export.zoo.systems.track._associating import COLUMNS, StackAssociation

SHAPE = (9, 48, 64)


@pytest.fixture(scope="module")
def network() -> StackAssociation:
    torch.manual_seed(0)
    return StackAssociation(SHAPE, cells=5).eval()


def stack(*cells: tuple[int, int, int, float]) -> torch.Tensor:
    found = torch.zeros(1, *SHAPE)
    for z, y, x, bright in cells:
        found[0, z, y - 2 : y + 3, x - 2 : x + 3] = bright
    return found


def test_cells_are_found_by_falling_brightness(network: StackAssociation) -> None:
    seen = stack((4, 20, 30, 0.8), (7, 40, 10, 1.0), (2, 10, 50, 0.2))
    with torch.no_grad():
        table, memory = network(seen, torch.zeros(1, 5, network.memory))
    assert table.shape == (1, 5, len(network.columns)) == (1, 5, len(COLUMNS) + 5)
    assert torch.allclose(table[0, :2, :4], torch.tensor([[1.0, 7, 40, 10], [0.8, 4, 20, 30]]))
    assert not table[0, 2:, :4].any()  # too dark for a cell
    assert not table[0, :, 4:].any()  # nobody was there before
    assert torch.allclose(memory[0, 0, -3:], torch.tensor([7.0, 40, 10]) / 8)
    crop = memory[0, 1, :-3].reshape(8, 16, 16)
    assert torch.equal(crop[4, 6:11, 6:11], torch.full((5, 5), 0.8))
    assert float(crop.sum()) == pytest.approx(25 * 0.8)


def test_the_memory_is_what_is_compared(network: StackAssociation) -> None:
    with torch.no_grad():
        _, memory = network(stack((4, 20, 30, 0.9), (5, 40, 50, 0.7)), torch.zeros(1, 5, network.memory))
        table, _ = network(stack((4, 22, 30, 0.9)), memory)
        likely = network.association(
            memory[:, :, :-3].reshape(1, 5, 8, 16, 16), *_now(network, stack((4, 22, 30, 0.9)), memory)
        )
    assert torch.allclose(table[0, 0, 5:7], likely[0, :2, 0], atol=1e-5)
    assert float(table[0, 0, 5:].sum()) > 0.1
    assert torch.allclose(table[0, :2, 4], likely[0, :2, -1], atol=1e-5)
    assert not table[0, 2:, 4].any()


def _now(network: StackAssociation, seen: torch.Tensor, memory: torch.Tensor) -> tuple[torch.Tensor, ...]:
    _, after = network(seen, memory)
    return after[:, :, :-3].reshape(1, 5, 8, 16, 16), memory[:, :, -3:], after[:, :, -3:]
