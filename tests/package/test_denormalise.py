"""config.onscope.denormalise: answers in the frame's own units, compared in those of the test outputs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from ruamel.yaml import YAML

from onscope.runtime import Frame, FrameId, FrameSpec, Package, PackageError, Pipeline, Runtime, Stage, block
from onscope.runtime.engines import open_session
from onscope.runtime.graph import Raw
from onscope.runtime.package import check_reproduces
from tests import models
from tests.graph.run import answers

RANGE = {"min_percentile": 10.0, "max_percentile": 90.0, "eps": 1e-20}


def halves(folder: Path, denormalise: Any, before: tuple[dict[str, Any], ...] | None = None, channels: int = 1) -> Path:
    """A network that halves what it is given, frames normalised to their percentiles."""
    nodes = [helper.make_node("Mul", ["frame", "half"], ["image"])]
    output = ("image", "float32", models.image_axes(channels, reference=True))
    models.write(folder, nodes, {"half": np.float32(0.5)}, "float32", output, channels=channels)
    content = described(folder)
    steps = ({"id": "scale_range", "kwargs": RANGE},) if before is None else before
    content["inputs"][0]["preprocessing"] = list(steps)
    content["config"]["onscope"]["denormalise"] = denormalise
    return written(folder, content)


def described(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe", pure=True).load((folder / "rdf.yaml").read_text(encoding="utf-8"))
    return content


def written(folder: Path, content: dict[str, Any]) -> Path:
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return folder


def with_tests(folder: Path, frame: np.ndarray, answer: np.ndarray) -> Package:
    """The package with these test tensors."""
    content = described(folder)
    for side, array in (("inputs", frame), ("outputs", answer)):
        file = folder / f"{side}.npy"
        np.save(file, array)
        stated = {"source": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        content[side][0]["test_tensor"] = stated
    return Package.load(written(folder, content))


def test_values_are_mapped_back_and_spreads_are_multiplied(tmp_path: Path) -> None:
    frame = np.random.default_rng(0).uniform(3000, 3500, (20, 24)).astype(np.float32)
    raw = Raw((20, 24), "float32", "yx", 1, "t")
    low, high = np.percentile(frame, (10, 90))
    found = {}
    for kind in ("values", "spread"):
        folder = halves(tmp_path / kind, {"image": kind})
        found[kind] = answers(folder, [frame], raw, tmp_path / "cache")["image"][0, 0]
    assert np.abs(found["values"] - (frame + low) / 2).max() < 1e-3
    assert np.abs(found["spread"] - (frame - low) / 2).max() < 1e-3
    assert high - low > 300


@pytest.mark.parametrize("axes", [["y", "x"], ["channel", "y", "x"]])
def test_channels_go_back_by_themselves_as_they_came(tmp_path: Path, axes: list[str]) -> None:
    frame = np.random.default_rng(0).uniform((100, 4000), (300, 9000), (20, 24, 2)).astype(np.float32)
    steps = ({"id": "scale_range", "kwargs": {**RANGE, "axes": axes}},)
    folder = halves(tmp_path / "two", {"image": "values"}, steps, channels=2)
    found = answers(folder, [frame], Raw((20, 24, 2), "float32", "yxs", 1, "t"), tmp_path / "cache")["image"][0]
    low = np.percentile(frame, 10, axis=(0, 1) if axes == ["y", "x"] else None)
    assert np.abs(np.moveaxis(found, 0, -1) - (frame + low) / 2).max() < 5e-3


@pytest.mark.parametrize("normalise", ["per_frame", "frozen", "running"])
def test_the_way_back_is_that_of_the_statistics_in_use(tmp_path: Path, normalise: Any) -> None:
    """Of two frames, the second of which is three times as bright: what the stage normalises by is what is undone."""
    folder = halves(tmp_path / "package", {"image": "values"})
    random = np.random.default_rng(0)
    frames = [random.uniform(1000, 1500, (20, 24)).astype(np.float32) * (1 + 2 * n) for n in range(2)]
    stage = Stage("net", folder, normalise=normalise, frozen_frames=1)
    with Runtime(Pipeline([stage]), worker="thread", admission=block(2), provider="cpu") as runtime:
        runtime.prepare(FrameSpec((20, 24), "float32", camera="cam"))
        results = runtime.subscribe(block(4))
        for number, frame in enumerate(frames):
            runtime.submit(Frame(FrameId("run", "cam", 0, number), frame))
        assert runtime.drain(60)
    _, second = (result["net"].copy() for result in results)
    first_low, own_low = (np.percentile(frame, 10) for frame in frames)
    used = 2 * second - frames[1]  # the lower percentile that the frame was normalised with, everywhere the same
    assert np.ptp(used) < 1e-2
    expected = {"per_frame": (own_low, own_low), "frozen": (first_low, first_low), "running": (first_low, own_low)}
    low, high = expected[normalise]
    assert low - 1 < used.mean() < high + 1


def test_test_outputs_are_compared_in_their_own_units(tmp_path: Path) -> None:
    folder = halves(tmp_path / "package", {"image": "values"})
    frame = np.random.default_rng(0).uniform(3000, 3500, (1, 1, 16, 16)).astype(np.float32)
    low, high = np.percentile(frame, (10, 90))
    package = with_tests(folder, frame, ((frame - low) / (high - low) / 2).astype(np.float32))
    (agreed,) = check_reproduces(package, open_session(package.weights, "cpu"))
    assert agreed.max_abs < 1e-6
    package = with_tests(folder, frame, ((frame + low) / 2).astype(np.float32))
    with pytest.raises(PackageError, match="does not give its own test outputs"):
        check_reproduces(package, open_session(package.weights, "cpu"))


@pytest.mark.parametrize(
    ("denormalise", "before", "words"),
    [
        ({"mask": "values"}, None, "denormalise for 'mask', expected one of the outputs image"),
        ({"image": "counts"}, None, "expected outputs by name, each with one of values, spread"),
        (["image"], None, "expected outputs by name"),
        ({"image": ["values"]}, None, "expected outputs by name"),
        ({"image": "values"}, (), "0 inputs whose first step is scale_range"),
        ({"image": "values"}, ({"id": "scale_linear", "kwargs": {"gain": 2.0}}, {"id": "scale_range", "kwargs": RANGE}),
         "0 inputs whose first step is scale_range"),
    ],
)  # fmt: skip
def test_what_cannot_be_undone_is_a_sentence(tmp_path: Path, denormalise: Any, before: Any, words: str) -> None:
    folder = halves(tmp_path / "package", denormalise, before)
    with pytest.raises(PackageError, match=words):
        Package.load(folder)
