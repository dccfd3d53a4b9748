"""One window's graph rewritten for any number of windows: node by node, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._errors import PackageError, PipelineError
from .._draft import Draft
from .._fold import reads, wanted
from .._network import DEFAULT_DOMAINS, OLDEST, infer, opset_of
from ._rules import RANDOM, RULES
from ._sizes import shape_of, sized
from ._writer import WINDOWS, Array, NotBatched, Shape, Writer

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

PASS = 1
"""Counts what the same graph is rewritten to: raised whenever one comes out otherwise."""
TRIED = 3
"""The number of windows that the sizes of the answers are worked out for, to be held against one window's."""


def rewrite(model: ModelProto) -> ModelProto:
    """The graph with one more axis in front of every input and output, which is free and called `windows`.

    Opset and IR version are those of `model`, which must be of opset 18 or newer, with sizes that are known before a
    run. Raises PipelineError, one sentence, when an operator is not covered, and PackageError when onnx refuses the
    result.
    """
    from onnx import helper

    if opset_of(model) < OLDEST:
        raise PipelineError(
            f"found a graph in opset {opset_of(model)}, expected {OLDEST} or newer to batch its windows: compile it "
            "first"
        )
    model = sized(_copied(model))
    graph = model.graph
    aliases = _set_apart(graph)
    draft = Draft(_prefix(graph), opset_of(model))
    writer = Writer(draft, _shapes(graph, aliases), _dtypes(graph, aliases), _constants(graph))
    for value in graph.input:
        shape = _known(writer, value.name, "input", value.name)
        writer.begin(value.name, shape)
        draft.inputs.append(_free(value, shape))
    for node in graph.node:
        _write(writer, node)
    answers: dict[str, Shape] = {}
    for value in graph.output:
        inner = aliases[value.name]
        answers[value.name] = _known(writer, inner, "output", value.name)
        if (held := writer.front(inner)) != value.name:  # an input that is an answer is there already
            name = draft.fresh("node_output")
            draft.nodes.append(helper.make_node("Identity", [held], [value.name], name=name))
        draft.outputs.append(_free(value, answers[value.name]))
    return _made(model, draft, answers)


def _write(writer: Writer, node: NodeProto) -> None:
    kind = f"{node.domain}.{node.op_type}" if node.domain not in DEFAULT_DOMAINS else node.op_type
    try:
        if _draws(node):
            raise NotBatched("which gives other numbers each time")
        if all(map(writer.alike, reads(node))):
            writer.draft.nodes.append(node)
        elif kind not in RULES:
            raise NotBatched("which reads what differs from window to window")
        else:
            RULES[kind](writer, node)
    except NotBatched as error:
        raise PipelineError(
            f"found the operator {kind} of the node {node.name or node.output[0]!r}, {error}, expected one that is "
            "known to take the windows of a batch apart: run windows one by one"
        ) from None


def _draws(node: NodeProto) -> bool:
    """Whether it gives other numbers each time, or a body of it does."""
    bodies = [body for each in node.attribute for body in (each.g, *each.graphs)]
    return node.op_type in RANDOM or any(_draws(inner) for body in bodies for inner in body.node)


def _known(writer: Writer, name: str, what: str, called: str) -> Shape:
    try:
        return writer.shape(name)
    except NotBatched:
        raise PipelineError(
            f"found the {what} {called!r}, whose size is known only after a run, expected sizes that are known before "
            "to batch windows: run windows one by one"
        ) from None


def _made(model: ModelProto, draft: Draft, answers: Mapping[str, Shape]) -> ModelProto:
    """The whole, checked: by onnx, and by the answers' sizes for several windows."""
    from onnx import checker, helper

    nodes = wanted(draft.nodes, [value.name for value in draft.outputs])
    used = {name for node in nodes for name in reads(node)}
    weights = [tensor for tensor in (*model.graph.initializer, *draft.initializers) if tensor.name in used]
    graph = helper.make_graph(nodes, model.graph.name, draft.inputs, draft.outputs, weights)
    made = helper.make_model(
        graph,
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
        producer_name=model.producer_name,
    )
    inferred = infer(made)
    try:
        checker.check_model(inferred, full_check=True)
    except Exception as error:  # onnx's errors have no common base
        raise PackageError(f"cannot write the graph for batches of windows: {error}") from error
    _hold_against(made, answers)
    return inferred


def _hold_against(model: ModelProto, answers: Mapping[str, Shape]) -> None:
    """A rule that loses or mixes axes shows in the sizes; raises PackageError."""
    tried = infer(of_windows(model, TRIED))
    for value in tried.graph.output:
        wanted_shape = (TRIED, *answers[value.name])
        found = shape_of(value)
        if found is not None and found != wanted_shape:
            raise PackageError(
                f"found the answer {value.name!r} as {found} for {TRIED} windows, expected {wanted_shape}: report this "
                "graph, and run its windows one by one"
            )


def of_windows(model: ModelProto, count: int) -> ModelProto:
    """The batched graph for that many windows, its answers' sizes still to be inferred."""
    fixed = _copied(model)
    for value in fixed.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = count
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    del fixed.graph.value_info[:]
    return fixed


def _copied(model: ModelProto) -> ModelProto:
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _set_apart(graph: GraphProto) -> dict[str, str]:
    """Outputs under names of their own, so that tensors inside and the batch's answers are not called the same."""
    made = {name for node in graph.node for name in node.output} | {tensor.name for tensor in graph.initializer}
    prefix = f"{_prefix(graph)}one_"
    names = {value.name: prefix + value.name for value in graph.output if value.name in made}
    for node in graph.node:
        _rename(node, names)
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    return {value.name: names.get(value.name, value.name) for value in graph.output}


def _rename(node: NodeProto, names: Mapping[str, str]) -> None:
    for held in (node.input, node.output):
        held[:] = [names.get(name, name) for name in held]
    for attribute in node.attribute:
        for body in (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs):
            inner = {name: new for name, new in names.items() if name not in {value.name for value in body.input}}
            for each in body.node:
                _rename(each, inner)
            for value in body.output:
                value.name = inner.get(value.name, value.name)


def _prefix(graph: GraphProto) -> str:
    """One that no name of the graph begins with."""
    names = {name for node in graph.node for name in (*reads(node), *node.output, node.name)}
    names |= {tensor.name for tensor in graph.initializer}
    prefix = "_w_"
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix


def _values(graph: GraphProto) -> list[ValueInfoProto]:
    return [*graph.input, *graph.value_info, *graph.output]


def _shapes(graph: GraphProto, aliases: Mapping[str, str]) -> dict[str, Shape]:
    found = {aliases.get(value.name, value.name): shape_of(value) for value in _values(graph)}
    known = {name: shape for name, shape in found.items() if shape is not None}
    return known | {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}


def _dtypes(graph: GraphProto, aliases: Mapping[str, str]) -> dict[str, int]:
    found = {aliases.get(value.name, value.name): value.type.tensor_type.elem_type for value in _values(graph)}
    return found | {tensor.name: tensor.data_type for tensor in graph.initializer}


def _constants(graph: GraphProto) -> dict[str, Array]:
    from onnx import numpy_helper

    return {tensor.name: np.asarray(numpy_helper.to_array(tensor)) for tensor in graph.initializer}


def _free(value: ValueInfoProto, shape: Shape) -> ValueInfoProto:
    from onnx import helper

    return helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, [WINDOWS, *shape])
