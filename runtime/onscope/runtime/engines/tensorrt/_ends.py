"""Where frames come in and answers go out: counts as TensorRT's bytes, and bytes as counts in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import NodeProto


def counts_of(value: Any, as_bytes: bool, graph: Any) -> list[NodeProto]:
    """Nodes from an input's bytes to its counts in float32; the input's readers are given those."""
    from onnx import TensorProto, helper, numpy_helper

    name, counts = value.name, f"{value.name}.counts"
    for node in graph.node:
        for place, read in enumerate(node.input):
            if read == name:
                node.input[place] = counts
    value.type.tensor_type.elem_type = TensorProto.UINT8
    if not as_bytes:
        return [helper.make_node("Cast", [name], [counts], to=TensorProto.FLOAT)]
    value.type.tensor_type.shape.dim.add().dim_value = 2
    worth = numpy_helper.from_array(np.array([1.0, 256.0], np.float32), f"{name}.worth")
    axis = numpy_helper.from_array(np.array([-1], np.int64), f"{name}.pair")
    graph.initializer.extend([worth, axis])
    return [
        helper.make_node("Cast", [name], [f"{name}.bytes"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.bytes", worth.name], [f"{name}.parts"]),
        helper.make_node("ReduceSum", [f"{name}.parts", axis.name], [counts], keepdims=0),
    ]


def bytes_of(value: Any, as_bytes: bool, graph: Any) -> list[NodeProto]:
    """Nodes from an answer's counts in float32 to its bytes, for which the output's name is."""
    from onnx import TensorProto, helper, numpy_helper

    name, counts = value.name, f"{value.name}.counts"
    for node in graph.node:
        for names in (node.input, node.output):
            for place, each in enumerate(names):
                if each == name:
                    names[place] = counts
    value.type.tensor_type.elem_type = TensorProto.UINT8
    if not as_bytes:
        return [helper.make_node("Cast", [counts], [name], to=TensorProto.UINT8)]
    value.type.tensor_type.shape.dim.add().dim_value = 2
    worth = numpy_helper.from_array(np.array(256.0, np.float32), f"{name}.worth")
    axis = numpy_helper.from_array(np.array([-1], np.int64), f"{name}.pair")
    graph.initializer.extend([worth, axis])
    return [
        helper.make_node("Div", [counts, worth.name], [f"{name}.quotient"]),
        helper.make_node("Floor", [f"{name}.quotient"], [f"{name}.high"]),
        helper.make_node("Mul", [f"{name}.high", worth.name], [f"{name}.whole"]),
        helper.make_node("Sub", [counts, f"{name}.whole"], [f"{name}.low"]),
        helper.make_node("Unsqueeze", [f"{name}.low", axis.name], [f"{name}.low-pair"]),
        helper.make_node("Unsqueeze", [f"{name}.high", axis.name], [f"{name}.high-pair"]),
        helper.make_node("Concat", [f"{name}.low-pair", f"{name}.high-pair"], [f"{name}.bytes"], axis=-1),
        helper.make_node("Cast", [f"{name}.bytes"], [name], to=TensorProto.UINT8),
    ]
