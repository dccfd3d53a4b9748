"""Which nodes of a graph an output needs, and what their bodies take from around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


def needed(model: ModelProto, outputs: Sequence[str]) -> list[NodeProto]:
    """Those that the outputs are made of, in the order of the graph."""
    wanted, chosen = set(outputs), []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            chosen.append(node)
            wanted.update(node.input)
            wanted.update(captured(node))
    return chosen[::-1]


def captured(node: NodeProto) -> set[str]:
    """What the branches of an If or the body of a loop take: no input of the node names it."""
    names: set[str] = set()
    for attribute in node.attribute:
        for body in [attribute.g, *attribute.graphs]:
            for inner in body.node:
                names.update(inner.input, captured(inner))
    return names
