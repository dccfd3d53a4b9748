"""Fusion-Net and PatternNet ensembles: what they are fed, how they agree, and exports that are equal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.classify import FusionNet, PatternNet, PatternNetEnsemble
from onscope.export.zoo.networks.classify.fusion_net import described
from tests.zoo.networks.proof import parameters, proven, seeded, shape_of


def test_spectrum_and_shape_of_a_cell() -> None:
    spectrum = torch.tensor([0.2, 1.0, 0.5, 0.1])
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    cell = (((y - 12) ** 2 + (x - 18) ** 2) < 36).float()
    picture, silhouette, found = described(cell[None, None] * spectrum[:, None, None])
    assert torch.allclose(found[0, 0], spectrum, atol=1e-4)
    assert torch.allclose(silhouette[0, 0].round(), cell)
    assert torch.equal(picture[0, 0], cell)
    brighter = described(7 * cell[None, None] * spectrum[:, None, None])
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(brighter, (picture, silhouette, found), strict=True))


def test_an_empty_crop_is_no_error() -> None:
    assert all(bool(torch.isfinite(one).all()) for one in described(torch.zeros(1, 4, 8, 8)))


@pytest.mark.slow
def test_parity_of_fusion_net(tmp_path: Path) -> None:
    network = seeded(lambda: FusionNet(9, 4, features=8, width=2), (2, 9, 64, 64))
    proven(
        network, tmp_path / "package", (1, 9, 32, 40), [(1, 9, 33, 47), (3, 9, 32, 32)], minimum=32, step=1,
        output_axes=("bc",), settings={"decode": "classes", "classes": list("abcd")},
    )  # fmt: skip


def test_parameters_of_pattern_net() -> None:
    """10 hidden neurons: (inputs + 1) * 10 + 11 per class."""
    assert parameters(lambda: PatternNet(20, 3)) == 21 * 10 + 11 * 3
    assert parameters(lambda: PatternNetEnsemble(20, 3, members=5)) == 5 * 243 + 16 * 10 + 11 * 3


def test_the_mean_of_an_ensemble() -> None:
    network = PatternNetEnsemble(4, 3, members=3, stacked=False).eval()
    spectra = torch.rand(1, 4, 5, 6)
    with torch.no_grad():
        expected = sum(one(spectra) for one in network.members) / 3
        assert torch.allclose(network(spectra), expected, atol=1e-6)
    assert shape_of(PatternNet(4, 3, (8, 6)), (2, 4, 1, 1)) == (2, 3, 1, 1)


@pytest.mark.parametrize("stacked", [False, True])
def test_parity_of_ensembles(tmp_path: Path, stacked: bool) -> None:
    network = seeded(lambda: PatternNetEnsemble(6, 3, members=3, stacked=stacked), (2, 6, 8, 8))
    proven(
        network, tmp_path / "package", (1, 6, 16, 24), [(1, 6, 17, 21), (2, 6, 16, 16)], minimum=16, step=1,
        settings={"decode": "classes", "classes": list("abc")},
    )  # fmt: skip
