"""SavedModels and frozen graphs become packages; what reads, writes or runs Python is refused before it is loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import tensorflow as tf

from onscope.export.keras_tf import quiet
from onscope.export.routes import load
from onscope.runtime import ExportError
from onscope.runtime.engines import open_session

from . import nets

IMAGE = tf.TensorSpec([None, None, None, 1], tf.float32, name="image")


class Network(tf.Module):  # type: ignore[misc]
    """Two answers, one of twice the size, out of variables."""

    def __init__(self) -> None:
        super().__init__()
        weights = np.random.default_rng(5).normal(size=(3, 3, 1, 2))
        self.weights = tf.Variable(weights.astype(np.float32))
        self.extra: Callable[[Any], Any] = lambda pixels: pixels

    def __call__(self, image: Any) -> dict[str, Any]:
        made = tf.nn.leaky_relu(tf.nn.conv2d(self.extra(image), self.weights, 1, "SAME"))
        size = tf.shape(made)[1:3] * 2
        resized = tf.raw_ops.ResizeNearestNeighbor(images=made, size=size, half_pixel_centers=True)
        return {"made": made, "Larger": resized + tf.image.resize(made, size)}


def saved(network: Any, folder: Path, names: tuple[str, ...] = ("serving_default",), spec: Any = IMAGE) -> Path:
    function = tf.function(network.__call__, input_signature=[spec])
    with quiet():
        tf.saved_model.save(network, str(folder), signatures={name: function for name in names})
    return folder


def answers(package: Path, array: Any) -> list[Any]:
    return list(open_session(package / "weights.onnx", "cpu").run([array]))


def test_a_saved_model_becomes_a_package(tmp_path: Path, make: Any, counts: Any) -> None:
    import onnx

    network = Network()
    original = load(saved(network, tmp_path / "model"))
    assert original.parameters == 18
    assert original.stated.output_names == ("larger", "made")
    report = make(original, counts[:, :37, :33])
    assert report.exporter == "tf2onnx"
    assert any("1 Resize of tf_half_pixel_for_nn" in note for note in report.notes)
    graph = onnx.load(report.folder / "weights.onnx").graph
    modes = {a.s for node in graph.node for a in node.attribute if a.name == "coordinate_transformation_mode"}
    assert modes == {b"half_pixel"}
    pair = np.concatenate([counts, counts[:, ::-1]])[:, :21, :34]
    expected = network(pair.astype(np.float32))
    for name, found in zip(("Larger", "made"), answers(report.folder, pair), strict=True):
        assert nets.near(found, expected[name])


def test_a_model_that_keras_exported(tmp_path: Path, make: Any, counts: Any) -> None:
    model = nets.unet(outputs=2)
    with quiet():
        model.export(tmp_path / "model", verbose=False)
    report = make(load(tmp_path / "model"), counts, step=4)
    for found, expected in zip(answers(report.folder, counts), model(counts.astype(np.float32)), strict=True):
        assert nets.near(found, expected)


def test_a_subclassed_model_of_one_size(tmp_path: Path, make: Any) -> None:
    add = nets.layers()
    import keras

    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = add.Conv3D(2, 3, padding="same")

        def call(self, image: Any) -> Any:
            return self.layer(image) + tf.reduce_mean(image)

    model = Own()
    saved(model, tmp_path / "model", spec=tf.TensorSpec([None, 5, 18, 22, 1], tf.float32))
    original = load(tmp_path / "model")
    assert (original.stated.axes, original.stated.fixed, original.stated.shape) == ("bzyxc", True, (1, 5, 18, 22, 1))
    report = make(original, dtype="float32")
    assert {one.size for one in report.parity} == {(18, 22)}


def frozen(network: Any, path: Path, spec: Any = IMAGE) -> Path:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    concrete = tf.function(network.__call__, input_signature=[spec]).get_concrete_function()
    path.write_bytes(convert_variables_to_constants_v2(concrete).graph.as_graph_def().SerializeToString())
    return path


def test_a_frozen_graph_becomes_a_package(tmp_path: Path, make: Any, counts: Any) -> None:
    network = Network()
    original = load(frozen(network, tmp_path / "graph.pb"))
    assert (original.stated.axes, original.parameters) == ("byxc", 18)
    report = make(original, counts)
    expected = network(counts.astype(np.float32))
    shapes = {found.shape: found for found in answers(report.folder, counts)}
    assert nets.near(shapes[1, 80, 72, 2], expected["Larger"])
    assert nets.near(shapes[1, 40, 36, 2], expected["made"])


def reads(pixels: Any) -> Any:
    return pixels + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)


def runs_python(pixels: Any) -> Any:
    return tf.reshape(tf.numpy_function(lambda array: array, [pixels], tf.float32), tf.shape(pixels))


def writes(pixels: Any) -> Any:
    with tf.control_dependencies([tf.io.write_file("written", "x")]):
        return tf.identity(pixels)


HARMFUL = [(reads, "ReadFile"), (runs_python, "PyFunc"), (writes, "WriteFile")]


@pytest.mark.parametrize(("extra", "operation"), HARMFUL)
@pytest.mark.parametrize("kind", ["saved model", "frozen graph"])
def test_operations_that_touch_files_or_run_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: Any, operation: str, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    network = Network()
    network.extra = extra
    source = saved(network, tmp_path / "m") if kind == "saved model" else frozen(network, tmp_path / "graph.pb")
    with pytest.raises(ExportError, match=f"with the operation (Eager)?{operation}"):
        load(source)
    assert not Path("written").exists()


def test_a_constant_of_one_number_that_fills_the_memory(tmp_path: Path) -> None:
    from tensorflow.core.framework import graph_pb2

    path, graph = frozen(Network(), tmp_path / "graph.pb"), graph_pb2.GraphDef()
    graph.ParseFromString(path.read_bytes())
    node = graph.node.add(name="large", op="Const")
    node.attr["dtype"].type = 1
    tensor = node.attr["value"].tensor
    tensor.dtype = 1
    tensor.float_val.append(1.0)
    for _ in range(3):
        tensor.tensor_shape.dim.add(size=10_000)
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ExportError, match=r"constants of 38146\d\d MB, expected at most 2048"):
        load(path)


def brightest(pixels: Any) -> Any:
    """Branches that read what is outside them."""
    return tf.cond(tf.reduce_mean(pixels) > 400.0, lambda: pixels * 0.5, lambda: pixels + tf.reduce_max(pixels))


def test_a_branch_that_depends_on_the_frame(tmp_path: Path, make: Any, counts: Any) -> None:
    network = Network()
    network.extra = brightest
    report = make(load(saved(network, tmp_path / "model")), counts)
    for frame in (counts, counts * 3):
        expected = network(frame.astype(np.float32))
        for name, found in zip(("Larger", "made"), answers(report.folder, frame), strict=True):
            assert nets.near(found, expected[name])


def test_harm_beside_the_network(tmp_path: Path) -> None:
    network = Network()
    network.other = tf.function(reads, input_signature=[IMAGE])
    with pytest.raises(ExportError, match=r"ReadFile .* beside the network"):
        load(saved(network, tmp_path / "model"))


def test_tables_are_refused(tmp_path: Path) -> None:
    network = Network()
    keys = tf.lookup.KeyValueTensorInitializer(tf.constant(["a"]), tf.constant([1]))
    network.table = tf.lookup.StaticHashTable(keys, 0)
    with pytest.raises(ExportError, match="tables or files"):
        load(saved(network, tmp_path / "model"))


def test_signatures(tmp_path: Path, counts: Any) -> None:
    with pytest.raises(ExportError, match=r"several signatures \(first, second\) and none called serving_default"):
        load(saved(Network(), tmp_path / "two", ("second", "first")))
    only = load(saved(Network(), tmp_path / "one", ("denoise",)))
    default = load(saved(Network(), tmp_path / "three", ("first", "serving_default")))
    assert "(denoise)" in only.route
    for one, two in zip(only.run(counts), default.run(counts), strict=True):
        assert nets.near(one, two)


def test_files_that_are_cut_off_or_something_else(tmp_path: Path) -> None:
    graph = frozen(Network(), tmp_path / "graph.pb")
    graph.write_bytes(graph.read_bytes()[:-100])
    with pytest.raises(ExportError, match="cut off or no graph of TensorFlow"):
        load(graph)
    folder = saved(Network(), tmp_path / "model")
    with pytest.raises(ExportError, match="give its folder"):
        load(folder / "saved_model.pb")
    (folder / "variables" / "variables.index").unlink()
    with pytest.raises(ExportError, match=r"cannot open .*variables too"):
        load(folder)
    (folder / "outside").symlink_to(tmp_path)
    with pytest.raises(ExportError, match="leads out of its folder"):
        load(folder)


def test_a_failure_is_said_in_one_sentence(tmp_path: Path) -> None:
    original = load(saved(Network(), tmp_path / "model"))
    with pytest.raises(ExportError, match=r"the network itself fails on a 3x3 float32 input \(it takes") as caught:
        original.run(np.zeros((3, 3), np.float32))
    assert "\n" not in str(caught.value)


def test_importing_the_export_imports_no_framework() -> None:
    rooms = "onscope.export, onscope.export.keras_tf, onscope.export.routes._keras, onscope.export.routes._tensorflow"
    code = f"import sys, {rooms}; print({{'keras', 'tensorflow', 'torch', 'h5py'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
