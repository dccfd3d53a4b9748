"""Which weights of a BioImage.IO package are taken, and packages whose weights and test tensors do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from onscope.export import Choices, export_original
from onscope.export.routes import Asked, load
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session

from .packages import (
    BATCH,
    about,
    answer_of,
    counts,
    follows,
    onnx_file,
    onnx_weights,
    sha256,
    space,
    standardised,
    state_dict,
    tensor,
    torchscript,
    two_classes,
    write,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))


def notes_of(source: Path, asked: Asked | None = None) -> tuple[str, ...]:
    return load(source, asked).stated.notes


def test_what_was_trained_goes_before_what_was_made_from_it(tmp_path: Path) -> None:
    def both(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        made = torchscript(folder, network, raw)["torchscript"] | {"parent": "onnx"}
        return {"torchscript": made, **onnx_weights(folder, network, raw)}

    notes = notes_of(two_classes(tmp_path / "source", both))
    assert "its onnx weights were taken, which the others were made from (there are torchscript too)" in notes


@pytest.mark.parametrize("broken", ["torchscript", "both"])
def test_weights_that_cannot_be_opened_are_passed_over(tmp_path: Path, broken: str) -> None:
    def both(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        found = {**torchscript(folder, network, raw), **onnx_weights(folder, network, raw)}
        for name in ("net.pt", "net.onnx") if broken == "both" else ("net.pt",):
            (folder / name).write_bytes((folder / name).read_bytes()[:-900])
        for entry in found.values():
            entry["sha256"] = sha256(folder / entry["source"])
        return found

    source = two_classes(tmp_path / "source", both)
    if broken == "both":
        with pytest.raises(ExportError, match=r"net.pt"):
            load(source)
        return
    notes = notes_of(source)
    assert "its onnx weights were taken, the first that can be opened (there are torchscript too)" in notes
    assert any(note.startswith("its torchscript weights were passed over: found net.pt") for note in notes), notes
    assert export_original(load(source), tmp_path / "out").passed


def test_files_that_are_not_what_their_sha256_says_are_not_passed_over(tmp_path: Path) -> None:
    def both(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        return {**torchscript(folder, network, raw), **onnx_weights(folder, network, raw)}

    source = two_classes(tmp_path / "source", both)
    (source / "net.pt").write_bytes((source / "net.pt").read_bytes()[:-900])
    with pytest.raises(ExportError, match=r"net.pt with sha256 .* as stated for the torchscript weights"):
        load(source)


def test_a_state_dict_that_does_not_fit_its_architecture(tmp_path: Path) -> None:
    def both(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        found = {**state_dict(folder, network, raw), **torchscript(folder, network, raw)}
        found["pytorch_state_dict"]["architecture"]["kwargs"] = {"features": 5}
        return found

    notes = notes_of(two_classes(tmp_path / "source", both), Asked(trust_code=True))
    assert any("its torchscript weights were taken" in note for note in notes)
    assert any(note.startswith("its pytorch_state_dict weights were passed over: found") for note in notes), notes


def test_onnx_weights_of_one_size_in_a_package_of_any(tmp_path: Path) -> None:
    def fixed(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        found = onnx_weights(folder, network, raw)
        model = onnx.load(folder / "net.onnx")
        for value in (*model.graph.input, *model.graph.output):
            for dim, size in zip(value.type.tensor_type.shape.dim[2:], (32, 40), strict=True):
                dim.dim_value = size
        del model.graph.value_info[:]
        onnx.save(model, folder / "net.onnx")
        found["onnx"]["sha256"] = sha256(folder / "net.onnx")
        return found

    report = export_original(load(two_classes(tmp_path / "source", fixed)), tmp_path / "out")
    package = Package.load(report.folder)
    assert (package.inputs[0].sizes[2].minimum, package.inputs[0].sizes[2].step) == (16, 4)
    assert {one.size for one in report.parity} > {(32, 40), (16, 20)}


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_packages_without_test_tensors(tmp_path: Path, side: str) -> None:
    def without(rdf: dict[str, Any]) -> None:
        del rdf[side][0]["test_tensor"]

    report = export_original(load(two_classes(tmp_path / "source", onnx_weights, without)), tmp_path / "out")
    assert any(note.startswith("it brings no test input with its outputs") for note in report.notes)
    assert "its own test output" not in [one.where for one in report.parity]


class Features(nn.Module):
    """Two classes, and what they were made from."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.network(frames), torch.relu(frames)


def test_outputs_that_a_package_does_not_describe(tmp_path: Path) -> None:
    def more(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        return onnx_weights(folder, Features(network), raw)

    source = two_classes(tmp_path / "source", more)
    assert len(onnx.load(source / "net.onnx").graph.output) == 2
    report = export_original(load(source), tmp_path / "out")
    assert [output.name for output in Package.load(report.folder).outputs] == ["classes"]
    assert len(onnx.load(report.folder / "weights.onnx").graph.output) == 1


class Times(nn.Module):
    """Five moments, one image each and one of all."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.layer = nn.Conv2d(5, 5, 3, padding=1)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(frames)
        return found


def test_moments_in_onnx_weights(tmp_path: Path) -> None:
    """Axes that nothing in an ONNX file tells from channels."""
    folder = tmp_path / "source"
    folder.mkdir()
    raw, network = counts((1, 5, 24, 28)), Times().eval()
    moments = {"type": "time", "id": "time", "size": 5}
    grid = {"min": 8, "step": 1}
    given = tensor(
        "raw", [BATCH, moments, space("y", size=grid), space("x", size=grid)], raw, folder,
        preprocessing=[{"id": "zero_mean_unit_variance"}, {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}],
    )  # fmt: skip
    found = answer_of(network, standardised(raw))
    answer = tensor("image", [BATCH, moments, *(space(name, size=follows(name)) for name in "yx")], found, folder)
    weights = {"onnx": onnx_file(network, folder / "net.onnx", raw)}
    report = export_original(
        load(write(folder, about(inputs=[given], outputs=[answer], weights=weights))), tmp_path / "o"
    )
    package = Package.load(report.folder)
    assert package.inputs[0].axes == ("batch", "time", "y", "x")
    frames = standardised(counts((1, 5, 19, 33)))
    assert np.allclose(open_session(package.weights, "cpu", 1).run([frames])[0], answer_of(network, frames), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda found: found[:, :, :-4],
            r"own test output 'classes' \(found 1x2x32x40 float32, expected 1x2x28x40 float32",
        ),
        (
            lambda found: found[:, :1],
            r"own test output 'classes' \(found 1x2x32x40 float32, expected 1x1x32x40 float32",
        ),
        (lambda found: 1 - found, r"does not give its own test output 'classes' \(largest error"),
        (lambda found: found * np.nan, r"does not give its own test output 'classes' \(largest error nan"),
        (lambda found: found[0], r"with 3 axes, expected float32 with 4 for 'classes'"),
    ],
)
def test_test_tensors_that_do_not_fit_the_weights(tmp_path: Path, change: Any, words: str) -> None:
    source = two_classes(tmp_path / "source", onnx_weights)
    before = sha256(source / "classes.npy")
    np.save(source / "classes.npy", change(np.load(source / "classes.npy")))
    text = (source / "rdf.yaml").read_text(encoding="utf-8")
    (source / "rdf.yaml").write_text(text.replace(before, sha256(source / "classes.npy")), encoding="utf-8")
    with pytest.raises(ExportError, match=words) as caught:
        export_original(load(source), tmp_path / "out", Choices())
    assert "\n" not in str(caught.value)
