"""LEAP: layers as published, heat maps of the frame's size, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from onscope.export.zoo.networks.segment import Leap

from ..proof import parameters, proven, seeded, shape_of


def test_layers() -> None:
    """15 layers, as in the paper."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d)
    assert sum(isinstance(layer, kinds) for layer in Leap(features=2).modules()) == 15
    ends = 64 * 10 + 32 * (9 * 128 + 1)
    inner = 2 * 64 * 577 + 128 * 577 + 4 * 128 * 1153 + 256 * 1153 + 2 * 256 * 2305 + 128 * 2305
    assert parameters(Leap) == ends + inner


def test_heat_maps_have_the_size_of_the_frame() -> None:
    assert shape_of(Leap(1, 5, 2), (2, 1, 20, 36)) == (2, 5, 20, 36)


@pytest.mark.long
def test_parity(tmp_path: Path) -> None:
    network = seeded(lambda: Leap(1, 4, 4), (2, 1, 32, 32))
    package = proven(
        network, tmp_path / "package", (1, 1, 32, 48), [(1, 1, 20, 64), (2, 1, 32, 16)], minimum=16, step=4,
        settings={"decode": "peaks", "per_class": 1},
    )  # fmt: skip
    assert package.outputs[0].scale == 1.0
