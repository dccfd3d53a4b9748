"""Which nodes of a graph are the network: its layers, and what lies between them.

Packages carry their pre- and postprocessing in the graph: casts, statistics of the frame, decoding. None of it may lose
bits, and none of it costs time. So the network begins at its first layer and ends at its last, and what does not lie
between two layers stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operators that multiply with weights, which is where the time goes."""
SMALL_SHARE = 0.02
"""A layer with a smaller share of all multiplications is left alone: in fewer bits it would cost accuracy and save
nothing. First convolutions of one channel, 1x1 ends and fixed filters (a noise estimate) are such layers."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A node with weights; `cost` is its multiplications for one frame, `nodes` are it and what follows up to the next
    layers, by name."""

    name: str
    kind: str
    cost: int
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """The layers worth reducing, in the graph's order, and those `left` alone because they cost next to nothing."""

    layers: tuple[Layer, ...]
    left: tuple[str, ...]

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset(name for layer in self.layers for name in layer.nodes)


def weighted(model: ModelProto) -> list[NodeProto]:
    """Nodes of the main graph that multiply with constant weights."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [
        node
        for node in model.graph.node
        if node.op_type in WEIGHTED and len(node.input) > 1 and node.input[1] in constants
    ]


def find_zone(model: ModelProto, shapes: Mapping[str, Sequence[int]]) -> Zone:
    """The network of a graph whose nodes all have names. `shapes` are those of the tensors around its layers."""
    costs = {node.name: _cost(node, model, shapes) for node in weighted(model)}
    whole = sum(costs.values())
    worth = {name for name, cost in costs.items() if cost >= SMALL_SHARE * whole and cost > 0}
    before, after = _reaches(model.graph.node, worth), _reached(model.graph.node, worth)
    found: dict[str, list[str]] = {name: [] for name in worth}
    owner: dict[str, str] = {}
    for node in model.graph.node:
        if node.name in worth:
            mine = node.name
        elif node.name in before and node.name in after and node.op_type not in WEIGHTED:
            mine = next((owner[name] for name in reversed(node.input) if name in owner), "")
        else:
            continue
        if mine:
            found[mine].append(node.name)
            owner.update(dict.fromkeys(node.output, mine))
    layers = (
        Layer(node.name, node.op_type, costs[node.name], tuple(found[node.name]))
        for node in model.graph.node
        if node.name in worth
    )
    return Zone(tuple(layers), tuple(name for name in costs if name not in worth))


def _cost(node: NodeProto, model: ModelProto, shapes: Mapping[str, Sequence[int]]) -> int:
    """Multiplications of one frame: for each output value (input value of a transposed convolution), one kernel's."""
    weight = next(tensor for tensor in model.graph.initializer if tensor.name == node.input[1])
    size = _product(weight.dims)
    if node.op_type == "Conv":
        return _product(shapes.get(node.output[0], ())) * size // max(1, int(weight.dims[0]))
    if node.op_type == "ConvTranspose":
        return _product(shapes.get(node.input[0], ())) * size // max(1, int(weight.dims[0]))
    depth = shapes.get(node.input[0], ())
    return _product(shapes.get(node.output[0], ())) * (depth[-1] if depth else 1)


def _product(sizes: Iterable[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


def _reached(nodes: Sequence[NodeProto], sources: set[str]) -> set[str]:
    """Nodes that a source's output flows into."""
    found: set[str] = set()
    values: set[str] = set()
    for node in nodes:
        if any(name in values for name in node.input):
            found.add(node.name)
        if node.name in sources or node.name in found:
            values.update(node.output)
    return found


def _reaches(nodes: Sequence[NodeProto], sinks: set[str]) -> set[str]:
    """Nodes whose output flows into a sink."""
    found: set[str] = set()
    values: set[str] = set()
    for node in reversed(nodes):
        if any(name in values for name in node.output):
            found.add(node.name)
        if node.name in sinks or node.name in found:
            values.update(name for name in node.input if name)
    return found
