"""Super-resolution of single images: counts of parameters as published, shapes, and the export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from onscope.export.zoo.networks.superresolve import Drcn, Srcnn, SrganDiscriminator, SrResNet, Vdsr

from ..proof import frame, parameters, proven, seeded, weights


def test_weights_are_those_that_are_published() -> None:
    assert weights(lambda: Srcnn()) == 8032  # the paper, for 9-1-5
    # CARN's table (N. Ahn et al., ECCV 2018) states 665 K, 1,774 K and, in colour at x4, 1,543 K; without biases.
    assert weights(lambda: Vdsr()) == 664_704
    assert weights(lambda: Drcn()) == 1_774_080
    assert weights(lambda: SrResNet(channels=3)) == 1_542_528


def test_the_discriminator_layer_by_layer() -> None:
    # The paper prints its layers (figure 4) and no total.
    sizes = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    convolutions = sum((inputs * 9 + 1) * outputs for inputs, outputs in sizes)
    norms = 2 * sum(outputs for _, outputs in sizes[1:])
    assert parameters(lambda: SrganDiscriminator(channels=3)) == convolutions + norms + (512 * 36 + 1) * 1024 + 1025


@pytest.mark.parametrize(
    "network", [Srcnn((4, 3)), Vdsr(4, 5), Drcn(4, 3), SrResNet(4, 2, 2)], ids=lambda one: type(one).__name__
)
def test_any_size_is_doubled(network: nn.Module) -> None:
    with torch.no_grad():
        assert network(torch.rand(2, 1, 13, 18)).shape == (2, 1, 26, 36)


def test_the_residual_networks_begin_at_the_interpolated_image() -> None:
    pixels = torch.rand(1, 1, 9, 12)
    expected = nn.functional.interpolate(pixels, scale_factor=2.0, mode="bicubic")
    vdsr, drcn = Vdsr(4, 5), Drcn(4, 3)
    for network, last in ((vdsr, vdsr.layers[-1]), (drcn, drcn.reconstruction[-1])):
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        assert torch.allclose(network(pixels), expected, atol=1e-6)


def test_scales_of_srresnet() -> None:
    assert SrResNet(4, 1, 4)(torch.rand(1, 1, 8, 9)).shape == (1, 1, 32, 36)
    with pytest.raises(ValueError, match="found a scale of 3, expected a power of 2"):
        SrResNet(scale=3)
    assert SrganDiscriminator(2, side=32, dense=8)(torch.rand(2, 1, 32, 32)).shape == (2, 1)


@pytest.mark.parametrize(
    ("make", "large"),
    [
        (lambda: Srcnn((8, 4)), 2),
        (lambda: Vdsr(8), 2),
        pytest.param(lambda: Drcn(8), 2, marks=pytest.mark.slow),
        pytest.param(lambda: SrResNet(8, scale=2), 2, marks=pytest.mark.slow),
        (lambda: SrResNet(4, 2, scale=4), 4),
    ],
    ids=["srcnn", "vdsr", "drcn", "srresnet x2", "srresnet x4"],
)
def test_the_export_is_equal(make: Callable[[], nn.Module], large: int, tmp_path: Path) -> None:
    network = seeded(make, (2, 1, 20, 24))
    package = proven(
        network, tmp_path / "package", frame(1, 1, 20, 24), settings={"scale": large}, minimum=16, step=1
    )  # fmt: skip
    assert package.outputs[0].scale == large
