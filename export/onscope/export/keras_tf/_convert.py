"""From a function of TensorFlow to one tidy ONNX model: tf2onnx, upgraded to the operator set that is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from onscope.runtime import ExportError

from .._original import Converted, Wanted, WantedInput, one_line
from .._tidy import tidied
from ._door import failures, quiet, require_keras

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

Way = Callable[[], "ModelProto"]
NEWEST = 18
"""The last operator set that tf2onnx 1.17 writes; from there onnx.version_converter leads on."""


def first_that_works(ways: Sequence[tuple[str, Way]], wanted: Wanted) -> Converted:
    """The model by the first of the (exporter, way) that makes a valid one; raises ExportError when none does."""
    require_keras()
    notes: list[str] = []
    reasons: list[str] = []
    for exporter, way in ways:
        try:
            with quiet(), _reshapes_as_they_are():
                model = named(way(), wanted)
                changed = standard_resizes(model)
                model = tidied(in_opset(model, wanted.opset), wanted.free, wanted.opset, wanted.further)
        except failures() as error:
            reasons.append(f"{exporter}: {one_line(error)}")
            notes.append(f"{exporter} failed ({one_line(error, 160)})")
            continue
        if changed:
            notes.append(
                f"{changed} Resize of tf_half_pixel_for_nn, which ONNX gave up in opset 13, became half_pixel with "
                "round_prefer_ceil: the same pixels"
            )
        return Converted(model, exporter, tuple(notes))
    raise ExportError(
        f"found a network that cannot be exported ({'; '.join(reasons)}), expected operators that ONNX has at free "
        "heights and widths: export it at the one size of the example with --fixed, or rewrite the operation named"
    )


def signature(wanted: Wanted) -> list[Any]:
    """The inputs as TensorFlow specifies them: None along the free axes."""
    import tensorflow as tf

    frame = WantedInput(wanted.input_name, wanted.example, wanted.free)
    return [
        tf.TensorSpec(
            [None if axis in one.free else size for axis, size in enumerate(one.example.shape)],
            str(one.example.dtype),
            name=f"input_{number:02}",
        )
        for number, one in enumerate((frame, *wanted.further))
    ]


def from_function(function: Callable[[Sequence[Any]], Sequence[Any]], wanted: Wanted) -> ModelProto:
    """tf2onnx on the graph of `function` (tensors to tensors)."""
    import tensorflow as tf
    import tf2onnx

    given = signature(wanted)

    def answers(*tensors: Any) -> dict[str, Any]:
        return {f"output_{number:02}": tf.identity(each) for number, each in enumerate(function(tensors))}

    traced = tf.function(answers, autograph=False, input_signature=given)
    opset = min(wanted.opset, NEWEST)
    model: ModelProto
    with tf.device("CPU:0"):
        try:
            model, _ = tf2onnx.convert.from_function(traced, input_signature=given, opset=opset)
        except failures() as error:
            if "duplicate function" not in str(error):
                raise
            # Freezing gives the branches of a graph of TensorFlow 1 the names that they have; the next time, new ones.
            model, _ = tf2onnx.convert.from_function(traced, input_signature=given, opset=opset)
    return model


@contextlib.contextmanager
def _reshapes_as_they_are() -> Iterator[None]:
    """Without tf2onnx's `reshape_optimizer`.

    It puts Unsqueeze and Squeeze around what has one free size too many; the next optimizers then leave the Squeeze at
    the end out, by chance (tf2onnx 1.17, in about one of six conversions of a network with one channel).
    """
    from tf2onnx import optimizer

    held = dict(optimizer._optimizers)
    optimizer._optimizers.pop("reshape_optimizer", None)
    try:
        yield
    finally:
        optimizer._optimizers.clear()
        optimizer._optimizers.update(held)


def named(model: ModelProto, wanted: Wanted) -> ModelProto:
    """The model with the names that are wanted."""
    inputs, outputs = (sorted(ends, key=lambda value: value.name) for ends in (model.graph.input, model.graph.output))
    ends = [*inputs, *outputs]
    names = [wanted.input_name, *(one.name for one in wanted.further), *wanted.output_names]
    if len(ends) != len(names):
        raise ValueError(f"it has {len(ends)} inputs and outputs, expected {len(names)}")
    renamed = {end.name: name for end, name in zip(ends, names, strict=True)}
    taken = {name: f"inner_{name}" for name in names}
    for graph in _graphs(model.graph):
        for node in graph.node:
            for values in (node.input, node.output):
                values[:] = [renamed.get(value, taken.get(value, value)) for value in values]
        for value in (*graph.initializer, *(graph.output if graph is not model.graph else ())):
            value.name = renamed.get(value.name, taken.get(value.name, value.name))
    for end in ends:
        end.name = renamed[end.name]
    del model.graph.input[:], model.graph.output[:], model.graph.value_info[:]
    model.graph.input.extend(inputs)
    model.graph.output.extend(outputs)
    return model


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """The graph and those of its branches and loops, which read what is outside them by name."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _graphs(inner)


def standard_resizes(model: ModelProto) -> int:
    """TensorFlow's own way to find the nearest pixel in the words that have stayed in ONNX; how often it was found.

    tf_half_pixel_for_nn with floor takes floor((i + 0.5) / scale); half_pixel takes (i + 0.5) / scale - 0.5, which
    round_prefer_ceil rounds to the same.
    """
    count = 0
    for node in (node for graph in _graphs(model.graph) for node in graph.node):
        own = {attribute.name: attribute for attribute in node.attribute}
        mode = own.get("coordinate_transformation_mode")
        if node.op_type == "Resize" and mode is not None and mode.s == b"tf_half_pixel_for_nn":
            mode.s = b"half_pixel"
            if "nearest_mode" in own:
                node.attribute.remove(own["nearest_mode"])
            node.attribute.add(name="nearest_mode", type=mode.type, s=b"round_prefer_ceil")
            count += 1
    return count


def in_opset(model: ModelProto, opset: int) -> ModelProto:
    """The model in that operator set, without those that nothing in it is of."""
    import onnx

    used = {node.domain for graph in _graphs(model.graph) for node in graph.node}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    if any(not entry.domain and entry.version != opset for entry in kept):
        model = onnx.version_converter.convert_version(model, opset)
    return model
