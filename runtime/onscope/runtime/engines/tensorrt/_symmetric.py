"""8-bit networks as TensorRT wants them: int8 with zero as the zero point, for activations as for weights.

Packages hold uint8 activations with a zero point of their own, which processors are fastest with. Here the same range
of numbers goes into signed 8 bits around zero: where all values are positive (behind a ReLU) that is one bit less, as
it was with TensorRT's own calibrators. What unsigned 8 bits cut off stays cut off: where the zero point is 0 they do
the work of a ReLU, which quantisers then leave out. Biases in 32 bits become float32, exactly what they stood for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import ProviderError

if TYPE_CHECKING:
    import numpy.typing as npt
    from onnx import NodeProto

QUANTISERS = ("QuantizeLinear", "DequantizeLinear")


def make_symmetric(graph: Any, kinds: Mapping[str, int]) -> None:
    """Change Q/DQ pairs in place; `kinds` are the element types of all tensors by name.

    Raises ProviderError where scales or zero points are no constants, or activations have a scale per channel.
    """
    from onnx import TensorProto, numpy_helper

    held = {tensor.name: tensor for tensor in graph.initializer}
    made: dict[str, Any] = {}
    folded: set[str] = set()
    cut: dict[str, NodeProto] = {}
    for node in graph.node:
        if node.op_type not in QUANTISERS:
            continue
        read = held.get(node.input[0])
        place = node.output[0] if node.op_type == "QuantizeLinear" else node.input[0]
        scale, zero = _constants(node, held, _dtype(kinds.get(place)))
        is_weight = node.op_type == "DequantizeLinear" and read is not None
        if is_weight and read is not None and (read.data_type != TensorProto.INT8 or zero.any()):
            values = _dequantised(numpy_helper.to_array(read), scale, zero, _axis(node))
            made[node.output[0]] = numpy_helper.from_array(values, node.output[0])
            folded.add(node.output[0])
        elif not is_weight and (zero.dtype == np.uint8 or (zero.dtype == np.int8 and zero.any())):
            if zero.ndim or scale.ndim:
                raise ProviderError(
                    f"found activations in 8 bits with a scale per channel ({node.input[0]!r}), expected one scale: "
                    "TensorRT knows them for weights only"
                )
            name = f"{node.output[0]}.symmetric"
            span = np.iinfo(zero.dtype)
            low, high = span.min - int(zero), span.max - int(zero)
            made[f"{name}.scale"] = numpy_helper.from_array(
                np.array(scale * (max(-low, high) / 127), np.float32), f"{name}.scale"
            )
            made[f"{name}.zero"] = numpy_helper.from_array(np.array(0, np.int8), f"{name}.zero")
            if node.op_type == "QuantizeLinear":
                cut[node.output[0]] = _cutting(node.input[0], name, (low * scale, high * scale), made)
                node.input[0] = name
            del node.input[1:]
            node.input.extend([f"{name}.scale", f"{name}.zero"])
            _forget_type(node)
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.output[0] in cut:
            nodes.append(cut[node.output[0]])
        if node.output[0] not in folded:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(made.values())
    _drop_unread(graph)


def _cutting(read: str, name: str, ends: tuple[Any, Any], made: dict[str, Any]) -> NodeProto:
    """A node that keeps a tensor within what its 8 bits could hold; the bounds are added to `made`."""
    from onnx import helper, numpy_helper

    if ends[0] == 0:  # the upper end is that of the new scale
        return helper.make_node("Relu", [read], [name])
    bounds = dict(zip((f"{name}.low", f"{name}.high"), ends, strict=True))
    made |= {key: numpy_helper.from_array(np.array(bound, np.float32), key) for key, bound in bounds.items()}
    return helper.make_node("Clip", [read, *bounds], [name])


def _dtype(kind: int | None) -> Any:
    """What an element type is in NumPy; ONNX's own default for 8 bits where it is not known."""
    from onnx import helper

    return helper.tensor_dtype_to_np_dtype(kind) if kind else np.uint8


def _constants(node: NodeProto, held: dict[str, Any], dtype: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Scale and zero point of a node; no zero point stands for 0 (ONNX, QuantizeLinear)."""
    from onnx import numpy_helper

    names = list(node.input[1:3])
    if not names or any(name and name not in held for name in names):
        raise ProviderError(
            f"found {node.op_type} of {node.input[0]!r} whose scale is no constant, expected one: TensorRT wants them "
            "when the engine is built"
        )
    scale, *zero = (numpy_helper.to_array(held[name]) for name in names if name)
    return scale, zero[0] if zero else np.zeros_like(scale, dtype)


def _axis(node: NodeProto) -> int:
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == "axis"), 1)


def _dequantised(
    values: npt.NDArray[Any], scale: npt.NDArray[Any], zero: npt.NDArray[Any], axis: int
) -> npt.NDArray[np.float32]:
    """(values - zero) * scale, in float32."""
    if scale.ndim:
        shape = [1] * values.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return ((values.astype(np.int64) - zero.astype(np.int64)) * scale.astype(np.float64)).astype(np.float32)


def _forget_type(node: NodeProto) -> None:
    """The type of the answer is the zero point's; opset 21 may also state it."""
    kept = [attribute for attribute in node.attribute if attribute.name != "output_dtype"]
    del node.attribute[:]
    node.attribute.extend(kept)


def _drop_unread(graph: Any) -> None:
    """Constants that nothing reads any more: TensorRT's parser would look at their types."""
    read = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
