"""Graphs of TensorFlow 1: placeholders, sessions and switches, frozen or as SavedModels with and without signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import tensorflow as tf

from onscope.export.routes import load
from onscope.runtime import ExportError
from onscope.runtime.engines import open_session

from .nets import near

v1 = tf.compat.v1
GIVEN = np.random.default_rng(1).uniform(0, 3, (2, 24, 28, 1)).astype(np.float32)
Switch = Callable[[], Any]


class Network(NamedTuple):
    """A graph with its session, its inputs and outputs, and what it answers when it is used, not trained."""

    graph: Any
    session: Any
    inputs: dict[str, Any]
    outputs: list[Any]
    expected: list[Any]


def convolved(x: Any, channels: int, name: str, random: np.random.Generator, resource: bool) -> Any:
    weights = random.normal(0, 0.4, (3, 3, int(x.shape[-1]), channels)).astype(np.float32)
    with v1.variable_scope(name, use_resource=resource):
        return tf.nn.conv2d(x, v1.get_variable("w", initializer=weights), 1, "SAME") + 0.1


def built(train: Switch | None = None, keep: Switch | None = None, outputs: int = 1, resource: bool = False) -> Network:
    """A U-shape with batch norm, whose moments are the frame's own while it is trained, and dropout."""
    random = np.random.default_rng(2)
    with tf.Graph().as_default() as graph:
        image = v1.placeholder(tf.float32, (None, None, None, 1), "image")
        inputs: dict[str, Any] = {"image": image}
        used: dict[Any, Any] = {image: GIVEN}
        x = tf.nn.leaky_relu(convolved(image, 4, "first", random, resource))
        if train is not None:
            is_training = train()
            inputs["is_training"] = is_training
            used[is_training] = False
            values = random.uniform(0.5, 1.5, (2, 4)).astype(np.float32)
            kept = [v1.get_variable(name, initializer=value, use_resource=resource)
                    for name, value in zip(("mean", "variance"), values, strict=True)]  # fmt: skip
            moments = v1.cond(
                is_training, lambda: tf.nn.moments(x, [0, 1, 2]), lambda: tuple(tf.identity(one) for one in kept)
            )
            x = tf.nn.batch_normalization(x, *moments, offset=0.2, scale=1.5, variance_epsilon=1e-3)
        y = tf.nn.relu(convolved(tf.nn.max_pool2d(x, 2, 2, "VALID"), 4, "second", random, resource))
        if keep is not None:
            keep_prob = keep()
            inputs["keep_prob"] = keep_prob
            used[keep_prob] = 1.0
            y = v1.nn.dropout(y, keep_prob=keep_prob)
        x = tf.concat([v1.image.resize_nearest_neighbor(y, tf.shape(y)[1:3] * 2), x], -1)
        made = [tf.identity(convolved(x, n + 1, f"end{n}", random, resource), f"made{n}") for n in range(outputs)]
        session = v1.Session(config=v1.ConfigProto(intra_op_parallelism_threads=1))
        session.run(v1.global_variables_initializer())
        return Network(graph, session, inputs, made, session.run(made, used))


def frozen(network: Network, path: Path) -> Path:
    names = [one.op.name for one in network.outputs]
    constant = v1.graph_util.convert_variables_to_constants(network.session, network.graph.as_graph_def(), names)
    path.write_bytes(constant.SerializeToString())
    return path


def bundled(network: Network, folder: Path, signed: bool = True, tags: Sequence[Sequence[str]] = (("serve",),)) -> Path:
    """A SavedModel as TensorFlow 1 writes it; switches with a value of their own stay out of its signature."""
    given = {name: one for name, one in network.inputs.items() if one.op.type == "Placeholder"}
    made = {f"output{number}": one for number, one in enumerate(network.outputs)}
    with network.graph.as_default():
        signature = v1.saved_model.predict_signature_def(given, made)
        told = {"serving_default": signature} if signed else None
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(network.session, list(tags[0]), signature_def_map=told)
        for more in tags[1:]:
            builder.add_meta_graph(list(more), signature_def_map=told)
        builder.save()
    return folder


def asked() -> Any:
    return v1.placeholder(tf.bool, (), "is_training")


def on_by_default() -> Any:
    return v1.placeholder_with_default(True, (), "is_training")


def probability() -> Any:
    return v1.placeholder(tf.float32, (), "keep_prob")


KINDS: dict[str, Callable[[Network, Path], Path]] = {
    "frozen": lambda network, folder: frozen(network, folder / "graph.pb"),
    "signed": lambda network, folder: bundled(network, folder / "bundle"),
    "unsigned": lambda network, folder: bundled(network, folder / "bundle", signed=False),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("train", "keep"), [(None, None), (asked, probability), (on_by_default, None)])
