"""Arithmetic on sizes, done beforehand: for one frame shape, what a network works out from it is constant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

Array = npt.NDArray[Any]
MOST_VALUES = 4096
"""Larger tensors stay nodes: they are no sizes, and would swell the file."""
ROUNDS = 16
"""How often sizes are inferred anew from what was folded; each round is one step further into the network."""
FAST_ROUNDS = 4
SIZES = frozenset(
    {
        *("Add", "Cast", "Ceil", "Concat", "Constant", "ConstantOfShape", "Div", "Equal", "Expand", "Floor", "Gather"),
        *("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Range"),
        *("Reshape", "Round", "Shape", "Size", "Slice", "Squeeze", "Sub", "Unsqueeze", "Where"),
    }
)
"""Operators that sizes are worked out with."""


def folded(
    model: ModelProto, infer: Callable[[ModelProto], ModelProto], infer_slowly: Callable[[ModelProto], ModelProto]
) -> ModelProto:
    """The model with such nodes of its main graph as constants that depend on nothing but sizes; sizes inferred.

    `infer_slowly` is asked where `infer` and the constants lead no further, and every few rounds: it goes many steps
    at once. Integer divisions of negative numbers are left alone: ONNX divides towards zero, onnx's evaluator
    downwards.
    """
    from onnx import numpy_helper

    for round in range(1, ROUNDS + 1):
        model = (infer if round % FAST_ROUNDS else infer_slowly)(model)
        found = _evaluate(model)
        if not found:
            model = infer_slowly(model)
            found = _evaluate(model)
        if not found:
            break
        kept = [node for node in model.graph.node if not all(name in found for name in node.output if name)]
        del model.graph.node[:]
        model.graph.node.extend(kept)
        model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in found.items())
    used = {name for node in model.graph.node for name in reads(node)} | {value.name for value in model.graph.output}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(weights)
    return model


def wanted(nodes: Sequence[NodeProto], outputs: Iterable[str]) -> list[NodeProto]:
    """The nodes that the outputs are made of: ONNX Runtime computes all that it is given, read or not."""
    used = set(outputs)
    kept: list[NodeProto] = []
    for node in reversed(nodes):
        if used.intersection(node.output):
            used.update(reads(node))
            kept.append(node)
    return kept[::-1]


def _evaluate(model: ModelProto) -> dict[str, Array]:
    """Values of all tensors that can be told now, those that are constants already left out."""
    from onnx import numpy_helper

    graph = model.graph
    shapes = {value.name: _shape(value) for value in (*graph.input, *graph.value_info, *graph.output)}
    known: dict[str, Array] = {}
    for tensor in graph.initializer:
        shapes[tensor.name] = tuple(tensor.dims)
        if int(np.prod(tensor.dims)) <= MOST_VALUES:
            known[tensor.name] = numpy_helper.to_array(tensor)
    found: dict[str, Array] = {}
    outputs = {value.name for value in graph.output}
    for node in graph.node:
        if node.op_type not in SIZES or node.domain or len(node.output) != 1 or node.output[0] in outputs:
            continue
        value = _value(node, known, shapes, model)
        if value is not None and value.size <= MOST_VALUES:
            known[node.output[0]] = found[node.output[0]] = value
    return found


def _value(
    node: NodeProto, known: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...] | None], model: ModelProto
) -> Array | None:
    from onnx.reference import ReferenceEvaluator

    if node.op_type in ("Shape", "Size"):
        shape = shapes.get(node.input[0])
        if shape is None:
            return None
        if node.op_type == "Size":
            return np.array(np.prod(shape), np.int64)
        limits = {each.name: each.i for each in node.attribute}
        return np.array(shape[limits.get("start", 0) : limits.get("end", len(shape))], np.int64)
    if any(name and name not in known for name in node.input):
        return None
    arrays = {name: known[name] for name in node.input if name}
    integers = all(array.dtype.kind in "iu" for array in arrays.values())
    if node.op_type in ("Div", "Mod") and integers and any((array < 0).any() for array in arrays.values()):
        return None
    if node.op_type in ("ConstantOfShape", "Expand") and _many(list(arrays.values())[-1]):
        return None
    try:
        made: Any = ReferenceEvaluator(_alone(node, arrays, model)).run(None, arrays)
        return np.asarray(made[0])
    except Exception:  # whatever the evaluator cannot do stays a node
        return None


def _many(shape: Array) -> bool:
    return bool(np.prod(shape.astype(np.float64)) > MOST_VALUES)


def _alone(node: NodeProto, arrays: Mapping[str, Array], model: ModelProto) -> ModelProto:
    """A model of one node."""
    from onnx import helper

    def value(name: str, array: Array) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    outputs = [helper.make_empty_tensor_value_info(node.output[0])]
    graph = helper.make_graph([node], "one", [value(name, array) for name, array in arrays.items()], outputs)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def reads(node: NodeProto) -> list[str]:
    """Names that a node reads, those of its bodies among them."""
    names = list(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                names += reads(inner)
            names += [value.name for value in graph.output]
    return names


def _shape(value: ValueInfoProto) -> tuple[int, ...] | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape") or not all(dim.HasField("dim_value") for dim in tensor.shape.dim):
        return None
    return tuple(dim.dim_value for dim in tensor.shape.dim)
