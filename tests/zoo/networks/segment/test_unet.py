"""U-Net: sizes and parameters as published, weights between touching cells, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from onscope.export import Choices, export_original
from onscope.export.routes import Asked, load
from onscope.export.zoo.networks.segment import UNet, touching_weights

from ..proof import parameters, proven, seeded, shape_of


def test_parameters() -> None:
    """Layer by layer from the paper's figure 1; with normalisation those of the common PyTorch implementation."""
    assert parameters(lambda: UNet(1, 1)) == 31_030_593
    assert parameters(lambda: UNet(3, 1, norm=True)) == 31_037_633


def test_valid_convolutions_see_the_middle_of_the_frame() -> None:
    assert shape_of(UNet(features=1, padded=False), (1, 1, 572, 572)) == (1, 2, 388, 388)


@pytest.mark.slow
@pytest.mark.parametrize("norm", [False, True])
def test_parity(tmp_path: Path, norm: bool) -> None:
    network = seeded(lambda: UNet(1, 3, features=2, depth=3, norm=norm), (2, 1, 32, 32))
    package = proven(
        network, tmp_path / "package", (1, 1, 24, 32), [(1, 1, 40, 16), (2, 1, 16, 24)], step=8,
        settings={"decode": "classes", "classes": ["background", "cell", "border"]},
    )  # fmt: skip
    assert package.settings["decode"] == "classes"


@pytest.mark.slow
def test_from_a_state_dict_by_its_name(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(UNet(features=2, depth=2).state_dict(), tmp_path / "net.pt")
    source = load(tmp_path / "net.pt", Asked("onscope.export.zoo.networks.segment:UNet(features=2, depth=2)"))
    report = export_original(source, tmp_path / "package", Choices(dtype="float32", step=4))
    assert report.passed


def test_gaps_between_cells_weigh_most() -> None:
    labels = np.zeros((40, 50), np.uint16)
    labels[10:30, 5:23] = 1
    labels[10:30, 27:45] = 7
    weights = touching_weights(labels, balance=False)
    assert weights.dtype == np.float32
    assert weights[20, 24] == pytest.approx(1 + 10 * np.exp(-((2 + 3) ** 2) / 50))  # 2 and 3 pixels to the two cells
    assert weights[20, 10] == 1
    assert weights[0, 0] < 1.001
    assert np.array_equal(touching_weights(labels.T, balance=False), weights.T)


def test_classes_weigh_alike() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[5:10, 5:10] = 3
    weights = touching_weights(labels)
    assert weights[labels > 0].sum() == pytest.approx(weights[labels == 0].sum(), rel=1e-5)
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    assert touching_weights(np.zeros((4, 4), np.int32)).tolist() == np.ones((4, 4)).tolist()
