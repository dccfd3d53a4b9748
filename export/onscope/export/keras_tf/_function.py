"""A function of TensorFlow as an original: the signature of a SavedModel, or a frozen graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from .._original import Array, Converted, Stated, Wanted, one_line
from ._convert import first_that_works, from_function
from ._door import failures, quiet
from ._entry import Entry, set_switches
from ._graphs import Signature
from ._inputs import Shape, frame_first, further_inputs
from ._network import TF2ONNX, run_function
from ._ops import name_of
from ._shapes import DEPTH, axes_of, described, input_names, tried_out

TOOLS = ("tensorflow", "tf2onnx")


@dataclass(frozen=True)
class FunctionNetwork:
    """A function from tensors to tensors, the frame's first, whose graph TensorFlow can trace (an Original).

    `held` keeps alive what owns its variables.
    """

    function: Callable[[Sequence[Any]], Sequence[Any]]
    parameters: int
    route: str
    source_sha256: str | None = None
    stated: Stated = field(default_factory=Stated)
    tools: tuple[str, ...] = TOOLS
    held: Any = None

    def run(self, array: Array) -> list[Array]:
        """Its outputs on the CPU; raises ExportError when it fails."""
        return run_function(self.function, [array])

    def run_on(self, arrays: Sequence[Array]) -> list[Array]:
        """As `run`, for the frame and what lies beside it."""
        return run_function(self.function, arrays)

    def convert(self, wanted: Wanted) -> Converted:
        """By tf2onnx; raises ExportError when it fails."""
        return first_that_works([(TF2ONNX, lambda: from_function(self.function, wanted))], wanted)


def of_saved_model(folder: Path, signature: Signature, digest: str) -> FunctionNetwork:
    """The signature of a SavedModel that was looked through; raises ExportError when TensorFlow cannot open it."""
    import tensorflow as tf

    route = f"the SavedModel {folder.name}" + (f" ({signature.name})" if signature.name else "")
    try:
        with quiet(), tf.device("CPU:0"):
            if signature.outputs:
                return of_graph(_frozen(folder, signature), signature, route, digest)
            loaded = tf.saved_model.load(str(folder), tags=list(signature.tags))
            served = loaded.signatures[signature.name]
    except failures() as error:
        raise ExportError(
            f"found the SavedModel {folder.name}, which TensorFlow {tf.__version__} cannot open "
            f"({one_line(error, 200)}): copy it whole, variables too, or save it again"
        ) from error
    given = served.structured_input_signature[1]
    # TensorFlow keeps them in no order that would be the same the next time.
    outputs = dict(sorted(served.structured_outputs.items(), key=lambda item: _natural(item[0])))

    def answer(images: dict[str, Any]) -> list[Any]:
        switched = {name: tf.constant(value, given[name].dtype) for name, value in signature.entry.switches.items()}
        found = served(**images, **switched)
        return [found[name] for name in outputs]

    count = sum(int(variable.shape.num_elements() or 0) for variable in served.variables)
    images = {name: given[name] for name in signature.entry.images}
    shapes = [one.shape for one in outputs.values()]
    return _network(answer, images, (shapes, list(outputs)), count, (route, digest), signature.entry, loaded)


def _frozen(folder: Path, signature: Signature) -> Any:
    """The GraphDef of a SavedModel of TensorFlow 1 with its variables as constants, which both of its kinds become."""
    import tensorflow as tf

    v1 = tf.compat.v1
    names = [name_of(tensor) for _, tensor in signature.outputs]
    alone = v1.ConfigProto(device_count={"GPU": 0})
    with tf.Graph().as_default() as graph, v1.Session(config=alone) as session:
        v1.saved_model.load(session, list(signature.tags), str(folder))
        return v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), names)


def of_graph(graph: Any, signature: Signature, route: str, digest: str) -> FunctionNetwork:
    """A graph of constants that was looked through, between its images and its outputs, its switches set; raises
    ExportError when it cannot be built."""
    import tensorflow as tf

    entry, outputs = signature.entry, sorted(signature.outputs, key=lambda one: _natural(one[0]))
    places = dict(zip((*entry.images, *entry.switches), signature.feeds, strict=True))
    set_switches(graph, {name_of(places[name]): value for name, value in entry.switches.items()})
    constants = (node.attr["value"].tensor for node in graph.node if node.op == "Const")
    shapes = (tf.TensorShape(one.tensor_shape) for one in constants if tf.as_dtype(one.dtype).is_floating)
    count = sum(int(shape.num_elements() or 0) for shape in shapes if (shape.rank or 0) > 0)
    try:
        with quiet(), tf.device("CPU:0"):
            whole = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
            feeds = {name: whole.graph.as_graph_element(places[name]) for name in entry.images}
            made = [whole.graph.as_graph_element(tensor) for _, tensor in outputs]
            pruned = whole.prune(list(feeds.values()), made)
    except failures() as error:
        raise ExportError(
            f"found {route}, which TensorFlow {tf.__version__} cannot build ({one_line(error, 200)})"
        ) from error

    def answer(images: dict[str, Any]) -> list[Any]:
        return list(pruned(*(images[name] for name in feeds)))

    ends = ([one.shape for one in made], [name for name, _ in outputs])
    return _network(answer, feeds, ends, count, (route, digest), entry, (whole, pruned))


def _network(
    answer: Callable[[dict[str, Any]], list[Any]], images: dict[str, Any], outputs: tuple[list[Any], list[str]],
    count: int, source: tuple[str, str], entry: Entry, held: Any,
) -> FunctionNetwork:  # fmt: skip
    """The network of a function from named images; `images` have shape and dtype, `outputs` are shapes and names,
    `source` is the route and its digest."""
    import tensorflow as tf

    names = list(images)
    shapes: list[Shape] = [tuple(one.shape.as_list()) if one.shape.rank is not None else () for one in images.values()]
    order = frame_first(shapes, source[0])

    def function(tensors: Sequence[Any]) -> list[Any]:
        if len(tensors) != len(order):
            raise ValueError(f"it takes {len(order)} inputs")
        given = {}
        for place, tensor in zip(order, tensors, strict=True):
            taken = images[names[place]]
            _check_shape(tensor, taken.shape)
            given[names[place]] = tf.cast(tensor, taken.dtype)
        return answer(given)

    told = [(names[place], shapes[place], images[names[place]].dtype.name) for place in order]
    stated = stated_of(told, *outputs, function)
    stated = replace(stated, notes=(*stated.notes, *entry.notes))
    return FunctionNetwork(function, count, *source, stated, held=held)


def _natural(name: str) -> list[tuple[int, str]]:
    """So that output_2 goes before output_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _check_shape(tensor: Any, taken: Any) -> None:
    """TensorFlow's convolutions end the whole process when a graph gives them a tensor of another rank."""
    if not taken.is_compatible_with(tensor.shape):
        raise ValueError(f"it takes {taken}")


