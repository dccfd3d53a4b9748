"""Keras files become packages that answer as Keras does, at every size that the network takes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from onscope.export import Wanted
from onscope.export.keras_tf import KerasNetwork, stated_by
from onscope.export.routes import load
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session

from . import nets
from .nets import saved


def answers(package: Path, array: Any) -> list[Any]:
    return list(open_session(package / "weights.onnx", "cpu").run([array]))


@pytest.mark.parametrize("name", ["network.keras", "network.h5", "network.hdf5"])
def test_a_saved_model_becomes_a_package(tmp_path: Path, make: Any, counts: Any, name: str) -> None:
    model = nets.unet()
    path = saved(model, tmp_path / ("network.h5" if name.endswith("hdf5") else name)).rename(tmp_path / name)
    original = load(path)
    assert original.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (original.stated.axes, original.stated.step, original.stated.fixed) == ("byxc", 4, False)
    report = make(original, counts)
    assert report.exporter == "tf2onnx"
    assert {"keras", "tensorflow", "tf2onnx"} <= report.versions.keys()
    assert max(one.max_relative for one in report.parity) < 1e-5
    assert "two at once" in {one.where for one in report.parity}
    pair = np.concatenate([counts, counts[:, :, ::-1]])[:, :36, :32]
    assert nets.near(answers(report.folder, pair)[0], model(pair.astype(np.float32)))


@pytest.mark.parametrize("up", ["nearest", "bilinear"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_upsampling_is_one_resize_at_any_size(make: Any, counts: Any, up: str, outputs: int) -> None:
    import onnx

    model, stated = stated_by(nets.unet(up=up, outputs=outputs))
    report = make(KerasNetwork(model, stated=stated), counts)
    graph = onnx.load(report.folder / "weights.onnx").graph
    resizes = [node for node in graph.node if node.op_type == "Resize"]
    assert len(resizes) == 2
    assert not [node for node in graph.node if node.op_type == "Tile"]
    assert [output.name for output in graph.output] == (
        ["image"] if outputs == 1 else [f"end_{number}" for number in range(outputs)]
    )
    assert {one.size for one in report.parity} > {(40, 36), (16, 20)}


def test_three_dimensions_and_frames_of_a_stated_depth(make: Any) -> None:
    model, stated = stated_by(nets.unet((8, None, None), levels=1))
    assert (stated.axes, stated.shape, stated.step) == ("bzyxc", (1, 8, 256, 256, 1), 2)
    volume = np.random.default_rng(1).integers(0, 4000, (1, 8, 34, 38, 1), dtype=np.uint16)
    report = make(KerasNetwork(model, stated=stated), volume)
    assert max(one.max_relative for one in report.parity) < 1e-5


def test_odd_sizes_and_a_larger_answer(make: Any, counts: Any) -> None:
    add = nets.layers()
    import keras

    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            add.Conv2D(4, 5, padding="same"),
            add.PReLU(shared_axes=[1, 2]),
            add.Conv2DTranspose(2, 3, strides=2, padding="same"),
        ]
    )
    model, stated = stated_by(model)
    assert (stated.minimum, stated.step) == (16, 1)
    report = make(KerasNetwork(model, stated=stated), counts[:, :37, :33])
    assert {length % 2 for one in report.parity for length in one.size} == {0, 1}
    assert answers(report.folder, counts[:, :21, :19])[0].shape == (1, 42, 38, 2)


def test_channels_first_and_several_channels(make: Any) -> None:
    add = nets.layers()
    import keras

    given = keras.Input((3, None, None))
    grown = add.UpSampling2D(data_format="channels_first", interpolation="bilinear")(given)
    model, stated = stated_by(keras.Model(given, add.Conv2D(2, 3, padding="same", data_format="channels_first")(grown)))
    assert (stated.axes, stated.output_axes, stated.shape) == ("bcyx", ("bcyx",), (1, 3, 256, 256))
    frame = np.random.default_rng(2).random((1, 3, 25, 31)).astype(np.float32)
    report = make(KerasNetwork(model, stated=stated), frame)
    assert nets.near(answers(report.folder, frame)[0], model(frame))


def test_a_model_of_one_size_is_built_again_for_any(tmp_path: Path, make: Any, counts: Any) -> None:
    original = load(saved(nets.unet((48, 32)), tmp_path / "fixed.keras"))
    assert original.stated.fixed is False
    report = make(original, counts)
    assert any("built for frames of 48x32 alone" in note for note in report.notes)


def test_a_model_that_needs_its_size_stays_fixed(tmp_path: Path, make: Any) -> None:
    add = nets.layers()
    import keras

    given = keras.Input((16, 20, 1))
    wide = add.Dense(16 * 20)(add.Flatten()(given))
    original = load(saved(keras.Model(given, add.Reshape((16, 20, 1))(wide)), tmp_path / "dense.keras"))
    assert original.stated.fixed is True
    assert original.stated.shape == (1, 16, 20, 1)
    report = make(original, dtype="float32")
    assert {one.size for one in report.parity} == {(16, 20)}


def test_what_no_exporter_can_write_is_said_with_both_reasons() -> None:
    network = KerasNetwork(nets.unet(up="lanczos3"))
    free = Wanted(np.zeros((1, 16, 20, 1), np.float32), {1: "y", 2: "x"}, "raw", ["image"])
    with pytest.raises(ExportError, match=r"tf2onnx: .*Keras' ONNX export: .*--fixed") as caught:
        network.convert(free)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_free_is_exported_at_one_size_when_that_is_said(make: Any, counts: Any) -> None:
    add = nets.layers()
    import keras

    class Own(keras.layers.UpSampling2D):  # type: ignore[misc]
        """Keras cannot trace it where height and width are free, and it is not known to be the same as Keras' own."""

    given = keras.Input((None, None, 1))
    network = KerasNetwork(keras.Model(given, add.Conv2D(1, 3, padding="same")(Own(interpolation="bilinear")(given))))
    with pytest.raises(ExportError, match=r"the one size of the example with --fixed"):
        make(network, counts, axes="byxc")
    report = make(network, counts, axes="byxc", fixed=True)
    assert {one.size for one in report.parity} == {(40, 36)}


def test_a_wrong_size_is_said_in_one_sentence(tmp_path: Path) -> None:
    original = load(saved(nets.unet(), tmp_path / "network.keras"))
    with pytest.raises(ExportError, match=r"fails on a 1x33x33x1 float32 input .*the step") as caught:
        original.run(np.zeros((1, 33, 33, 1), np.float32))
    assert "\n" not in str(caught.value)


def test_the_command_line_from_a_file_to_a_package(tmp_path: Path) -> None:
    """In a process of its own, as users run it: its messages are on the screen, and TensorFlow's are not."""
    path = saved(nets.unet((None, None), up="bilinear"), tmp_path / "unet.keras")
    words = [str(path), "-o", str(tmp_path / "package"), "--normalise", "percentiles:1,99.8", "--dtype", "uint16"]
    code = "import sys; from onscope.cli import main; sys.argv[0] = 'onscope'; main()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}
    done = subprocess.run(
        [sys.executable, "-c", code, "export", *words], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "by tf2onnx" in done.stdout
    assert "oneDNN" not in done.stderr
    assert "absl" not in done.stderr
    assert Package.load(tmp_path / "package").name
