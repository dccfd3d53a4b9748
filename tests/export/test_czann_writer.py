"""ZEISS .czann files as ZEISS' own writer makes them (czmodel), against the networks that it was given."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from onscope.export import Choices, export_original
from onscope.export.routes import load
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import carry_out

from .onnx_files import Ladder, close

czmodel = pytest.importorskip("czmodel.pytorch.convert")
metadata = pytest.importorskip("czmodel.core.model_metadata")
specification = pytest.importorskip("czmodel.pytorch.model_spec")
NEWER = "it is of version 3.0.0 of its format, newer than those known here (1 and 2)"
TWO = ["background", "nuclei"]


class Twice(nn.Module):
    """Twice the pixels along y and x."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(6)
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2), nn.Sigmoid())

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layers(pixels)
        return answer


class Valid(nn.Module):
    """Two pixels less at each border."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.layer = nn.Conv2d(1, 1, 5)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layer(pixels)
        return answer


class Whole(nn.Module):
    """Four scores for the whole image."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.AdaptiveAvgPool2d(1), nn.Softmax(1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layers(pixels)
        return answer


class Case(NamedTuple):
    """A network, the shapes that the writer states, the type, what else is stated, and a note of the export."""

    network: Callable[[], nn.Module]
    taken: tuple[int, ...]
    given: tuple[int, ...]
    kind: str
    told: dict[str, Any]
    note: str


CASES = {
    "classes of pixels": Case(
        lambda: nn.Sequential(Ladder(1, 2), nn.Softmax(1)), (64, 48, 1), (64, 48, 2),
        "SINGLE_CLASS_SEMANTIC_SEGMENTATION", {"classes": TWO, "min_overlap": [16, 16], "scaling": (2e-7, 3e-7)},
        "background, nuclei",
    ),
    "classes that overlap, in colour": Case(
        lambda: nn.Sequential(Ladder(3, 3), nn.Sigmoid()), (128, 96, 3), (128, 96, 3),
        "MULTI_CLASS_SEMANTIC_SEGMENTATION", {"classes": ["a", "b", "c"]}, "several may be in a pixel",
    ),
    "denoising": Case(lambda: Ladder(1, 1), (64, 64, 1), (64, 64, 1), "REGRESSION", {"min_overlap": [8, 8]}, "8 x 8"),
    "super-resolution": Case(Twice, (32, 40, 1), (64, 80, 1), "REGRESSION", {}, "free"),
    "without padding": Case(Valid, (40, 32, 1), (36, 28, 1), "REGRESSION", {}, "free"),
    "objects": Case(
        lambda: Ladder(1, 3), (64, 64, 1), (64, 64, 3), "SINGLE_CLASS_INSTANCE_SEGMENTATION", {"classes": TWO},
        "it names 2 classes, and its outputs have 3 channels",
    ),
    "objects of classes": Case(
        lambda: Ladder(1, 3), (64, 64, 1), (64, 64, 3), "MULTI_CLASS_INSTANCE_SEGMENTATION",
        {"classes": ["background", "a", "b"]}, "how ZEN makes objects",
    ),
    "a volume": Case(
        lambda: nn.Sequential(Ladder(1, 2, 1, deep=True), nn.Softmax(1)), (6, 32, 32, 1), (6, 32, 32, 2),
        "SINGLE_CLASS_SEMANTIC_SEGMENTATION", {"classes": TWO, "scaling": (1e-7, 1e-7, 3e-7)}, "0.1 x 0.1 x 0.3 um",
    ),
    "a class per image": Case(
        Whole, (32, 32, 1), (1, 1, 4), "SINGLE_CLASS_CLASSIFICATION", {"classes": ["a", "b", "c", "d"]},
        "how ZEN makes a class",
    ),
}  # fmt: skip


def written(case: Case, folder: Path) -> Path:
    """The file, by czmodel; it has a licence beside the network."""
    (folder / "license.txt").write_text("Anyone may use it.", encoding="utf-8")
    meta = metadata.ModelMetadata(
        model_type=metadata.ModelType[case.kind], input_shape=list(case.taken), output_shape=list(case.given),
        model_name="Nuclei 20x", **case.told,
    )  # fmt: skip
    model = specification.ModelSpec(
        model=case.network().eval(), model_metadata=meta, license_file=str(folder / "license.txt")
    )
    czmodel.DefaultConverter().convert_from_model_spec(
        model_spec=model, output_path=str(folder), output_name="cells",
        input_shape=(case.taken[-1], *case.taken[:-1]),
    )  # fmt: skip
    return folder / "cells.czann"


def exported(path: Path) -> Any:
    return export_original(load(path), path.parent / "package", Choices(authors=["A. Author"], license="MIT"))


@pytest.mark.filterwarnings("ignore")  # of the exporter that czmodel calls
@pytest.mark.parametrize("name", CASES)
def test_every_type(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    report = exported(written(case, tmp_path))
    package = Package.load(report.folder)
    assert package.name == "Nuclei 20x"
    assert package.settings["czann"]["format_version"] == "2.1.0"
    assert any(case.note in note for note in report.notes), report.notes
    deep = case.taken[:-3]
    frames = np.random.default_rng(2).integers(0, 65535, (2, *deep, 40, 36, case.taken[-1])).astype(np.uint16)
    (found,) = carry_out(package, open_session(package.weights, "cpu", 1), [frames])
    with torch.no_grad():
        pixels = torch.from_numpy(np.moveaxis((frames / 65535).astype(np.float32), -1, 1))
        wanted = case.network().eval()(pixels).numpy()
    if name != "a class per image":
        wanted = np.moveaxis(wanted, 1, -1)
    assert close(found, wanted)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("version", "note"),
    [(None, ""), ("1.1.0", ""), ("2.0.0", ""), ("2.1.0", ""), ("3.0.0", NEWER)],
)
def test_every_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, note: str) -> None:
    monkeypatch.setattr(metadata, "CZANN_FORMAT_VERSION", version)
    path = written(CASES["denoising"], tmp_path)
    if version is None:  # as files before 2.1 are
        path = repacked(path, lambda meta: meta.pop("FormatVersion"))
    stated = load(path).stated
    assert stated.settings["czann"].get("format_version") == version
    assert [words for words in stated.notes if "of its format" in words] == ([note] if note else [])


def repacked(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    other = path.with_name("other.czann")
    with zipfile.ZipFile(path) as read, zipfile.ZipFile(other, "w") as write:
        for name in read.namelist():
            data = read.read(name)
            if name == "model.json":
                meta = json.loads(data)
                change(meta)
                data = json.dumps(meta).encode()
            write.writestr(name, data)
    return other


@pytest.mark.filterwarnings("ignore")
def test_shapes_that_its_reader_would_not_take_either(tmp_path: Path) -> None:
    path = written(CASES["classes of pixels"], tmp_path)
    path = repacked(path, lambda meta: meta.update(OutputShape=[2, 64, 48]))
    with pytest.raises(ExportError, match=r"OutputShape 2x64x48 .* gives 1x64x48x2, expected 1x2x64x48: correct"):
        load(path)
