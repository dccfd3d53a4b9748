"""Depth by classification: VGG-19's layers, sizes, and exports that are equal."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from onscope.export.zoo.networks.classify import AxialCnn, LateralVgg19
from tests.zoo.networks.proof import parameters, proven, seeded, shape_of


def test_layers() -> None:
    """VGG-19's 16 convolutions hold 20,024,384 parameters with three channels, 20,023,232 with one."""
    network = LateralVgg19(width=2)
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.stages.modules()) == 16
    assert parameters(lambda: LateralVgg19(3).stages) == 20_024_384
    assert parameters(lambda: LateralVgg19().stages) == 20_023_232


def test_a_cell_is_eight_pixels_wide() -> None:
    assert shape_of(LateralVgg19(width=2, hidden=4), (2, 1, 40, 64)) == (2, 1, 5, 8)


def test_other_crops_are_refused() -> None:
    with pytest.raises(ValueError, match="found crops of 24 pixels, expected 8, 16, 32"):
        AxialCnn(side=24)


@pytest.mark.slow
def test_parity_of_places(tmp_path: Path) -> None:
    network = seeded(lambda: LateralVgg19(width=2, hidden=8), (2, 1, 32, 32))
    package = proven(
        network, tmp_path / "package", (1, 1, 32, 48), [(1, 1, 24, 64), (2, 1, 16, 16)], minimum=16, step=8,
        settings={"decode": "peaks"},
    )  # fmt: skip
    assert package.outputs[0].scale == 1 / 8


def test_parity_of_depths(tmp_path: Path) -> None:
    network = seeded(lambda: AxialCnn(6, side=16, width=4, hidden=8), (4, 1, 16, 16))
    proven(
        network, tmp_path / "package", (1, 1, 16, 16), [(1, 1, 16, 16), (5, 1, 16, 16)], fixed=True,
        output_axes=("bc",), settings={"decode": "classes", "classes": [f"{z} um" for z in range(6)]},
    )  # fmt: skip
