"""ZEISS .czann files: opened as untrusted zips, with the axes, sizes, classes and overlap that they state."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.export import Choices, export_original
from onscope.export.routes import load
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from onscope.runtime.package import carry_out

from .onnx_files import ChannelsLast, Ladder, by_torch, close, package_answers

META = {
    "Id": "b511d295-91ff-46ca-bb60-b2e26c393809",
    "Type": "SingleClassSemanticSegmentation",
    "Classes": ["background", "nuclei"],
    "InputShape": [64, 48, 1],
    "OutputShape": [64, 48, 2],
    "MinOverlap": [16, 16],
    "Scaling": [2e-7, 2e-7],
}
Pack = Callable[..., Path]


class Scores(nn.Module):
    """Scores of classes that add up to one."""

    def __init__(self, channels: int = 1, deep: bool = False) -> None:
        super().__init__()
        self.network = Ladder(channels, 2, 2, deep)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.network(pixels), 1)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """A .czann file as czmodel writes them: channels last, opset 12, a free batch, all else fixed."""

    def write(network: nn.Module | None = None, name: str = "model.model", **meta: Any) -> Path:
        told = {**META, **meta}
        shape = (1, *told["InputShape"])
        network = ChannelsLast(network or Scores())
        file = by_torch(network, shape, tmp_path / "exported.onnx", 12, {0: "batch_size"})
        with zipfile.ZipFile(tmp_path / "cells.czann", "w") as archive:
            archive.writestr("model.json", json.dumps({key: value for key, value in told.items() if value is not None}))
            archive.write(file, name)
            archive.writestr("license.txt", "Anyone may use it.")
        return tmp_path / "cells.czann"

    return write


def exported(path: Path, **choices: Any) -> Any:
    told = {"authors": ["A. Author"], "name": "cells of a test", **choices}
    return export_original(load(path), path.parent / "package", Choices(**told))


def test_a_segmentation(pack: Pack) -> None:
    report = exported(pack())
    package = Package.load(report.folder)
    assert package.inputs[0].axes == package.outputs[0].axes == ("batch", "y", "x", "channel")
    assert report.parity[0].size == (64, 48)
    assert "two at once" in [one.where for one in report.parity]
    assert package.settings["czann"]["classes"] == ("background", "nuclei")
    assert package.settings["czann"]["min_overlap_pixels"] == (16, 16)
    assert package.settings["czann"]["pixel_size_um"] == (0.2, 0.2)
    for words in ("background, nuclei", "overlap by 16 x 16 pixels", "0.2 x 0.2 um", "licence text", "is free"):
        assert any(words in note for note in (*report.notes, "is free")), words
    text = (report.folder / "README.md").read_text(encoding="utf-8")
    assert "    Anyone may use it." in text
    frames = np.random.default_rng(2).integers(0, 65535, (1, 40, 52, 1)).astype(np.uint16)
    with torch.no_grad():
        wanted = ChannelsLast(Scores()).eval()(torch.from_numpy((frames / 65535).astype(np.float32))).numpy()
    (found,) = carry_out(package, open_session(package.weights, "cpu", 1), [frames])
    assert close(found, wanted)


def test_colours_to_numbers(pack: Pack) -> None:
    meta = {"Type": "Regression", "Classes": None, "InputShape": [32, 32, 3], "OutputShape": [32, 32, 3]}
    report = exported(pack(Ladder(3, 3), name="model.onnx", MinOverlap=None, Scaling=None, **meta))
    assert any("order blue, green, red" in note for note in report.notes)
    names = (report.folder / "rdf.yaml").read_text(encoding="utf-8")
    assert all(name in names for name in ("blue", "green", "red"))
    frames = np.random.default_rng(2).random((2, 20, 28, 3), np.float32)
    with torch.no_grad():
        wanted = ChannelsLast(Ladder(3, 3)).eval()(torch.from_numpy(frames)).numpy()
    assert close(package_answers(report.folder, frames)[0], wanted)


def test_volumes(pack: Pack) -> None:
    report = exported(pack(Scores(deep=True), InputShape=[8, 32, 32, 1], OutputShape=[8, 32, 32, 2]))
    assert Package.load(report.folder).inputs[0].axes == ("batch", "z", "y", "x", "channel")
    assert report.parity[0].size == (32, 32)


def test_the_name_in_the_file(pack: Pack, tmp_path: Path) -> None:
    assert load(pack(ModelName="Nuclei / 20x")).stated.name == "Nuclei - 20x"
    original = load(pack(Type="MultiClassInstanceSegmentation"))
    assert original.stated.name == ""
    assert original.route == "the ZEISS model cells.czann"
    assert any("how ZEN makes objects" in note for note in original.stated.notes)


def test_on_the_command_line(pack: Pack, tmp_path: Path) -> None:
    out = tmp_path / "cells-test"
    words = ["export", str(pack()), "-o", str(out), "--normalise", "scale:0.00392157", "--dtype", "uint8", "--json"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "120", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["route"] == "the ZEISS model cells.czann"
    assert np.load(out / "test_raw.npy").dtype == np.uint8


@pytest.mark.parametrize(
    ("meta", "sentence"),
    [
        ({"InputShape": [64, 48]}, "found the InputShape .* expected height, width and channels"),
        ({"OutputShape": [64, 48, 3]}, "found the OutputShape 64x48x3 .* gives 1x64x48x2"),
        ({"OutputShape": [32, 24, 2]}, "found the OutputShape 32x24x2"),
        ({"Classes": ["one", "two", "three"]}, "found 3 Classes .* expected 2"),
        ({"Classes": "nuclei"}, "as Classes in model.json"),
        ({"Type": "Horoscope"}, "found the Type 'Horoscope' .* expected one of Regression"),
        ({"Type": ["Regression"]}, "found the Type"),
        ({"Type": None}, "found the Type"),
    ],
)
def test_what_is_stated_must_fit(pack: Pack, meta: dict[str, Any], sentence: str) -> None:
    whole = pack()
    path = whole.with_name("other.czann")
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(path, "w") as write:
        write.writestr("model.json", json.dumps({**META, **meta}))
        write.writestr("model.model", read.read("model.model"))
    with pytest.raises(ExportError, match=sentence):
        load(path)


def test_a_network_of_other_sizes(pack: Pack) -> None:
    whole = pack()
    path = whole.with_name("other.czann")
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(path, "w") as write:
        write.writestr("model.json", json.dumps({**META, "InputShape": [128, 128, 1]}))
        write.writestr("model.model", read.read("model.model"))
    with pytest.raises(ExportError, match=r"InputShape 128x128x1 .* takes \?x64x48x1"):
        load(path)


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


GOOD = json.dumps(META).encode()


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"model.json": GOOD, "../model.model": b"x"}, "expected one inside"),
        ({"model.json": GOOD, "/tmp/model.model": b"x"}, "expected one inside"),
        ({"model.model": b"x"}, "found no model.json at the top of bad.czann"),
        ({"in/model.json": GOOD, "in/model.model": b"x"}, "found no model.json at the top"),
        ({"model.json": GOOD}, "found 0 networks in bad.czann"),
        ({"model.json": GOOD, "a.onnx": b"x", "b.onnx": b"y"}, "found 2 networks in bad.czann"),
        ({"model.json": b"{", "model.model": b"x"}, "cannot be read as JSON"),
        ({"model.json": b"[" * 100_000, "model.model": b"x"}, "cannot be read as JSON"),
        ({"model.json": b"[]", "model.model": b"x"}, "found a list in model.json"),
        ({"model.json": b" " * (2 << 20), "model.model": b"x"}, "of more than 1 MB"),
        ({"model.json": GOOD, "model.model": b"PK\x03\x04more"}, "as models of TensorFlow and PyTorch are kept there"),
        ({"model.json": GOOD, "model.model": pickle.dumps([1])}, "which is a pickle"),
        ({"model.json": GOOD, "model.model": b"no network"}, "model.model, which is no ONNX file"),
        ({"model.json": GOOD, "model.model": bytes(300 << 20)}, "unfolds to"),
    ],
)
def test_zips_that_are_refused(tmp_path: Path, entries: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        load(zipped(tmp_path / "bad.czann", entries))
    assert not (tmp_path.parent / "model.model").exists()


def test_encrypted_and_truncated(pack: Pack) -> None:
    whole = pack().read_bytes()
    secret = bytearray(whole)
    place = secret.rindex(b"PK\x01\x02")
    secret[place + 8] |= 1
    for data, sentence in ((bytes(secret), "encrypted"), (whole[:-40], "no whole .zip"), (b"nothing", "no whole .zip")):
        path = pack().with_name("bad.czann")
        path.write_bytes(data)
        with pytest.raises(ExportError, match=sentence):
            load(path)
