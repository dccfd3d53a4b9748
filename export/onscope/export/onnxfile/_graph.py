"""Changes of an ONNX graph that leave what it computes: sizes of its input, names, casts around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from onscope.runtime import ExportError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

DEFAULT_DOMAINS = ("", "ai.onnx")
FREE_WEIGHTS = 4
"""The IR version from which on weights are no inputs."""


def opset_of(model: ModelProto) -> int:
    """The version of the standard operators that a graph is written in."""
    return max((entry.version for entry in model.opset_import if entry.domain in DEFAULT_DOMAINS), default=1)


def inputs_of(model: ModelProto) -> list[ValueInfoProto]:
    """What must be given: the inputs that the graph has no values for."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def dims_of(value: ValueInfoProto) -> tuple[int, ...]:
    """Its sizes; 0 for what is free."""
    return tuple(max(0, dim.dim_value) for dim in value.type.tensor_type.shape.dim)


def copied(model: ModelProto) -> ModelProto:
    """A copy to change."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def resized(model: ModelProto, sizes: Sequence[Sequence[int | str]]) -> ModelProto:
    """A copy whose inputs have these sizes (a name: any); all other sizes are those that follow."""
    from onnx import helper

    copy = copied(model)
    for given, wanted in zip(inputs_of(copy), sizes, strict=True):
        given.CopyFrom(helper.make_tensor_value_info(given.name, given.type.tensor_type.elem_type, list(wanted)))
    del copy.graph.value_info[:]
    for value in copy.graph.output:
        for dim in value.type.tensor_type.shape.dim:  # how many there are stays
            dim.Clear()
    return copy


def plain(model: ModelProto) -> ModelProto:
    """A copy without functions and without weights among its inputs; raises ExportError for sparse weights."""
    from onnx import inliner

    copy = inliner.inline_local_functions(model, True) if model.functions else copied(model)
    if copy.graph.sparse_initializer:
        raise ExportError("found sparse weights in the ONNX file, expected dense ones: export the network again")
    given = inputs_of(copy)
    del copy.graph.input[:]
    copy.graph.input.extend(given)
    copy.ir_version = max(copy.ir_version, FREE_WEIGHTS)
    return copy


def nodes_of(graph: GraphProto) -> Iterator[NodeProto]:
    """Its nodes, and those of the bodies in them."""
    for node in graph.node:
        yield node
        for body in _bodies(node):
            yield from nodes_of(body)


def _bodies(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        yield from (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs)


def framed(
    model: ModelProto, given: Sequence[str], taken: Sequence[str], answers: Sequence[str], cast: Sequence[str] = ()
) -> None:
    """Give the inputs the names `given` and the dtypes `taken`, the outputs the names `answers`; in place.

    Outputs whose dtype is in `cast` become float32. All names inside make room for the new ones.
    """
    import numpy as np
    from onnx import TensorProto, helper

    graph = model.graph
    taken_names = {name for node in nodes_of(graph) for name in (*node.input, *node.output)}
    prefix = "inner_"
    while any(prefix + name in taken_names for name in (*given, *answers)):
        prefix += "_"
    _rename(graph, {name: prefix + name for name in (*given, *answers)})
    first = []
    for value, name, dtype in zip(graph.input, given, taken, strict=True):
        own, old = value.type.tensor_type.elem_type, value.name
        wanted = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        sizes = [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        value.CopyFrom(helper.make_tensor_value_info(name, wanted, sizes))
        kept = helper.make_node("Identity", [name], [old])
        first.append(kept if wanted == own else helper.make_node("Cast", [name], [old], to=own))
    last = []
    for output, name in zip(graph.output, answers, strict=True):
        kind = output.type.tensor_type.elem_type
        if helper.tensor_dtype_to_np_dtype(kind).name in cast:
            last.append(helper.make_node("Cast", [output.name], [name], to=TensorProto.FLOAT))
            kind = TensorProto.FLOAT
        else:
            last.append(helper.make_node("Identity", [output.name], [name]))
        output.CopyFrom(helper.make_tensor_value_info(name, kind, None))
    middle = list(graph.node)
    del graph.node[:]
    graph.node.extend([*first, *middle, *last])


def _rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = names.get(value.name, value.name)
    for annotation in graph.quantization_annotation:
        annotation.tensor_name = names.get(annotation.tensor_name, annotation.tensor_name)
    for node in graph.node:
        for places in (node.input, node.output):
            places[:] = [names.get(name, name) for name in places]
        for body in _bodies(node):
            _rename(body, names)
