"""BioImage.IO packages with the weights of Keras and TensorFlow."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from onscope.export import export_original
from onscope.export.routes import load
from onscope.runtime import Package

keras = pytest.importorskip("keras")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def in_h5(network: Any, folder: Path) -> dict[str, Any]:
    network.save(folder / "net.h5")
    return {"keras_hdf5": {"source": "net.h5", "sha256": sha256(folder / "net.h5"), "tensorflow_version": "2.16"}}


def in_keras(network: Any, folder: Path) -> dict[str, Any]:
    network.save(folder / "net.keras")
    stated = {"source": "net.keras", "sha256": sha256(folder / "net.keras"), "keras_version": "3.10"}
    return {"keras_v3": {**stated, "backend": ["tensorflow", "2.20"]}}


def in_bundle(network: Any, folder: Path) -> dict[str, Any]:
    network.export(folder / "saved", verbose=False)
    with zipfile.ZipFile(folder / "saved.zip", "w") as archive:
        for path in sorted((folder / "saved").rglob("*")):
            archive.write(path, f"saved/{path.relative_to(folder / 'saved')}")
    stated = {"source": "saved.zip", "sha256": sha256(folder / "saved.zip"), "tensorflow_version": "2.20"}
    return {"tensorflow_saved_model_bundle": stated}


@pytest.mark.parametrize("write", [in_h5, in_keras, in_bundle])
def test_weights_of_keras(
    tmp_path: Path, counts: Any, monkeypatch: pytest.MonkeyPatch, write: Callable[[Any, Path], dict[str, Any]]
) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    keras.utils.set_random_seed(5)
    taken = keras.Input((None, None, 1), name="raw")
    inner = keras.layers.Conv2D(3, 3, padding="same", activation="relu")(taken)
    network = keras.Model(taken, keras.layers.Conv2D(1, 3, padding="same")(inner))
    folder = tmp_path / "source"
    folder.mkdir()
    np.save(folder / "raw.npy", counts)
    np.save(folder / "out.npy", np.asarray(network(counts.astype(np.float32) * np.float32(0.004))))
    (folder / "README.md").write_text("# A network\n", encoding="utf-8")
    steps = [
        {"id": "scale_linear", "kwargs": {"gain": 0.004, "offset": 0.0}},
        {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
    ]
    channel = {"type": "channel", "channel_names": ["light"]}
    sides = [{"type": "space", "id": name, "size": {"min": 16, "step": 4}} for name in "yx"]
    follow = [{"type": "space", "id": name, "size": {"tensor_id": "raw", "axis_id": name}} for name in "yx"]
    inputs = {"id": "raw", "axes": [{"type": "batch"}, *sides, channel], "data": {"type": "uint16"}}
    outputs = {"id": "image", "axes": [{"type": "batch"}, *follow, channel], "data": {"type": "float32"}}
    content = {
        "type": "model", "format_version": "0.5.12", "name": "Channels last", "description": "For a test.",
        "license": "MIT", "authors": [{"name": "A. Author"}], "cite": [{"text": "Nobody", "doi": "10.1234/abc"}],
        "documentation": {"source": "README.md"},
        "inputs": [{**inputs, "preprocessing": steps, "test_tensor": {"source": "raw.npy"}}],
        "outputs": [{**outputs, "test_tensor": {"source": "out.npy"}}],
        "weights": write(network, folder),
    }  # fmt: skip
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(content, file)
    original = load(folder)
    assert original.stated.axes == "byxc"
    report = export_original(original, tmp_path / "out")
    assert [one.where for one in report.parity][-1] == "its own test output"
    assert report.passed
    package = Package.load(report.folder)
    assert package.inputs[0].axes == ("batch", "y", "x", "channel")
    found, stated = package.load_test_outputs()[0], np.load(folder / "out.npy")
    assert np.abs(found - stated).max() <= 1e-3 * (1 + np.abs(stated).max())
