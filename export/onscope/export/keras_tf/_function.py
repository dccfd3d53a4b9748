"""A function of TensorFlow as an original: the signature of a SavedModel, or a frozen graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from .._original import Array, Converted, Stated, Wanted, one_line
from ._convert import first_that_works, from_function
from ._door import failures, quiet
from ._graphs import Signature
from ._network import TF2ONNX, run_function
from ._shapes import axes_of, described

TOOLS = ("tensorflow", "tf2onnx")


@dataclass(frozen=True)
class FunctionNetwork:
    """A function from one tensor to a list of tensors, whose graph TensorFlow can trace (an Original).

    `held` keeps alive what owns its variables.
    """

    function: Callable[[Any], Sequence[Any]]
    parameters: int
    route: str
    source_sha256: str | None = None
    stated: Stated = field(default_factory=Stated)
    tools: tuple[str, ...] = TOOLS
    held: Any = None

    def run(self, array: Array) -> list[Array]:
        """Its outputs on the CPU; raises ExportError when it fails."""
        return run_function(self.function, array)

    def convert(self, wanted: Wanted) -> Converted:
        """By tf2onnx; raises ExportError when it fails."""
        return first_that_works([(TF2ONNX, lambda: from_function(self.function, wanted))], wanted)


def of_saved_model(folder: Path, signature: Signature, digest: str) -> FunctionNetwork:
    """The signature of a SavedModel that was looked through; raises ExportError when TensorFlow cannot open it."""
    import tensorflow as tf

    try:
        with quiet(), tf.device("CPU:0"):
            loaded = tf.saved_model.load(str(folder))
            served = loaded.signatures[signature.name]
    except failures() as error:
        raise ExportError(
            f"found the SavedModel {folder.name}, which TensorFlow {tf.__version__} cannot open "
            f"({one_line(error, 200)}): copy it whole, variables too, or save it again"
        ) from error
    given = served.structured_input_signature[1][signature.input_name]
    # TensorFlow keeps them in no order that would be the same the next time.
    outputs = dict(sorted(served.structured_outputs.items(), key=lambda item: _natural(item[0])))

    def answer(tensor: Any) -> list[Any]:
        _check_shape(tensor, given.shape)
        found = served(**{signature.input_name: tf.cast(tensor, given.dtype)})
        return [found[name] for name in outputs]

    count = sum(int(variable.shape.num_elements() or 0) for variable in served.variables)
    stated = stated_of(given.shape, [one.shape for one in outputs.values()], list(outputs))
    route = f"the SavedModel {folder.name} ({signature.name})"
    return FunctionNetwork(answer, count, route, digest, stated, held=loaded)


def of_graph(graph: Any, given: str, outputs: Sequence[str], route: str, digest: str) -> FunctionNetwork:
    """A frozen graph that was looked through, between two of its places; raises ExportError when it cannot be built."""
    import tensorflow as tf

    names = [f"{name}:0" for name in outputs]
    try:
        with quiet(), tf.device("CPU:0"):
            whole = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
            at = whole.graph.as_graph_element
            pruned = whole.prune(at(f"{given}:0"), [at(name) for name in names])
    except failures() as error:
        raise ExportError(
            f"found {route}, which TensorFlow {tf.__version__} cannot build ({one_line(error, 200)})"
        ) from error
    taken = at(f"{given}:0")

    def answer(tensor: Any) -> list[Any]:
        _check_shape(tensor, taken.shape)
        return list(pruned(tf.cast(tensor, taken.dtype)))

    constants = (node.attr["value"].tensor for node in graph.node if node.op == "Const")
    shapes = (tf.TensorShape(one.tensor_shape) for one in constants if tf.as_dtype(one.dtype).is_floating)
    count = sum(int(shape.num_elements() or 0) for shape in shapes if (shape.rank or 0) > 0)
    stated = stated_of(taken.shape, [at(name).shape for name in names], list(outputs))
    return FunctionNetwork(answer, count, route, digest, stated, held=whole)


def _natural(name: str) -> list[tuple[int, str]]:
    """So that output_2 goes before output_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _check_shape(tensor: Any, taken: Any) -> None:
    """TensorFlow's convolutions end the whole process when a graph gives them a tensor of another rank."""
    if not taken.is_compatible_with(tensor.shape):
        raise ValueError(f"it takes {taken}")


def stated_of(given: Any, outputs: Sequence[Any], names: Sequence[str]) -> Stated:
    """What shapes say; a graph keeps no word for where its channels are, so the smaller end is taken for them."""
    if given.rank is None:
        return Stated()
    shape = tuple(given.as_list())
    first = len(shape) > 3 and shape[1] is not None and (shape[-1] is None or shape[-1] > max(4, shape[1]))
    shapes = [tuple(one.as_list()) if one.rank is not None else shape for one in outputs]
    return described(shape, axes_of(shape, first), shapes, names)
