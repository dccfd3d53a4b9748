"""D2NN and Fourier-space D2NN: neurons as published, detectors, what they learn, and exports that are equal."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch

from onscope.export.zoo.networks.diffractive import D2nn, FourierD2nn, detector_regions
from onscope.export.zoo.networks.diffractive.optics import Transform, intensity

from ..proof import frame, parameters, proven, seeded


def small(**more: object) -> D2nn:
    return D2nn(3, side=24, layers=2, picture=8, distance=5.0, **more)  # type: ignore[arg-type]


def test_neurons_are_those_of_the_papers() -> None:
    assert parameters(D2nn) == 200_000  # "0.2 million neurons"
    assert parameters(FourierD2nn) == 200_000  # as many where it is as large: no total is known here


def test_detectors_lie_apart() -> None:
    regions = detector_regions(10, 200)
    assert float(regions.sum(dim=0).max()) == 1
    assert set(regions.sum(dim=(1, 2)).tolist()) == {400.0}
    rows = [int(region.any(dim=1).nonzero()[0]) for region in regions]
    assert [rows.count(row) for row in sorted(set(rows))] == [3, 4, 3]
    assert detector_regions(1, 10).sum() == 1
    with pytest.raises(ValueError, match="found a plane of 4 pixels for 10 detectors"):
        detector_regions(10, 4)


def test_the_answer_is_shares_of_light() -> None:
    network = seeded(small)
    with torch.no_grad():
        pictures = torch.rand(2, 1, 8, 8)
        shares = network(pictures)
        assert torch.allclose(shares, network(0.5 * pictures), atol=1e-6)  # however bright it is
    assert shares.shape == (2, 3)
    assert torch.allclose(shares.sum(dim=1), torch.ones(2))
    with pytest.raises(ValueError, match="found a picture of 28 pixels of 2 neurons, expected at most 40"):
        D2nn(side=40, enlarged=2)


def test_light_that_is_only_delayed_is_all_there() -> None:
    network = seeded(lambda: small(encoded="phase", border=0, pitch=0.6))
    picture = torch.rand(1, 1, 8, 8)
    with torch.no_grad():
        lit, seen = network._lit(picture), intensity(network.field(picture))
    assert float(lit.square().sum()) == 64  # the lit neurons, whatever they hold
    assert float(seen.sum()) == pytest.approx(64, rel=1e-4)


def test_phases_learn_where_light_goes() -> None:
    """Two pictures whose light ends on the same detectors at first are told apart after some steps."""
    torch.manual_seed(0)
    network = D2nn(2, side=24, layers=2, picture=8, distance=5.0, border=0)
    pictures = torch.zeros(2, 1, 8, 8)
    pictures[0, 0, :, 3:5] = 1
    pictures[1, 0, 3:5] = 1
    steps = torch.optim.Adam(network.parameters(), 0.1)
    for _ in range(60):
        loss = -torch.log(network(pictures).diagonal()).mean()
        steps.zero_grad()
        torch.autograd.backward(loss)
        steps.step()
    with torch.no_grad():
        assert float(network(pictures).diagonal().min()) > 0.8


def test_without_masks_and_ways_the_lenses_give_the_image_back() -> None:
    network = FourierD2nn(16, layers=1, crystal=False)
    with torch.no_grad():
        network.masks[0].phase.zero_()  # type: ignore[operator]
        image = torch.rand(1, 1, 16, 16)
        assert torch.allclose(network(image), image.square() / image.square().max(), atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("transform", ["fft", "matrix"])
def test_parity_of_d2nn(tmp_path: Path, transform: Transform) -> None:
    network = seeded(lambda: small(transform=transform))
    package = proven(
        network, tmp_path / "package", frame(1, 1, 8, 8), [(1, 1, 8, 8), (3, 1, 8, 8)],
        fixed=True, output_axes="bc", settings={"decode": "classes", "classes": ["a", "b", "c"]},
    )  # fmt: skip
    kinds = {node.op_type for node in onnx.load(package.weights).graph.node}
    assert ("DFT" in kinds) == (transform == "fft")


@pytest.mark.long
@pytest.mark.parametrize("transform", ["fft", "matrix"])
def test_parity_of_fourier_d2nn(tmp_path: Path, transform: Transform) -> None:
    package = proven(
        seeded(lambda: FourierD2nn(25, layers=2, transform=transform)), tmp_path / "package", frame(1, 1, 25, 25),
        fixed=True, settings={"decode": "instances", "maps": ["foreground"]},
    )  # fmt: skip
    assert [axis.size.fixed for axis in package.outputs[0].described] == [1, 1, 25, 25]


def test_both_transforms_are_one_network() -> None:
    by_fft, by_matrix = seeded(small), seeded(lambda: small(transform="matrix"))
    picture = torch.rand(1, 1, 8, 8)
    with torch.no_grad():
        assert torch.allclose(by_fft(picture), by_matrix(picture), atol=1e-5)