def test_answers_as_it_does_in_use(tmp_path: Path, kind: str, train: Switch | None, keep: Switch | None) -> None:
    network = built(train, keep)
    original = load(KINDS[kind](network, tmp_path))
    assert near(original.run(GIVEN)[0], network.expected[0])
    assert (original.stated.axes, original.stated.step) == ("byxc", 2)
    told = [note for note in original.stated.notes if "nothing is trained or dropped" in note]
    assert len(told) == (train is not None) + (keep is not None)


@pytest.mark.parametrize(
    ("kind", "resource"), [("frozen", True), ("signed", False), ("signed", True), ("unsigned", True)]
)
def test_becomes_a_package(tmp_path: Path, make: Any, kind: str, resource: bool) -> None:
    network = built(asked, probability, outputs=3, resource=resource)
    report = make(load(KINDS[kind](network, tmp_path)), example=GIVEN[:1])
    assert "two at once" in {one.where for one in report.parity}
    assert any("do not say what was done to images" in note for note in report.notes)
    found = open_session(report.folder / "weights.onnx", "cpu").run([GIVEN])
    assert all(near(one, two) for one, two in zip(found, network.expected, strict=True))


@pytest.mark.parametrize("tags", [(("serve",), ("serve", "gpu")), (("serve", "gpu"),), ((),), (("train",), ("serve",))])
def test_the_graph_that_serves(tmp_path: Path, tags: Sequence[Sequence[str]]) -> None:
    network = built()
    original = load(bundled(network, tmp_path / "bundle", tags=tags))
    assert near(original.run(GIVEN)[0], network.expected[0])


@pytest.mark.parametrize(
    ("tags", "message"),
    [((("train",),), r"with 1 graphs \(train\)"), ((("serve", "a"), ("serve", "b")), r"\(a\+serve; b\+serve\)")],
)
def test_no_graph_or_several_that_serve(tmp_path: Path, tags: Sequence[Sequence[str]], message: str) -> None:
    with pytest.raises(ExportError, match=f"{message}, expected one tagged serve"):
        load(bundled(built(), tmp_path / "bundle", tags=tags))


def test_a_graph_that_was_not_frozen(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(built().graph.as_graph_def().SerializeToString())
    with pytest.raises(ExportError, match=r"with the variable 'first/w', expected constants: freeze it"):
        load(path)


def rewritten(folder: Path, change: Callable[[Any], None]) -> Path:
    """A SavedModel whose graph was changed by hand."""
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / "saved_model.pb"
    content = saved_model_pb2.SavedModel()
    content.ParseFromString(path.read_bytes())
    change(content.meta_graphs[0])
    path.write_bytes(content.SerializeToString())
    return folder


def elsewhere(graph: Any, target: Path) -> str:
    """The name of a constant with another path, which is put into the graph."""
    with tf.Graph().as_default() as other:
        tf.constant(str(target), name="elsewhere")
    graph.graph_def.node.extend(other.as_graph_def().node)
    return "elsewhere"


def test_opening_that_would_write(tmp_path: Path) -> None:
    def write_when_restored(graph: Any) -> None:
        save = next(node for node in graph.graph_def.node if node.op == "SaveV2")
        save.input[0] = elsewhere(graph, tmp_path / "written")
        graph.saver_def.restore_op_name = save.name

    folder = rewritten(bundled(built(), tmp_path / "bundle"), write_when_restored)
    with pytest.raises(ExportError, match="with the operation SaveV2"):
        load(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


def test_opening_that_would_read_another_file(tmp_path: Path) -> None:
    def restore_another(graph: Any) -> None:
        restore = next(node for node in graph.graph_def.node if node.op == "RestoreV2")
        restore.input[0] = elsewhere(graph, tmp_path / "other" / "variables" / "variables")

    bundled(built(), tmp_path / "other")
    folder = rewritten(bundled(built(), tmp_path / "bundle"), restore_another)
    with pytest.raises(ExportError, match=r"RestoreV2 \(.*\), which reads another file than its own variables"):
        load(folder)


def test_printing_to_a_file(tmp_path: Path) -> None:
    network = built()
    with network.graph.as_default():
        noisy = tf.print(network.outputs[0], output_stream=f"file://{tmp_path}/printed")
        with tf.control_dependencies([noisy]):
            network = network._replace(outputs=[tf.identity(network.outputs[0], "last")])
    for kind in ("frozen", "signed"):
        with pytest.raises(ExportError, match=r"with the operation (PrintV2|StringFormat)"):
            load(KINDS[kind](network, tmp_path)).run(GIVEN)
    assert not (tmp_path / "printed").exists()
