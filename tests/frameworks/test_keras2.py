"""Files of Keras 2, written by Keras 2 itself, are read with Keras 3 alone, and answer as Keras 2 does."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")
if importlib.util.find_spec("tf_keras") is None:  # not imported here: Keras 2 and 3 are not mixed in one process
    pytest.skip("needs tf_keras", allow_module_level=True)

from onscope.export.routes import Asked, load
from onscope.runtime import ExportError
from onscope.runtime.engines import open_session

from .nets import near

PROGRAM = Path(__file__).with_name("keras2_networks.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files and answers of Keras 2, made in a process of its own."""
    made = tmp_path_factory.mktemp("keras2")
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(made)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return made


def expected(folder: Path, name: str) -> tuple[list[Any], list[Any]]:
    with np.load(folder / f"{name}.npz") as arrays:
        return tuple([arrays[key] for key in arrays if key[0] == kind] for kind in "xy")  # type: ignore[return-value]


NAMES = ("unet", "transposed", "bilinear", "volume", "sequential", "hard_sigmoid", "branches", "operators", "nested",
         "normalization")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_answers_as_keras2_does(folder: Path, name: str, kind: str) -> None:
    original = load(folder / f"{name}.{kind}")
    (given,), wanted = expected(folder, name)
    found = original.run(given)
    assert len(found) == len(wanted)
    assert all(near(one, two) for one, two in zip(found, wanted, strict=True))
    assert any(note.startswith("the file is of Keras 2.") for note in original.stated.notes)
    assert not {"tf_keras", "torch"} & sys.modules.keys()


@pytest.mark.parametrize("name", ["transposed", "operators", "nested"])
def test_becomes_a_package(folder: Path, make: Any, name: str) -> None:
    (given,), wanted = expected(folder, name)
    report = make(load(folder / f"{name}.keras"), given[:1])
    assert report.exporter == "tf2onnx"
    assert "two at once" in {one.where for one in report.parity}
    found = open_session(report.folder / "weights.onnx", "cpu").run([given])
    assert all(near(one, two) for one, two in zip(found, wanted, strict=True))


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_a_lambda_layer_sees_tensorflow_once_it_is_trusted(folder: Path, kind: str) -> None:
    path = folder / f"lambda.{kind}"
    with pytest.raises(ExportError, match=r"Lambda 'steep', which is Python code"):
        load(path)
    (given,), (wanted,) = expected(folder, "lambda")
    assert near(load(path, Asked(trust_code=True)).run(given)[0], wanted)


def changed(source: Path, target: Path, old: str, new: str) -> Path:
    """A copy of a .keras file in whose configuration one text is another."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as copy:
        for name in archive.namelist():
            data = archive.read(name)
            if name == "config.json":
                assert old.encode() in data
                data = data.replace(old.encode(), new.encode())
            copy.writestr(name, data)
    return target


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("operators", '"function": "nn.relu"', '"function": "io.read_file"', "function tf.io.read_file of TensorFlow"),
        ("operators", '"function": "nn.relu"', '"function": "py_function"', "function tf.py_function of TensorFlow"),
        ("operators", '"function": "nn.relu"', '"function": "math.__class__"', "not among those that compute images"),
        ("unet", '"LeakyReLU"', '"ThresholdedReLU"', "ThresholdedReLU 'leaky_re_lu' of Keras 2, .* SavedModel"),
        ("unet", '"alpha": 0.2', '"theta": 0.2', "LeakyReLU 'leaky_re_lu' of Keras 2 with theta=0.2"),
        ("transposed", '"groups": 1, ', '"groups": 2, ', "Conv2DTranspose .* with groups=2"),
        ("unet", '["end0", 0, 0]', '["end0", 3, 0]', "cannot be rebuilt"),
        ("unet", '[["image", 0, 0, {}]]', '[["add", 0, 0, {}]]', "its layers wait for each other"),
        ("unet", '"filters": 4', '"filters": 400000000', "more weights than the [0-9]+ values that the file holds"),
        ("unet", '"filters": 4', '"filters": 5', "of 3x3x1x4 for kernel of the layer 'conv2d', expected 3x3x1x5"),
    ],
)
def test_configurations_that_lie(folder: Path, tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    path = changed(folder / f"{name}.keras", tmp_path / "network.keras", old, new)
    with pytest.raises(ExportError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_weights_are_given_by_name(folder: Path, tmp_path: Path) -> None:
    """HDF5 that lists its layers in another order is the same network."""
    import h5py

    path = tmp_path / "network.h5"
    path.write_bytes((folder / "branches.h5").read_bytes())
    with h5py.File(path, "a") as file:
        names = file["model_weights"].attrs["layer_names"]
        file["model_weights"].attrs["layer_names"] = names[::-1]
    (given,), wanted = expected(folder, "branches")
    assert all(near(one, two) for one, two in zip(load(path).run(given), wanted, strict=True))


def test_weights_of_a_model_in_a_model_that_are_exchanged(folder: Path, tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "network.h5"
    path.write_bytes((folder / "nested.h5").read_bytes())
    with h5py.File(path, "a") as file:
        inner = next(one for one in file["model_weights"].values() if len(one.attrs["weight_names"]) > 6)
        names = list(inner.attrs["weight_names"])
        one, two = [place for place, name in enumerate(names) if "/kernel" in name][:2]
        names[one], names[two] = names[two], names[one]
        inner.attrs["weight_names"] = names
    with pytest.raises(ExportError, match=r"for kernel of the layer 'conv2d"):
        load(path)


def test_another_back_end_and_no_version(folder: Path, tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "network.h5"
    path.write_bytes((folder / "unet.h5").read_bytes())
    with h5py.File(path, "a") as file:
        file.attrs["backend"] = "theano"
    with pytest.raises(ExportError, match="weights of Keras' back end theano, expected tensorflow"):
        load(path)
    with h5py.File(path, "a") as file:
        del file.attrs["backend"], file.attrs["keras_version"]
    (given,), wanted = expected(folder, "unet")
    assert near(load(path).run(given)[0], wanted[0])
