"""DeepLabCut: parameters, key points between the map's places, and exports that are equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from onscope.export.zoo.networks.segment import DeepLabCut
from onscope.export.zoo.networks.segment.deeplabcut import COLUMNS, STRIDE, key_points
from onscope.runtime.decode import decoder

from ..proof import answers, frame, parameters, proven, seeded


def test_parameters() -> None:
    """A ResNet-50 without its last layer (25,557,032 - 2,049,000), and 3x3 deconvolutions of its 2048 channels."""
    assert parameters(lambda: DeepLabCut(4)) == 25_557_032 - 2_049_000 + (9 * 2048 + 1) * (4 + 8)


def test_key_points_lie_between_the_places() -> None:
    scores, locations = torch.zeros(1, 2, 4, 6), torch.zeros(1, 4, 4, 6)
    scores[0, 0, 2, 5], scores[0, 1, 0, 0] = 0.9, 0.4
    locations[0, :2, 2, 5] = torch.tensor([1.5, -2.0])  # those of the first point along y and x
    locations[0, 2:, 0, 0] = torch.tensor([0.25, 3.0])
    locations[0, :2, 1, 1] = 100  # of no matter: it is not the best place
    expected = [[2 * 8 + 3.5 + 1.5, 5 * 8 + 3.5 - 2, 0.9], [3.75, 6.5, 0.4]]
    assert torch.allclose(key_points(scores, locations), torch.tensor(expected))


@pytest.mark.slow
def test_parity_of_maps(tmp_path: Path) -> None:
    network = seeded(lambda: DeepLabCut(3, 1, 18, 2), (2, 1, 48, 64))
    package = proven(
        network, tmp_path / "package", frame(1, 1, 48, 64), [(1, 1, 32, 80), (2, 1, 64, 32)], minimum=32, step=16,
        output_names=("scores", "locations"), output_axes=("bcyx", "bcyx"),
        settings={"decode": "peaks", "per_class": 1, "threshold": 0.0},
    )  # fmt: skip
    assert [one.scale for one in package.outputs] == [1 / STRIDE, 1 / STRIDE]


@pytest.mark.slow
def test_parity_of_a_table(tmp_path: Path) -> None:
    network = seeded(lambda: DeepLabCut(3, 1, 18, 2, table=True), (2, 1, 48, 64))
    package = proven(
        network, tmp_path / "package", frame(1, 1, 48, 64), [(1, 1, 32, 80)], minimum=32, step=16,
        output_names=("points",), settings={"decode": "points", "columns": list(COLUMNS), "threshold": 0.0},
    )  # fmt: skip
    given = frame(1, 1, 48, 64, seed=5)
    table = answers(network, given)[0]
    rows, axes = decoder(package.outputs[0].axes, package.settings)(table)
    assert (axes, np.shape(rows)) == ("ic", (3, 3))
