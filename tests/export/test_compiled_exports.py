"""From a file of somebody else to an answer: exported, validated, compiled, and a frame through the compiled graph."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.runtime import Package
from onscope.runtime.graph import Raw
from tests.graph.run import answers

from .onnx_files import ChannelsLast, Ladder, by_torch, close
from .test_route_czann import META


def said(*words: object) -> Any:
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "160", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    return done.output


def through(source: Path, folder: Path, frame: Any, *options: str) -> Any:
    """The answer of the compiled graph to one frame of counts."""
    package, report = folder / "exported", folder / "compiled.json"
    said("export", source, "-o", package, "--name", "a network", *options)
    said("validate", package)
    size = "x".join(map(str, frame.shape))
    said("compile", package, "--size", size, "--json", report)
    (graph,) = json.loads(report.read_text())["graphs"]
    assert graph["reads"] == "frame"
    found = answers(package, [frame], Raw(frame.shape, "uint16", "yx"), folder / "cache")
    (name,) = (output.name for output in Package.load(package).outputs)
    return found[name]


@pytest.fixture
def frame() -> Any:
    return np.random.default_rng(4).integers(0, 4096, (44, 60)).astype(np.uint16)


@pytest.mark.long
def test_onnx(tmp_path: Path, frame: Any) -> None:
    path = by_torch(Ladder(), (1, 1, 32, 32), tmp_path / "ladder.onnx", 11, {0: "n", 2: "h", 3: "w"})
    found = through(path, tmp_path, frame, "--dtype", "uint16", "--normalise", "scale:0.001")
    with torch.no_grad():
        wanted = Ladder().eval()(torch.from_numpy(frame * np.float32(0.001))[None, None]).numpy()
    assert close(found.reshape(wanted.shape), wanted)


@pytest.mark.long
def test_czann(tmp_path: Path, frame: Any) -> None:
    network = ChannelsLast(Ladder(1, 2))
    file = by_torch(network, (1, 64, 48, 1), tmp_path / "exported.onnx", 12, {0: "batch_size"})
    with zipfile.ZipFile(tmp_path / "cells.czann", "w") as archive:
        archive.writestr("model.json", json.dumps(META))
        archive.write(file, "model.model")
    found = through(tmp_path / "cells.czann", tmp_path, frame)
    with torch.no_grad():
        wanted = network.eval()(torch.from_numpy((frame / 65535).astype(np.float32))[None, :, :, None]).numpy()
    assert close(found.reshape(wanted.shape), wanted)