def stated_of(
    inputs: Sequence[tuple[str, Shape, str]], outputs: Sequence[Any], names: Sequence[str],
    function: Callable[[Sequence[Any]], Sequence[Any]],
) -> Stated:  # fmt: skip
    """What shapes say, and what trying says of the step between sizes. `inputs` are names, shapes and dtypes.

    A graph keeps no word for where its channels are, so the smaller end is taken for them; a note says so.
    """
    shape = inputs[0][1]
    first = len(shape) > 3 and shape[1] is not None and (shape[-1] is None or shape[-1] > max(4, shape[1]))
    axes = axes_of(shape, first)
    shapes = [tuple(one.as_list()) if one.rank is not None else shape for one in outputs]
    stated = described(shape, axes, shapes, names)
    if not axes:
        return stated
    note = f"the axes of the input were taken for {axes}, by its sizes: TensorFlow's graphs do not name them (--axes)"
    stated = replace(stated, notes=(note,))
    if len(inputs) > 1:
        told = input_names([name for name, _, _ in inputs], stated)
        further = further_inputs(
            [(name, *one[1:]) for name, one in zip(told[1:], inputs[1:], strict=True)], axes, DEPTH
        )
        stated = replace(stated, input_name=told[0], further=further)
    return tried_out(stated, lambda arrays: run_function(function, arrays))
