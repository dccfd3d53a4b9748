"""How much memory one run of a graph takes, as far as its tensors' sizes are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, ValueInfoProto

NOT_COPIED = ("Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten")
"""Operators whose output is their input's memory, in every engine."""


def memory_mb(model: ModelProto) -> float:
    """Estimated peak of one run in megabytes (1e6 bytes): weights, and the largest sum of tensors alive at once.

    A tensor lives from the node that makes it to the last one that reads it; frames and answers live throughout.
    Tensors of unknown size count nothing, and neither does what an operator needs inside.
    """
    graph = model.graph
    sizes = _sizes(graph)
    weights = sum(_tensor_bytes(tensor) for tensor in graph.initializer)
    kept = {value.name for value in (*graph.input, *graph.output)}
    throughout = sum(sizes.get(name, 0) for name in kept)
    home: dict[str, str] = {}
    last: dict[str, int] = {}
    for at, node in enumerate(graph.node):
        if node.op_type in NOT_COPIED and node.input and node.input[0] in sizes:
            home[node.output[0]] = home.get(node.input[0], node.input[0])
        for name in node.input:
            last[home.get(name, name)] = at
    alive: dict[str, int] = {}
    peak = 0
    for at, node in enumerate(graph.node):
        for name in node.output:
            if name not in home and name not in kept:
                alive[name] = sizes.get(name, 0)
        peak = max(peak, sum(alive.values()))
        alive = {name: size for name, size in alive.items() if last.get(name, -1) > at}
    return (weights + throughout + peak) / 1e6


def run_mb(model: ModelProto, shapes: Mapping[str, Sequence[int]]) -> float:
    """What `memory_mb` says of a bare network for inputs of these shapes, by its inputs' names; looked at, not run."""
    import onnx

    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in sized.graph.input:
        if value.name in shapes:
            del value.type.tensor_type.shape.dim[:]
            for size in shapes[value.name]:
                value.type.tensor_type.shape.dim.add().dim_value = size
    del sized.graph.value_info[:]  # what the file claims of its tensors is for other inputs
    try:
        return memory_mb(onnx.shape_inference.infer_shapes(sized, data_prop=True))
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        return 0.0


def _sizes(graph: GraphProto) -> dict[str, int]:
    return {value.name: _bytes(value) for value in (*graph.input, *graph.value_info, *graph.output)}


def _bytes(value: ValueInfoProto) -> int:
    from onnx import helper

    tensor = value.type.tensor_type
    if not tensor.HasField("shape") or any(not dim.HasField("dim_value") for dim in tensor.shape.dim):
        return 0
    itemsize = helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize
    return int(math.prod(dim.dim_value for dim in tensor.shape.dim)) * int(itemsize)


def _tensor_bytes(tensor: object) -> int:
    from onnx import helper

    kind, dims = tensor.data_type, tensor.dims  # type: ignore[attr-defined]
    return int(math.prod(dims)) * int(helper.tensor_dtype_to_np_dtype(kind).itemsize)
