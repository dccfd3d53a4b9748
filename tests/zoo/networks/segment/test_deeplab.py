"""DeepLabv3+: parameters of a known implementation, sizes, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.export.zoo.networks.segment import DeepLabV3Plus

from ..proof import parameters, proven, seeded, shape_of


def test_parameters() -> None:
    """Those of segmentation_models_pytorch with ResNet-50 and one class."""
    assert parameters(lambda: DeepLabV3Plus(classes=1)) == 26_677_585
    assert parameters(lambda: DeepLabV3Plus(classes=1, output_stride=8)) == 26_677_585


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("size", [(32, 32), (47, 70)])
def test_any_size(stride: int, size: tuple[int, int]) -> None:
    network = DeepLabV3Plus(1, 3, 18, 2, stride, features=4, fine=2)
    assert shape_of(network, (1, 1, *size)) == (1, 3, *size)


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "stride"), [(50, 16), (18, 8)])
def test_parity(tmp_path: Path, depth: int, stride: int) -> None:
    network = seeded(lambda: DeepLabV3Plus(1, 2, depth, 2, stride, features=8, fine=4), (2, 1, 64, 64))
    proven(
        network, tmp_path / "package", (1, 1, 32, 48), [(1, 1, 33, 47), (2, 1, 40, 32)], minimum=32, step=1,
        settings={"decode": "classes", "classes": ["background", "cell"]},
    )  # fmt: skip
