"""ResNet and VGG: parameters as published, strides, and exports that are equal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.classify import ProteinAtlasResNet, ResNet, ResNetBody, Vgg
from onscope.export.zoo.networks.classify.protein_atlas import CHANNELS, NAMES
from tests.zoo.networks.proof import parameters, proven, seeded, shape_of


@pytest.mark.parametrize(
    ("depth", "count"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032), (101, 44_549_160), (152, 60_192_808)]
)
def test_parameters(depth: int, count: int) -> None:
    """Those that torchvision states for 1000 classes."""
    assert parameters(lambda: ResNet(depth)) == count
    assert parameters(lambda: ResNet(depth, output_stride=8)) == count


@pytest.mark.parametrize(
    ("depth", "count"), [(11, 132_863_336), (13, 133_047_848), (16, 138_357_544), (19, 143_667_240)]
)
def test_parameters_of_vgg(depth: int, count: int) -> None:
    """133, 133, 138 and 144 million in the paper's table 2; exactly, those that torchvision states."""
    assert parameters(lambda: Vgg(depth)) == count


@pytest.mark.parametrize(("stride", "last"), [(32, (3, 2)), (16, (5, 3)), (8, (9, 6))])
@pytest.mark.parametrize("depth", [18, 50])
def test_strides(depth: int, stride: int, last: tuple[int, int]) -> None:
    with torch.no_grad():
        maps = ResNetBody(depth, 1, 2, stride).eval()(torch.zeros(1, 1, 65, 48))
    assert tuple(maps[0].shape[2:]) == (17, 12)
    assert tuple(maps[-1].shape[2:]) == last


def test_unknown_depths_are_refused() -> None:
    with pytest.raises(ValueError, match="found a ResNet of depth 20 and output stride 32, expected a depth of 18, 34"):
        ResNet(20)


@pytest.mark.parametrize(("depth", "stride"), [(18, 8), (50, 8), (34, 16)])
def test_dilation_sees_what_stride_sees(depth: int, stride: int) -> None:
    """At every fourth (second) pixel of the dilated map stand the values of the strided one: weights fit both."""
    strided = seeded(lambda: ResNetBody(depth, 1, 2, 32), (2, 1, 64, 64))
    dilated = ResNetBody(depth, 1, 2, stride).eval()
    dilated.load_state_dict(strided.state_dict())
    frame, step = torch.rand(1, 1, 64, 80), 32 // stride
    with torch.no_grad():
        found, expected = dilated(frame)[-1][:, :, ::step, ::step], strided(frame)[-1]
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.slow
@pytest.mark.parametrize("depth", [18, 34, 50])
def test_several_labels_at_once(tmp_path: Path, depth: int) -> None:
    assert len(NAMES) == 28
    network = seeded(lambda: ProteinAtlasResNet(depth, width=2), (2, 4, 64, 64))
    package = proven(
        network, tmp_path / "package", (1, 4, 48, 64), [(1, 4, 33, 47), (3, 4, 32, 40)], minimum=32, step=1,
        output_axes=("bc",), channel_names=CHANNELS, output_names=("places",),
        settings={"decode": "classes", "classes": list(NAMES), "multi_label": True},
    )  # fmt: skip
    assert package.inputs[0].described[1].channels == CHANNELS


@pytest.mark.slow
@pytest.mark.parametrize("depth", [16, 19])
def test_parity_of_vgg(tmp_path: Path, depth: int) -> None:
    network = seeded(lambda: Vgg(depth, 1, 5, width=2, hidden=16, side=64), (2, 1, 64, 64))
    assert shape_of(network, (2, 1, 64, 64)) == (2, 5)
    proven(
        network, tmp_path / "package", (1, 1, 64, 64), [(2, 1, 64, 64)], fixed=True, output_axes=("bc",),
        settings={"decode": "classes", "classes": list("abcde"), "activation": "softmax"},
    )  # fmt: skip
