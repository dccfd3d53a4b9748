"""DequantizeLinear as arithmetic, where it normalises a frame: with a scale that is worked out for each window.

Compiled graphs cast counts, subtract a whole number and scale by one such node, which processors do in one pass.
TensorRT takes these nodes for quantised weights and activations and wants constants; ONNX Runtime's CUDA provider has
no kernels of them for 16 bits. (x - zero) * scale in float32 are the same numbers: differences of counts are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import NodeProto


def spell_out(graph: Any, kinds: Mapping[str, int]) -> None:
    """Change in place what has no constant scale; `kinds` are the element types of all tensors by name."""
    held = {tensor.name for tensor in graph.initializer}
    nodes: list[NodeProto] = []
    for node in graph.node:
        measured = node.op_type == "DequantizeLinear" and node.input[1] not in held
        nodes += _arithmetic(node, kinds) if measured else [node]
    del graph.node[:]
    graph.node.extend(nodes)


def _arithmetic(node: NodeProto, kinds: Mapping[str, int]) -> list[NodeProto]:
    from onnx import TensorProto, helper

    read, scale, *zero = node.input
    name, kind = node.output[0], kinds.get(scale, TensorProto.FLOAT)
    made = [helper.make_node("Cast", [read], [f"{name}.counts"], to=TensorProto.FLOAT)]
    last = f"{name}.counts"
    if zero and zero[0]:
        made.append(helper.make_node("Cast", [zero[0]], [f"{name}.zero"], to=TensorProto.FLOAT))
        made.append(helper.make_node("Sub", [last, f"{name}.zero"], [f"{name}.above"]))
        last = f"{name}.above"
    if kind == TensorProto.FLOAT:
        return [*made, helper.make_node("Mul", [last, scale], [name])]
    # 16-bit floats hold neither such differences nor their products before they are scaled.
    made.append(helper.make_node("Cast", [scale], [f"{name}.scale"], to=TensorProto.FLOAT))
    made.append(helper.make_node("Mul", [last, f"{name}.scale"], [f"{name}.scaled"]))
    return [*made, helper.make_node("Cast", [f"{name}.scaled"], [name], to=kind)]
