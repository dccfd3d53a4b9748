"""Super-resolution of single images: counts of parameters as published, shapes, and the export."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from onscope.export.zoo.networks.superresolve import Drcn, Srcnn, SrganDiscriminator, SrResNet, Vdsr

from ..restore.proof import frame, parameters, proven, weights


def test_weights_are_those_that_are_published() -> None:
    assert weights(Srcnn()) == 8032  # the paper, for 9-1-5
    # CARN's table (N. Ahn et al., ECCV 2018) states 665 K, 1,774 K and, in colour at x4, 1,543 K; without biases.
    assert weights(Vdsr()) == 664_704
    assert weights(Drcn()) == 1_774_080
    assert weights(SrResNet(channels=3)) == 1_542_528


def test_the_discriminator_layer_by_layer() -> None:
    # The paper prints its layers (figure 4) and no total.
    sizes = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    convolutions = sum((inputs * 9 + 1) * outputs for inputs, outputs in sizes)
    norms = 2 * sum(outputs for _, outputs in sizes[1:])
    assert parameters(SrganDiscriminator(channels=3)) == convolutions + norms + (512 * 36 + 1) * 1024 + 1025


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
    "network",
    [
        Srcnn((8, 4)),
        Vdsr(8),
        pytest.param(Drcn(8), marks=pytest.mark.slow),
        pytest.param(SrResNet(8, scale=2), marks=pytest.mark.slow),
        SrResNet(4, 2, scale=4),
    ],
    ids=["srcnn", "vdsr", "drcn", "srresnet x2", "srresnet x4"],
)
def test_the_export_is_equal(network: nn.Module, tmp_path: Path) -> None:
    large = 4 if isinstance(network, SrResNet) and len(network.up) == 2 else 2
    _, package = proven(network, frame(1, 1, 20, 24), tmp_path, settings={"scale": large}, minimum=16, step=1)
    assert package.outputs[0].scale == large
