"""CARE as in the paper: counts of parameters, shapes, and the export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from onscope.export._steps import cast, percentiles
from onscope.export.zoo.networks.restore import Care

from ..proof import frame, parameters, proven, seeded


def convolutions(*sizes: tuple[int, int], taps: int) -> int:
    return sum((inputs * taps + 1) * outputs for inputs, outputs in sizes)


def test_parameters_are_those_of_csbdeep() -> None:
    # Layer by layer as `custom_unet` of CSBDeep builds them: no total is printed in the paper.
    sizes = [(1, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 64), (128, 64), (64, 32), (64, 32), (32, 32)]
    assert parameters(lambda: Care()) == convolutions(*sizes, taps=25) + 33
    assert parameters(lambda: Care(probabilistic=True)) == convolutions(*sizes, taps=25) + 66
    assert parameters(lambda: Care(kernel=3, dimensions=3)) == convolutions(*sizes, taps=27) + 33


def test_shapes_and_the_scale() -> None:
    network = Care(features=4, probabilistic=True)
    with torch.no_grad():
        mean, scale = network(torch.rand(2, 1, 20, 24))
        assert mean.shape == scale.shape == (2, 1, 20, 24)
        assert float(scale.min()) >= 1e-3
        assert Care(4, kernel=3, dimensions=3)(torch.rand(1, 4, 8, 12)).shape == (1, 4, 8, 12)


def test_without_weights_it_answers_its_input() -> None:
    network = Care(features=2)
    for parameter in network.mean.parameters():
        torch.nn.init.zeros_(parameter)
    pixels = torch.rand(1, 1, 8, 8)
    assert torch.equal(network(pixels), pixels)


@pytest.mark.slow
def test_frames_with_the_paper_s_normalisation_are_equal(tmp_path: Path) -> None:
    pre = (percentiles(3, 99.8, ("y", "x")), cast("float32"))
    package = proven(seeded(lambda: Care(4)), tmp_path / "package", frame(1, 1, 32, 36) * 900 + 100, pre=pre)
    report = json.loads((package.folder / "export.json").read_text(encoding="utf-8"))
    assert package.outputs[0].scale == 1.0
    assert any("4 + n * 4" in note or "n * 4" in note for note in report["notes"])


@pytest.mark.slow
def test_mean_and_scale_are_equal(tmp_path: Path) -> None:
    network = seeded(lambda: Care(4, probabilistic=True))
    package = proven(
        network, tmp_path / "package", frame(1, 1, 32, 36), output_names=("mean", "scale"),
        output_axes=("bcyx", "bcyx"), step=4, minimum=16,
    )  # fmt: skip
    assert [one.name for one in package.outputs] == ["mean", "scale"]


@pytest.mark.slow
def test_stacks_are_equal(tmp_path: Path) -> None:
    network = seeded(lambda: Care(2, kernel=3, dimensions=3))
    proven(network, tmp_path / "package", frame(1, 4, 24, 32), axes="bzyx", step=4, minimum=16)
