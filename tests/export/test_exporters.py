"""Where one exporter of PyTorch fails another has its turn, and the report says so: by networks on which each fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from onscope.export import Choices, Report, export_original
from onscope.export.routes import Asked, load
from onscope.runtime import ExportError

from .networks import Moody, Remainder


class Halving(nn.Module):
    """Halves its pixels until they are small: how often depends on them."""

    def forward(self, pixels: Tensor) -> Tensor:
        while bool(pixels.max() > 0.1):
            pixels = pixels * 0.5
        return pixels


class Hidden(nn.Module):
    """Decides by its pixels, in words that TorchScript does not know."""

    def forward(self, pixels: Tensor) -> Tensor:
        factor = next(number for number in (2, 3) if number == 3 or bool(pixels.mean() > 0.3))
        return pixels * factor


class Tracked(nn.Module):
    """An instance norm with the statistics of its training, which the exporter of TorchScript does not know."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.layer, self.norm = (
            nn.Conv2d(1, 4, 3, padding=1),
            nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
        )
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.last(torch.relu(self.norm(self.layer(pixels))))
        return answer


class Plain(nn.Module):
    """An instance norm of each image's own; free sizes are the exporters' difficulty."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(9)
        self.layer, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4, affine=True)

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.norm(self.layer(pixels))
        return answer


class Whole(nn.Module):
    """uint16 in and out."""

    def forward(self, counts: Tensor) -> Tensor:
        return (counts.to(torch.float32) * 1.5).round().clamp(0, 65535).to(torch.uint16)


class Median(nn.Module):
    """Has no counterpart in ONNX."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels - pixels.flatten(2).median(2)[0][:, :, None, None]


def by_state_dict(network: nn.Module, folder: Path) -> Any:
    torch.save(network.state_dict(), folder / "net.pt")
    return load(folder / "net.pt", Asked(f"{type(network).__module__}:{type(network).__name__}"))


def by_script(network: nn.Module, folder: Path) -> Any:
    torch.jit.save(torch.jit.script(network.eval()), folder / "net.pt")
    return load(folder / "net.pt")


def exported(original: Any, folder: Path, kind: str = "float32", **more: Any) -> Report:
    example = np.random.default_rng(0).random((1, 1, 40, 36)) * (1 if kind == "float32" else 4000)
    return export_original(original, folder / "package", Choices(example=example.astype(kind), license="MIT", **more))


@pytest.mark.parametrize(
    ("network", "open_by", "exporter", "first"),
    [
        (Plain(), by_state_dict, "torch.export", ""),
        (Plain(), by_script, "TorchScript exporter", ""),
        (Tracked(), by_state_dict, "torch.export", ""),
        (
            Tracked(),
            by_script,
            "torch.export of TorchScript",
            "TorchScript exporter failed (Unsupported: ONNX",
        ),
        (Moody(), by_state_dict, "TorchScript exporter, by torch.jit.script", "torch.export failed (Could not guard"),
        (Moody(), by_script, "TorchScript exporter", ""),
        (Halving(), by_state_dict, "TorchScript exporter, by torch.jit.script", "torch.export failed (Could not guard"),
        (Halving(), by_script, "TorchScript exporter", ""),
    ],
)
def test_which_exporter_has_its_turn(
    tmp_path: Path, network: nn.Module, open_by: Any, exporter: str, first: str
) -> None:
    report = exported(open_by(network, tmp_path), tmp_path)
    assert report.exporter == exporter
    assert (report.notes[0] if report.notes else "").startswith(first)
    assert bool(report.notes) == bool(first)
    assert f"by {exporter} (opset" in (report.folder / "README.md").read_text(encoding="utf-8")
    assert {one.where for one in report.parity} >= {"darker", "brighter"}


def test_counts_by_torchscript(tmp_path: Path) -> None:
    report = exported(by_script(Whole(), tmp_path), tmp_path, "uint16")
    assert report.exporter == "torch.export of TorchScript"
    assert "UInt16" in report.notes[0]


def test_points_whose_columns_are_remainders(tmp_path: Path) -> None:
    points = {"decode": "points", "columns": ["y", "x", "score"]}
    report = exported(by_state_dict(Remainder(), tmp_path), tmp_path, settings=points)
    assert report.exporter == "TorchScript exporter"
    assert report.notes[0].startswith("torch.export failed (")


def test_a_decision_in_words_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"by TorchScript exporter is not equal .* \(darker\) is off by .*jit.script"):
        exported(by_state_dict(Hidden(), tmp_path), tmp_path)


@pytest.mark.parametrize("open_by", [by_state_dict, by_script])
def test_where_all_fail_each_says_why(tmp_path: Path, open_by: Any) -> None:
    with pytest.raises(ExportError, match=r"torch.export.*: .*median.*(TorchScript exporter: .*median)?") as caught:
        exported(open_by(Median(), tmp_path), tmp_path)
    assert str(caught.value).count("median") >= 2


def test_names_that_would_become_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("x=open(chr(82),chr(119))", torch.ones(1))

        def forward(self, counts: Tensor) -> Tensor:
            factor = getattr(self, "x=open(chr(82),chr(119))")
            answer: Tensor = (counts.to(torch.float32) * factor).to(torch.uint16)
            return answer

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExportError, match=r"it calls an attribute .*, which is no name in Python"):
        exported(by_script(Named(), tmp_path), tmp_path, "uint16")
    assert not (tmp_path / "R").exists()
