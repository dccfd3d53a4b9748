"""A compiled graph in TensorRT's own types: the same numbers, without the integers that it does not have.

TensorRT has no 16-bit integers, and 8-bit ones without a sign only where frames come in and answers go out, next to a
conversion from or to floating point ("DataType" in NVIDIA's TensorRT documentation, 10 and 11 alike). So a uint16 frame
comes in as the bytes that it is, twice as many uint8, and its counts are low + 256 * high, which float32 holds exactly;
uint16 answers go out the same way; and what is uint8 or uint16 in between is carried in float32. Scales of 8-bit
networks are made symmetric (`_symmetric`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import ProviderError
from .._interface import TensorSpec
from ._ends import bytes_of, counts_of
from ._spelled import spell_out
from ._symmetric import make_symmetric

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

VERSION = 2
"""Of what is done here; part of what a built engine is known by."""
COUNTS = {2: "uint8", 4: "uint16"}
"""ONNX's numbers of the types that are carried in float32."""
CARRIED = frozenset(
    ("Clip", "Concat", "Constant", "DepthToSpace", "Equal", "Expand", "Flatten", "Gather", "GatherND", "Greater",
     "GreaterOrEqual", "Identity", "Less", "LessOrEqual", "Max", "MaxPool", "Min", "Pad", "Reshape", "Shape", "Slice",
     "SpaceToDepth", "Split", "Squeeze", "Tile", "TopK", "Transpose", "Unsqueeze", "Where")
)  # fmt: skip
"""Operators that do with counts in float32 what they do with the integers; sums may overflow, quotients are others."""
STANDARD = ("", "ai.onnx")
TAKEN = ("bool", "float16", "float32", "int32", "int64", "uint8")
"""What else may come in and go out."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output as the caller has it; `as_bytes`: TensorRT has its bytes, with one more axis of two."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    as_bytes: bool


def specs_of(ports: Sequence[Port]) -> tuple[TensorSpec, ...]:
    """What ports are to a session's caller."""
    return tuple(TensorSpec(port.name, port.shape, port.dtype) for port in ports)


@dataclass(frozen=True, slots=True)
class Translated:
    """A graph as TensorRT can read it, and what its tensors are to the caller."""

    model: ModelProto
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def translated(model: ModelProto) -> Translated:
    """Raises ProviderError for free sizes, types without a way into TensorRT, and integers that are reckoned with."""
    import onnx

    if sys.byteorder != "little":
        raise ProviderError("found a processor that stores the high byte first, expected x86 or ARM for TensorRT")
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    spell_out(graph, kinds_of(copy))
    make_symmetric(graph, kinds_of(copy))
    del graph.value_info[:]  # of the types that were: they are inferred anew
    inputs = tuple(port_of(value) for value in graph.input)
    outputs = tuple(port_of(value) for value in graph.output)
    kinds = kinds_of(copy)
    carry_in_float(graph, kinds)
    head: list[NodeProto] = []
    tail: list[NodeProto] = []
    for value, port in zip(graph.input, inputs, strict=True):
        head += counts_of(value, port.as_bytes, graph) if port.dtype in COUNTS.values() else []
    for value, port in zip(graph.output, outputs, strict=True):
        tail += bytes_of(value, port.as_bytes, graph) if port.dtype in COUNTS.values() else []
    nodes = [*head, *graph.node, *tail]
    del graph.node[:]
    graph.node.extend(nodes)
    return Translated(copy, inputs, outputs)


def port_of(value: Any) -> Port:
    """An input or output of a compiled graph; raises ProviderError for free sizes and types without a way in."""
    import onnx

    kind = value.type.tensor_type
    shape = tuple(size.dim_value for size in kind.shape.dim)
    if 0 in shape or not kind.HasField("shape"):
        raise ProviderError(
            f"found {value.name!r} of a size that is not fixed, expected a graph that was compiled for one frame size: "
            "TensorRT runs what `onscope build` made, packages are proven with --provider cpu"
        )
    dtype = str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)))
    if dtype not in TAKEN and dtype != "uint16":
        raise ProviderError(f"found {value.name!r} in {dtype}, expected {', '.join(TAKEN)} or uint16 for TensorRT")
    return Port(value.name, shape, dtype, dtype == "uint16")


def kinds_of(model: ModelProto) -> dict[str, int]:
    """The element types of all tensors by name, as far as they can be inferred."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.output, *graph.value_info)}
    return kinds | {tensor.name: tensor.data_type for tensor in graph.initializer}


def carry_in_float(graph: Any, kinds: Mapping[str, int]) -> None:
    """Make all nodes between inputs and outputs work on float32 where they worked on counts."""
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "Cast" and node.domain in STANDARD:
            nodes += _recast(node, kinds)
            continue
        touched = [name for name in (*node.input, *node.output) if kinds.get(name) in COUNTS]
        if touched and (node.op_type not in CARRIED or node.domain not in STANDARD):
            raise ProviderError(
                f"found {node.op_type} on {COUNTS[kinds[touched[0]]]} ({touched[0]!r}), which TensorRT cannot do, "
                "expected the network to reckon in float32: cast before it"
            )
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_type in COUNTS:
                attribute.t.CopyFrom(_in_float(attribute.t))
        nodes.append(node)
    for tensor in graph.initializer:
        if tensor.data_type in COUNTS:
            tensor.CopyFrom(_in_float(tensor))
    del graph.node[:]
    graph.node.extend(nodes)


def _recast(node: NodeProto, kinds: Mapping[str, int]) -> list[NodeProto]:
    """A conversion from counts, to counts or between them, where counts are float32."""
    from onnx import TensorProto, helper

    name, source = node.output[0], kinds.get(node.input[0])
    to = next(attribute for attribute in node.attribute if attribute.name == "to")
    if to.i not in COUNTS:
        return [node]  # from float32 as from counts
    if source == TensorProto.UINT16 and to.i == TensorProto.UINT8:
        raise ProviderError(
            f"found a conversion from uint16 to uint8 ({name!r}), which wraps around, expected it to be clipped in "
            "float32 before"
        )
    to.i = TensorProto.FLOAT
    if source not in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE):
        return [node]
    node.output[0] = f"{name}.uncut"
    # A conversion to integers cuts the fraction off; for counts, which are not negative, that is Floor.
    return [node, helper.make_node("Floor", [node.output[0]], [name])]


def _in_float(tensor: Any) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)
