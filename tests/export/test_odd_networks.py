"""Networks that do what networks seldom do: change their input, answer at random, give images beside points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import prove

FRAME = np.random.default_rng(0).random((1, 1, 24, 24), np.float32)


class InPlace(nn.Module):
    """Begins with an operation in place."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Threshold(0.5, 0.0, inplace=True), nn.Conv2d(1, 1, 3, padding=1))

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.layers(pixels)
        return answer + pixels


class Noisy(nn.Module):
    def forward(self, pixels: Tensor) -> Tensor:
        return pixels + torch.rand_like(pixels)


class Counting(nn.Module):
    """Remembers how often it ran."""

    times: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("times", torch.zeros(1))

    def forward(self, pixels: Tensor) -> Tensor:
        self.times += 1
        return pixels * self.times


class Gives(nn.Module):
    def __init__(self, kind: torch.dtype) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.to(self.kind)


class Sparse(nn.Module):
    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.to_sparse()


class Listed(nn.Module):
    def forward(self, pixels: Tensor) -> Any:
        return pixels, [pixels, None]


class Spots(nn.Module):
    """Points and the map that they come from; the map is off by `lie` while it is exported."""

    def __init__(self, lie: float) -> None:
        super().__init__()
        self.lie = lie

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        score = torch.sigmoid(pixels)
        best, index = torch.topk(score.flatten(), 8)
        y = index // pixels.shape[3]
        columns = (y.float(), (index - y * pixels.shape[3]).float(), best)
        extra = self.lie if torch.compiler.is_exporting() else 0.0
        return torch.stack(columns, 1), score * 0.1 + extra


def test_frames_are_not_changed(make: Any) -> None:
    frame = FRAME.copy()
    report = make(InPlace(), frame)
    assert report.passed
    assert np.array_equal(frame, FRAME)
    package = Package.load(report.folder)
    assert np.array_equal(package.load_test_inputs()[0], FRAME)
    with torch.no_grad():
        expected = InPlace()(torch.tensor(FRAME)).numpy()
    found = open_session(package.weights, "cpu", 1).run([FRAME])[0]
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("network", [Noisy(), Counting()])
def test_networks_that_answer_otherwise_each_time(make: Any, network: nn.Module) -> None:
    with pytest.raises(ExportError, match="the network itself gives another 'image' for the same input each time"):
        make(network, FRAME)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Gives(torch.float16), "gives float16, expected float32"),
        (Gives(torch.bfloat16), "gives bfloat16, expected float32"),
        (Gives(torch.complex64), "gives complex64, expected float32"),
        (Sparse(), "gives sparse tensors, expected float32"),
        (Listed(), "gives a tuple of Tensor, list, expected a tensor or a tuple of tensors"),
    ],
)
def test_what_no_package_can_describe(make: Any, network: nn.Module, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        make(network, FRAME)


@pytest.mark.parametrize("kind", [torch.float64, torch.bool, torch.int64, torch.uint8])
def test_what_one_can(make: Any, kind: torch.dtype) -> None:
    assert make(Gives(kind), FRAME).passed


def test_an_image_beside_points_is_held_to_an_image_s_limits(make: Any) -> None:
    told = {
        "settings": {"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.5},
        "output_names": ("points", "map"),
        "output_axes": ("ic", "bcyx"),
    }
    report = make(Spots(0.0), FRAME, **told)
    assert {(one.output, one.kind) for one in report.parity} == {("points", "points"), ("map", "float32")}
    assert {one.name for one in report.metrics if one.output == "map"} >= {"PSNR"}
    package = Package.load(report.folder)
    agreed = prove(package, open_session(package.weights, "cpu", 1))
    assert [one.elements for one in agreed][1] == FRAME.size
    with pytest.raises(ExportError, match="not equal to the network: 'map'"):
        make(Spots(0.01), FRAME, overwrite=True, **told)
