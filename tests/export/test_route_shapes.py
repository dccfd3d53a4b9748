"""Networks of many shapes by each route of PyTorch: planes, stacks, channels first and last, one to three outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional

from onscope.export import Choices, Report, export_original
from onscope.export.routes import Asked, load
from onscope.runtime import Package
from onscope.runtime.engines import open_session


class Plane(nn.Module):
    """One output for a plane of `channels`: down, up, cut to any size."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        torch.manual_seed(11)
        self.down, self.norm = nn.Conv2d(channels, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(4, channels, 2, stride=2)

    def forward(self, pixels: Tensor) -> Tensor:
        y, x = pixels.shape[2], pixels.shape[3]
        answer: Tensor = self.up(torch.relu(self.norm(self.down(pixels))))[:, :, :y, :x]
        return pixels + answer


class Two(nn.Module):
    """Two outputs: an image, and one of twice the pixels with other channels."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(12)
        self.first, self.second = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 12, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.tanh(self.first(pixels))
        return features, functional.pixel_shuffle(self.second(features), 2)


class Three(nn.Module):
    """Three outputs of a stack: itself, a plane of it, and a number per stack."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(13)
        self.layer, self.norm = nn.Conv3d(1, 2, 3, padding=1), nn.InstanceNorm3d(2)

    def forward(self, stack: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raw = self.layer(stack)
        features = self.norm(raw)
        return features, features.amax(2), raw.mean((2, 3, 4))


class Deep(nn.Module):
    """One output of a stack, pooled and enlarged along y and x alone."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(14)
        self.first, self.last = nn.Conv3d(1, 3, 3, padding=1), nn.Conv3d(3, 1, 3, padding=1)

    def forward(self, stack: Tensor) -> Tensor:
        small = functional.max_pool3d(torch.relu(self.first(stack)), (1, 2, 2))
        large = functional.interpolate(small, scale_factor=(1.0, 2.0, 2.0), mode="nearest")
        answer: Tensor = self.last(large)
        return answer


class Last(nn.Module):
    """Channels last, as cameras give colours: two of them become three."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(15)
        self.layer, self.norm = nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.norm(self.layer(pixels.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)
        return answer


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], dict[str, Any]]] = {
    "plane": (Plane, (1, 1, 33, 41), {"axes": "bcyx"}),
    "colours": (lambda: Plane(3), (1, 3, 37, 33), {"axes": "bcyx"}),
    "last": (Last, (1, 31, 38, 2), {"axes": "byxc"}),
    "two": (Two, (1, 1, 35, 40), {"axes": "bcyx", "output_axes": ("bcyx", "bcyx"), "output_names": ("a", "b")}),
    "three": (
        Three,
        (1, 1, 5, 33, 36),
        {"axes": "bczyx", "output_axes": ("bczyx", "bcyx", "bc"), "output_names": ("stack", "plane", "level")},
    ),
    "deep": (Deep, (1, 1, 7, 32, 40), {"axes": "bczyx", "step": 2}),
}


def by_state_dict(network: nn.Module, folder: Path, axes: str, shape: tuple[int, ...]) -> Any:
    torch.save(network.state_dict(), folder / "net.pt")
    arguments = "(channels=3)" if isinstance(network, Plane) and network.up.out_channels == 3 else ""
    return load(folder / "net.pt", Asked(f"{type(network).__module__}:{type(network).__name__}{arguments}"))


def by_script(network: nn.Module, folder: Path, axes: str, shape: tuple[int, ...]) -> Any:
    torch.jit.save(torch.jit.script(network), folder / "net.pt")
    return load(folder / "net.pt")


def by_program(network: nn.Module, folder: Path, axes: str, shape: tuple[int, ...]) -> Any:
    free = {axes.index(letter): Dim.DYNAMIC for letter in "byx"}
    program = torch.export.export(network, (torch.rand(2, *shape[1:]),), dynamic_shapes=(free,))
    torch.export.save(program, folder / "net.pt2")
    return load(folder / "net.pt2")


def proven(report: Report, network: nn.Module, axes: str, shape: tuple[int, ...]) -> None:
    """The written file against PyTorch itself: at odd sizes (where the network takes them), and two at once."""
    package = Package.load(report.folder)
    session = open_session(package.weights, "cpu", 1)
    size = package.inputs[0].sizes[axes.index("x")]
    assert [package.inputs[0].sizes[axes.index(letter)].fixed for letter in "yx"] == [None, None]
    low, step = size.minimum, size.step
    random = np.random.default_rng(3)
    for y, x in ((low, low + 7 * step), (low + 15 * step, low)):
        for batch in (1, 2):
            sizes = {"b": batch, "y": y, "x": x}
            own = tuple(sizes.get(letter, there) for letter, there in zip(axes, shape, strict=True))
            frames = random.random(own, np.float32)
            with torch.no_grad():
                expected = network(torch.from_numpy(frames))
            expected = expected if isinstance(expected, tuple) else (expected,)
            for want, have in zip(expected, session.run([frames]), strict=True):
                assert have.shape == tuple(want.shape)
                assert np.abs(have - want.numpy()).max() <= 2e-4 * float(want.max() - want.min())
    assert {one.where for one in report.parity} >= {"test tensor", "darker", "two at once"}


@pytest.mark.parametrize("open_by", [by_state_dict, by_script, by_program])
@pytest.mark.parametrize("case", CASES)
def test_shapes(tmp_path: Path, case: str, open_by: Callable[..., Any]) -> None:
    make, shape, told = CASES[case]
    network = make().eval()
    example = np.random.default_rng(2).random(shape, np.float32)
    original = open_by(network, tmp_path, told["axes"], shape)
    report = export_original(original, tmp_path / "package", Choices(example=example, **told))
    assert report.exporter == ("TorchScript exporter" if open_by is by_script else "torch.export")
    outputs = Package.load(report.folder).outputs
    assert len(outputs) == len(told.get("output_names", ("one",)))
    if case == "two":
        assert [output.scale for output in outputs] == [1.0, 2.0]
        assert [output.channels for output in outputs] == [2, 3]
    proven(report, network, told["axes"], shape)
