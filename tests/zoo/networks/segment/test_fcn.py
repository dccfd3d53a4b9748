"""FCN: parameters as published, enlarging that begins as bilinear interpolation, and exports that are equal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from onscope.export.zoo.networks.segment import Fcn
from onscope.export.zoo.networks.segment.fcn import enlarging

from ..proof import parameters, proven, seeded, shape_of


@pytest.mark.parametrize(("stride", "count"), [(32, 136_152_917), (16, 134_815_994), (8, 134_489_759)])
def test_parameters(stride: int, count: int) -> None:
    """134 M in the paper's table 1: VGG-16's 134,260,544 without its last layer, the scores, and what enlarges them."""
    assert parameters(lambda: Fcn(stride)) == count


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("size", [(1, 1), (33, 70)])
def test_any_size(stride: int, size: tuple[int, int]) -> None:
    assert shape_of(Fcn(stride, 1, 3, width=2, hidden=4), (1, 1, *size)) == (1, 3, *size)


def test_enlarging_begins_as_interpolation() -> None:
    image = torch.rand(1, 2, 6, 7)
    with torch.no_grad():
        ours = enlarging(2, 4)(image)[:, :, 2:-2, 2:-2]
    usual = functional.interpolate(image, scale_factor=4.0, mode="bilinear", align_corners=False)
    assert torch.allclose(ours[:, :, 2:-2, 2:-2], usual[:, :, 2:-2, 2:-2], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_parity(tmp_path: Path, stride: int) -> None:
    network = seeded(lambda: Fcn(stride, 1, 2, width=2, hidden=8), (2, 1, 32, 32))
    proven(
        network, tmp_path / "package", (1, 1, 24, 32), [(1, 1, 17, 45), (2, 1, 16, 24)], minimum=16, step=1,
        settings={"decode": "classes", "classes": ["background", "cell"]},
    )  # fmt: skip
