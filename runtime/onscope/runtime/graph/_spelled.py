"""Operators that ONNX defines by others, written as those: onnx knows neither sizes nor types of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import PackageError
from ._draft import Draft

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

KIND = "GroupNormalization"
DOMAINS = ("", "ai.onnx")
EPSILON = 1e-5
"""What is added to the variance where a node does not say."""


def spell_out(model: ModelProto) -> int:
    """Write each GroupNormalization, in place, as an InstanceNormalization of its groups, as PyTorch's exporter does
    for older opsets. How many there were.

    Scale and bias are given for each channel since version 21, before that for each group ("GroupNormalization", ONNX
    operators). Raises PackageError for one that does not say its groups.
    """
    found = 0
    for graph in reversed(list(_graphs(model.graph))):  # bodies before the nodes that they are copied with
        if not any(map(_is_group_normalization, graph.node)):
            continue
        draft, dtypes = Draft(_unused(model)), _dtypes(graph)
        for node in graph.node:
            if _is_group_normalization(node):
                _spell(node, draft, dtypes)
                found += 1
            else:
                draft.nodes.append(node)
        nodes = list(draft.nodes)
        del graph.node[:]
        graph.node.extend(nodes)
        graph.initializer.extend(draft.initializers)
    return found


def _is_group_normalization(node: NodeProto) -> bool:
    return bool(node.op_type == KIND and node.domain in DOMAINS)


def _spell(node: NodeProto, draft: Draft, dtypes: dict[str, tuple[int, int | None]]) -> None:
    """Groups are normalised in the type that is asked for, scaled in the input's."""
    from onnx import TensorProto, helper

    said: dict[str, Any] = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    if "num_groups" not in said:
        raise PackageError(f"found {KIND} {node.name!r} without num_groups, expected it: export the network again")
    groups, stage = int(said["num_groups"]), int(said.get("stash_type", TensorProto.FLOAT))
    image, scale, bias = node.input
    kind, size = dtypes.get(scale, (None, None))
    value = image if kind == stage else draft.node("Cast", [image], to=stage)
    value = draft.node("Reshape", [value, draft.constant([0, groups, -1], "int64")])
    of_groups = [draft.constant(np.full(groups, each), helper.tensor_dtype_to_np_dtype(stage).name) for each in (1, 0)]
    value = draft.node("InstanceNormalization", [value, *of_groups], epsilon=float(said.get("epsilon", EPSILON)))
    if kind != stage:
        value = draft.node("CastLike", [value, image])
    if size is None:
        ends = draft.constant([0], "int64"), draft.constant([-1], "int64")
        places = draft.node("Concat", [ends[0], draft.node("Shape", [scale]), ends[1]], axis=0)
    else:
        places = draft.constant([0, size, -1], "int64")
    value = draft.node("Reshape", [value, places])
    upright = draft.constant([-1, 1], "int64")
    value = draft.node("Mul", [value, draft.node("Reshape", [scale, upright])])
    value = draft.node("Add", [value, draft.node("Reshape", [bias, upright])])
    draft.nodes.append(
        helper.make_node("Reshape", [value, draft.node("Shape", [image])], [node.output[0]], name=node.name)
    )


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """It, and the bodies in it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for body in (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs):
                yield from _graphs(body)


def _dtypes(graph: GraphProto) -> dict[str, tuple[int, int | None]]:
    """Of the graph's weights: their types and sizes."""
    return {each.name: (each.data_type, each.dims[0] if each.dims else None) for each in graph.initializer}


def _unused(model: ModelProto) -> str:
    """What no name in the model begins with."""
    names = {name for graph in _graphs(model.graph) for node in graph.node for name in (*node.input, *node.output)}
    names |= {each.name for graph in _graphs(model.graph) for each in (*graph.initializer, *graph.input)}
    prefix = "spelled_"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix
